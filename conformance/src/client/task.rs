//! One task of a client under test: a process of its own, one JSON document in, one out, and
//! limits on everything. What goes on is described in `SUBJECT.md`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use clp_schemas::json;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::Notify;

/// Largest output that is read of each stream, in bytes.
pub const MAX_OUTPUT: usize = 1024 * 1024;
/// The variable in which a task finds its bearer token.
pub const TOKEN_VARIABLE: &str = "CLP_SUBJECT_TOKEN";
/// Exit status of a task that was done.
pub const DONE: i32 = 0;
/// Exit status of a task that the client did not go on with, because it must not.
pub const REFUSED: i32 = 3;
/// Exit status of a task that the client cannot do.
pub const UNSUPPORTED: i32 = 4;
/// How often the arguments of the client's processes are looked at.
const GLANCE: Duration = Duration::from_millis(10);
/// How long the streams of a task that has ended may take to run dry.
const DRAIN: Duration = Duration::from_millis(200);

/// How a client is started.
#[derive(Clone, Debug)]
pub enum Launch {
    /// A line for the shell, as it was given.
    Shell(String),
    /// A program and its arguments.
    Program(Vec<OsString>),
}

impl Launch {
    fn command(&self) -> Command {
        let (program, arguments): (OsString, Vec<OsString>) = match self {
            Self::Shell(line) => ("sh".into(), vec!["-c".into(), line.into()]),
            Self::Program(words) => match words.split_first() {
                Some((program, arguments)) => (program.clone(), arguments.to_vec()),
                None => ("false".into(), Vec::new()),
            },
        };
        let mut command = Command::new(program);
        command.args(arguments);
        command
    }
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// Done, with its result.
    Done(Value),
    /// Not gone on with.
    Refused,
    /// The client does not do such tasks.
    Unsupported,
    /// Killed by the suite where the issuer went silent for good, as it was to be.
    Stopped,
    /// Not done in time.
    Late,
    /// Neither done nor refused, with why.
    Failed(String),
}

/// What was seen of a task from outside.
#[derive(Clone, Debug)]
pub struct Seen {
    /// How it ended.
    pub ending: Ending,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
    /// The arguments of every process of it that was seen, each joined by blanks. Empty where
    /// the system does not show them.
    pub arguments: BTreeSet<String>,
}

/// Runs a task. It is killed, with every process it began, after `limit`, and as soon as
/// `silent` is told that nothing will be answered any more.
///
/// # Errors
/// Where the process cannot be started.
pub async fn run(
    launch: &Launch,
    document: &Value,
    home: &Path,
    token: Option<&str>,
    limit: Duration,
    silent: &Notify,
) -> Result<Seen, String> {
    let mut command = launch.command();
    command
        .env_clear()
        .env("HOME", home)
        .current_dir(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    if let Some(token) = token {
        command.env(TOKEN_VARIABLE, token);
    }
    let mut child = command
        .spawn()
        .map_err(|fault| format!("the client cannot be started: {fault}"))?;
    let number = child.id();
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let text = document.to_string();
    let fed = async move {
        if let Some(mut stdin) = stdin {
            // A client that does not read its task is judged by what it does without.
            let _ = stdin.write_all(text.as_bytes()).await;
            let _ = stdin.shutdown().await;
        }
    };
    let mut arguments = BTreeSet::new();
    look(number, &mut arguments);
    let (mut said, mut complained) = (Vec::new(), Vec::new());
    let ended = {
        let streams = async {
            tokio::join!(fed, read(stdout, &mut said), read(stderr, &mut complained));
        };
        tokio::pin!(streams);
        let deadline = tokio::time::sleep(limit);
        tokio::pin!(deadline);
        let mut is_read = false;
        let ended = loop {
            tokio::select! {
                biased;
                status = child.wait() => break Ok(status),
                () = silent.notified() => break Err(Ending::Stopped),
                () = &mut deadline => break Err(Ending::Late),
                () = &mut streams, if !is_read => is_read = true,
                () = tokio::time::sleep(GLANCE) => look(number, &mut arguments),
            }
        };
        // What it left running is no part of the task, and may hold its streams.
        kill(number, &mut child).await;
        if !is_read {
            // What stays open is held by a process that has left the group.
            let _ = tokio::time::timeout(DRAIN, streams).await;
        }
        ended
    };
    let (stdout, stderr) = (said, complained);
    let ending = match ended {
        Err(ending) => ending,
        Ok(status) => match status.map_err(|fault| fault.to_string())?.code() {
            Some(DONE) => result(&stdout),
            Some(REFUSED) => Ending::Refused,
            Some(UNSUPPORTED) => Ending::Unsupported,
            Some(code) => Ending::Failed(format!("exit status {code}")),
            None => Ending::Failed("it was ended by a signal".to_owned()),
        },
    };
    Ok(Seen {
        ending,
        stdout,
        stderr,
        arguments,
    })
}

/// The result that a task wrote: one JSON object.
fn result(stdout: &[u8]) -> Ending {
    let limits = json::Limits {
        bytes: MAX_OUTPUT,
        depth: 32,
    };
    match json::parse(stdout, limits) {
        Ok(value) if value.is_object() => Ending::Done(value),
        _ => Ending::Failed("exit status 0 without a JSON object on standard output".to_owned()),
    }
}

/// Reads a stream to its end and keeps what fits.
async fn read(stream: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut stream) = stream else {
        return;
    };
    let mut chunk = vec![0; 8192];
    // A stream that breaks has ended.
    while let Ok(count @ 1..) = stream.read(&mut chunk).await {
        let room = MAX_OUTPUT.saturating_sub(kept.len()).min(count);
        kept.extend_from_slice(chunk.get(..room).unwrap_or_default());
    }
}

/// Ends every process of a task.
async fn kill(number: Option<u32>, child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = number
        .and_then(|number| i32::try_from(number).ok())
        .and_then(rustix::process::Pid::from_raw)
    {
        // A group that has ended already is as it should be.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill().await;
}

/// Takes down the arguments of a process and of those that it began.
fn look(number: Option<u32>, arguments: &mut BTreeSet<String>) {
    let mut open: Vec<String> = number.iter().map(u32::to_string).collect();
    let mut seen = 0;
    while let Some(one) = open.pop() {
        seen += 1;
        if seen > 64 {
            return;
        }
        if let Ok(line) = std::fs::read(format!("/proc/{one}/cmdline")) {
            let words: Vec<_> = line
                .split(|byte| *byte == 0)
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect();
            arguments.insert(words.join(" ").trim_end().to_owned());
        }
        // Each thread has children of its own.
        let threads = std::fs::read_dir(format!("/proc/{one}/task"));
        for thread in threads.into_iter().flatten().flatten() {
            let children = std::fs::read_to_string(thread.path().join("children"));
            let children = children.unwrap_or_default();
            open.extend(children.split_whitespace().map(str::to_owned));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    async fn ending(line: &str) -> Seen {
        let home = tempfile::tempdir().unwrap();
        let launch = Launch::Shell(line.to_owned());
        let silent = Notify::new();
        run(
            &launch,
            &json!({"task": "x"}),
            home.path(),
            Some("a-token-for-tests"),
            Duration::from_millis(1500),
            &silent,
        )
        .await
        .unwrap()
    }

    #[tokio::test]
    async fn a_task_is_judged_by_its_status_and_its_result() {
        for (line, expected) in [
            ("echo '{\"a\": 1}'", Ending::Done(json!({"a": 1}))),
            ("exit 3", Ending::Refused),
            ("exit 4", Ending::Unsupported),
            ("exit 1", Ending::Failed("exit status 1".to_owned())),
            ("sleep 60", Ending::Late),
        ] {
            assert_eq!(ending(line).await.ending, expected, "{line}");
        }
        for line in ["true", "echo '[]'", "echo '{\"a\":1,\"a\":2}'"] {
            assert!(
                matches!(ending(line).await.ending, Ending::Failed(_)),
                "{line}"
            );
        }
    }

    #[tokio::test]
    async fn the_task_is_on_standard_input_and_the_token_in_the_environment() {
        let seen = ending("read line; echo \"$line\"; echo $CLP_SUBJECT_TOKEN >&2").await;
        assert_eq!(seen.ending, Ending::Done(json!({"task": "x"})));
        assert_eq!(seen.stderr, b"a-token-for-tests\n");
    }

    #[tokio::test]
    async fn a_process_that_is_left_running_holds_nothing_up() {
        let seen = ending("sleep 60 & echo '{}'").await;
        assert_eq!(seen.ending, Ending::Done(json!({})));
    }

    #[tokio::test]
    async fn what_a_task_said_before_its_time_was_over_is_kept() {
        let seen = ending("echo waiting >&2; sleep 60").await;
        assert_eq!(seen.ending, Ending::Late);
        assert_eq!(seen.stderr, b"waiting\n");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn arguments_of_processes_that_another_thread_began_are_seen() {
        let python = std::process::Command::new("python3")
            .arg("--version")
            .output();
        if python.is_err() {
            assert!(std::env::var_os("CI").is_none(), "the gate needs python3");
            eprintln!("skipped: there is no python3 to begin a thread with");
            return;
        }
        let program = "import subprocess, threading\nt = threading.Thread(target=subprocess.run, args=([\"sh\", \"-c\", \"sleep 0.3; true\", \"word-of-a-thread\"],))\nt.start(); t.join()";
        let seen = ending(&format!("python3 -c '{program}'; exit 3")).await;
        let found = seen
            .arguments
            .iter()
            .any(|line| line.starts_with("sh ") && line.contains("word-of-a-thread"));
        assert!(found, "{:?}", seen.arguments);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn arguments_of_processes_below_are_seen() {
        let seen = ending("sh -c 'sleep 0.3; true' word-on-the-command-line; exit 3").await;
        let found = seen
            .arguments
            .iter()
            .any(|line| line.contains("word-on-the-command-line"));
        assert!(found, "{:?}", seen.arguments);
    }
}
