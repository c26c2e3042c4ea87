//! The conformance suite's command.

use std::process::ExitCode;

fn main() -> ExitCode {
    clp_conformance::cli::main()
}
