//! Makes a new feature or template count as a change: the compiler only watches the files
//! that were there when it last looked.

fn main() {
    for folder in ["features", "templates", "requirements"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
