//! Files are embedded by a macro that the compiler does not see reading them, so Cargo has
//! to be told to look at the folder.

fn main() {
    println!("cargo::rerun-if-changed=.");
}
