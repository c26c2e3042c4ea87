//! The command `clp`; everything is in the library.

fn main() -> std::process::ExitCode {
    clp_client::cli::run(std::env::args_os())
}
