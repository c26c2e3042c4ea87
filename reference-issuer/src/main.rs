//! `clp-issuer`: the reference issuer as a program. See `clp-issuer --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    clp_issuer::cli::main()
}
