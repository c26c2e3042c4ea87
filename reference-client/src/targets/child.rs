//! A process that gets a secret in its environment, and in no other way: arguments can be
//! seen by everybody on the machine (CLP-INJ-009).

use std::ffi::OsString;
use std::process::Command;

use crate::error::{Error, LocalFault};

/// Becomes the program, with the secret in the variable. What this run knew of the
/// principal's own token does not go along. Returns only if the program cannot be started.
pub(crate) fn become_program(command: &[OsString], variable: &str, secret: &str) -> Error {
    let Some((program, arguments)) = command.split_first() else {
        return Error::usage("no program: give it after --");
    };
    if secret.contains('\0') {
        return LocalFault::System("the secret does not fit into an environment").into();
    }
    let mut child = Command::new(program);
    child
        .args(arguments)
        .env_remove("CLP_TOKEN")
        .env_remove("CLP_TOKEN_FILE")
        .env(variable, secret);
    start(child)
}

#[cfg(unix)]
fn start(mut child: Command) -> Error {
    use std::os::unix::process::CommandExt as _;
    LocalFault::Start(child.exec()).into()
}

/// Where a process cannot become another, it waits for it.
#[cfg(not(unix))]
fn start(mut child: Command) -> Error {
    match child.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(fault) => LocalFault::Start(fault).into(),
    }
}
