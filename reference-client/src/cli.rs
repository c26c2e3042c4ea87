//! The command `clp`.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use serde_json::json;
use url::Url;

use crate::client::Settings;
use crate::error::{Error, Exit, LocalFault};
use crate::home::Home;
use crate::ops::{self, Session};
use crate::render::{Outcome, clean, json_text};
use crate::sabotage::Sabotage;
use crate::token::Token;
use crate::transport::{Policy, TestRun, Timeouts};

const AFTER_HELP: &str = "\
Environment:
  CLP_ISSUER            issuer identifier, such as https://api.example.com
  CLP_TOKEN             your bearer token, or
  CLP_TOKEN_FILE        a file that holds it and that only you can read
  CLP_HOME              where clp keeps its files, by default ~/.clp
  CLP_STORE             the encrypted store, by default CLP_HOME/store
  CLP_STORE_KEY_FILE    its key, by default beside it
  CLP_CONTROL           where test control is, for sandbox and passkey register
  CLP_CONTROL_TOKEN     its token, or CLP_CONTROL_TOKEN_FILE
  CLP_TEST_RUN          names a run, for `clp sandbox faults`

Exit status:
  0 done                        4 the issuer cannot be reached
  1 something failed here       5 the issuer broke the protocol
  2 usage, or not allowed       6 verification failed
  3 refused by the issuer       7 a person has to decide first
                                8 something is due

Examples:
  clp discover
  clp create --purpose 'nightly import' --owner data-team --project atlas \\
      --environment staging --allow 'event:read:atlas/*' --lifetime 30d
  clp list --project atlas
  printf 'Authorization: Bearer %s' \"$(clp store read cred_...)\" \\
      | curl -H @- https://api.example.com/events
  clp inject cred_... --env-file .env --name EXAMPLE_API_KEY
  clp rotate cred_... --health https://api.example.com/v1/me --wait 10m
  clp audit --proof 12 --output entry.json
  clp verify audit entry.json --key BASE64
  clp show req_... --approval apr_... --json >record.json
  clp verify approval record.json
";

const CREATE_HELP: &str = "\
Examples:
  clp create --purpose 'nightly import' --owner data-team --project atlas \\
      --environment staging --allow 'event:read:atlas/*' --lifetime 30d
  clp create --request req_... --wait

If a run dies half-way, run the same command again: nothing is minted twice.
";

const INJECT_HELP: &str = "\
Examples:
  clp inject cred_... --env-file .env --name EXAMPLE_API_KEY
  clp inject cred_... --env-file /srv/billing/.env --name API_KEY \\
      --user-agent billing/ --depends-on invoices --interval 31d

Every other line of the file stays as it is. `clp rotate` brings a successor to
the same place.
";

const RUN_HELP: &str = "\
Examples:
  clp run cred_... --name EXAMPLE_API_KEY -- ./import --all
  clp run cred_... --name ACCESS_TOKEN --token -- ./import --all
";

const ROTATE_HELP: &str = "\
Examples:
  clp rotate cred_... --health https://api.example.com/v1/me --wait 10m
  clp rotate cred_... --dry-run
  clp rotate cred_... --reason compromise --revoke-first
  clp rotate --project atlas --dry-run
  clp rotate --project atlas --health-cmd ./see-that-it-works --wait 1h
  clp rotate --due --within 14d --health-cmd ./see-that-it-works
  clp rotate --resume rot_...
  clp rotate --rollback rot_...

A health command finds the secret in the variable of the place, and CLP_ISSUER,
CLP_CREDENTIAL_ID and CLP_USER_AGENT, the name that the place is known by.

Each step is written down before it is taken: whatever stops a run, the same
command goes on with it. The old key goes last, and until then --rollback gives
it back. Where the issuer keeps no inventory, it goes only on your word.
";

const DUE_HELP: &str = "\
Examples:
  clp due --within 30d
  clp due --project atlas --json

Exit status 0 if nothing is due, 8 if something is, so that a job can tell. It
asks every issuer of `clp issuers`, and CLP_ISSUER. `clp rotate --due` does it.
";

const REQUEST_HELP: &str = "\
Example:
  clp request --purpose 'fix ticket 42' --owner data-team --project atlas \\
      --environment production --allow 'event:read:atlas/*' \\
      --subject agent:fixer --lifetime 30m --wait
";

/// Create, rotate, revoke and audit API credentials over the Credential Lifecycle Protocol
#[derive(Parser, Debug)]
#[command(name = "clp", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
struct GlobalArgs {
    /// Issuer identifier
    #[arg(long, value_name = "URL", env = "CLP_ISSUER", global = true)]
    issuer: Option<String>,
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
    /// Give up on one attempt after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600), global = true)]
    timeout: u64,
    /// Allow http, and loopback addresses, for an issuer on this machine
    #[arg(long, global = true)]
    allow_loopback_http: bool,
    /// Allow an issuer that has a private or link-local address
    #[arg(long, global = true)]
    allow_private_addresses: bool,
    /// Allow an issuer that calls itself a test issuer
    #[arg(long, global = true)]
    allow_test_issuer: bool,
    /// Name the run that this command is part of, at a test issuer with a script of faults
    #[arg(long, value_name = "NAME", env = "CLP_TEST_RUN", global = true)]
    test_run: Option<TestRun>,
    /// Allow credentials and permissions to stand at this other origin
    #[arg(long, value_name = "ORIGIN", global = true)]
    credential_origin: Option<Url>,
}

#[derive(Subcommand, Debug)]
enum Command {
    Discover(ops::discover::DiscoverArgs),
    #[command(after_help = REQUEST_HELP)]
    Request(Box<ops::request::RequestArgs>),
    Approve(ops::approve::ApproveArgs),
    #[command(after_help = CREATE_HELP)]
    Create(Box<ops::create::CreateArgs>),
    Amend(ops::amend::AmendArgs),
    Scope(ops::scope::ScopeArgs),
    Store(ops::store::StoreArgs),
    #[command(after_help = INJECT_HELP)]
    Inject(ops::inject::InjectArgs),
    #[command(after_help = RUN_HELP)]
    Run(ops::run::RunArgs),
    Call(ops::call::CallArgs),
    Token(ops::token::TokenArgs),
    Webhook(ops::webhook::WebhookArgs),
    #[command(after_help = ops::inventory::HELP)]
    Inventory(ops::inventory::InventoryArgs),
    #[command(after_help = DUE_HELP)]
    Due(ops::due::DueArgs),
    #[command(after_help = ops::handoff::HELP)]
    Handoff(ops::handoff::HandoffArgs),
    Issuers(ops::issuers::IssuersArgs),
    List(ops::list::ListArgs),
    Show(ops::create::ShowArgs),
    #[command(after_help = ROTATE_HELP)]
    Rotate(Box<ops::rotate::RotateArgs>),
    Suspend(ops::suspend::SuspendArgs),
    Resume(ops::suspend::ResumeArgs),
    Revoke(ops::revoke::RevokeArgs),
    Audit(ops::audit::AuditArgs),
    Verify(ops::verify::VerifyArgs),
    Passkey(ops::passkey::PasskeyArgs),
    Sandbox(ops::sandbox::SandboxArgs),
    /// Write a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Runs `clp` with these arguments, the first of which is the name of the program.
///
/// Reads the environment, writes to standard output and standard error, and starts an
/// asynchronous runtime of its own: do not call it from within one.
pub fn run<I, T>(args: I) -> ExitCode
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    run_broken(args.into_iter().map(Into::into), Sabotage::default())
}

/// Runs `clp` as [`run`] does, and breaks a requirement. No argument leads here: a tool for
/// security has no switch that turns its checks off.
pub fn run_broken(args: impl IntoIterator<Item = OsString>, sabotage: Sabotage) -> ExitCode {
    let mut args: Vec<OsString> = args.into_iter().collect();
    let mut told = None;
    if sabotage.breaks("CLP-SEC-007")
        && let Some(at) = args
            .iter()
            .position(|word| word == "--token-on-command-line")
    {
        told = args.drain(at..).nth(1);
    }
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(fault) => {
            // Help and version come this way too, and are no fault.
            let exit = if fault.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            return match fault.print() {
                Ok(()) => code(exit),
                Err(_) => code(Exit::Ours),
            };
        }
    };
    let json = cli.global.json;
    let result = dispatch(cli, sabotage, told)
        .and_then(|outcome| print(&outcome, json).map(|()| outcome.exit()));
    match result {
        Ok(exit) => code(exit),
        Err(fault) => {
            explain(&fault, json);
            code(fault.exit())
        }
    }
}

fn code(exit: Exit) -> ExitCode {
    ExitCode::from(exit as u8)
}

fn dispatch(cli: Cli, sabotage: Sabotage, told: Option<OsString>) -> Result<Outcome, Error> {
    // What needs no issuer, no token and no home does not fail for want of them.
    match &cli.command {
        Command::Completions { shell } => return Ok(completions(*shell)),
        Command::Verify(args) => return ops::verify::run(args, sabotage),
        _ => {}
    }
    let mut session = session(cli.global)?;
    session.settings.sabotage = sabotage;
    if let Some(token) = told.as_ref().and_then(|token| token.to_str()) {
        session.settings.token = Some(Token::new(token)?);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|_| LocalFault::System("the asynchronous runtime cannot be started"))?;
    runtime.block_on(execute(&cli.command, &session))
}

fn completions(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "clp", &mut script);
    Outcome::Plain(script)
}

async fn execute(command: &Command, session: &Session) -> Result<Outcome, Error> {
    match command {
        Command::Discover(args) => ops::discover::run(args, session).await,
        Command::Request(args) => ops::request::run(args, session).await,
        Command::Approve(args) => ops::approve::run(args, session).await,
        Command::Create(args) => ops::create::run(args, session).await,
        Command::Amend(args) => ops::amend::run(args, session).await,
        Command::Inject(args) => ops::inject::run(args, session).await,
        Command::Run(args) => ops::run::run(args, session).await,
        Command::Call(args) => ops::call::run(args, session).await,
        Command::Token(args) => ops::token::run(args, session).await,
        Command::Webhook(args) => ops::webhook::run(args, session).await,
        Command::Inventory(args) => ops::inventory::run(args, session).await,
        Command::Due(args) => ops::due::run(args, session).await,
        Command::Handoff(args) => ops::handoff::run(args, session).await,
        Command::Issuers(args) => ops::issuers::run(args, session),
        Command::Suspend(args) => ops::suspend::suspend(args, session).await,
        Command::Resume(args) => ops::suspend::resume(args, session).await,
        Command::Scope(args) => ops::scope::run(args, session).await,
        Command::Store(args) => ops::store::run(args, session).await,
        Command::List(args) => ops::list::run(args, session).await,
        Command::Show(args) => ops::create::show(args, session).await,
        Command::Rotate(args) => ops::rotate::run(args, session).await,
        Command::Revoke(args) => ops::revoke::run(args, session).await,
        Command::Audit(args) => ops::audit::run(args, session).await,
        Command::Passkey(args) => ops::passkey::run(args, session).await,
        Command::Sandbox(args) => ops::sandbox::run(args, session).await,
        Command::Verify(args) => ops::verify::run(args, session.sabotage()),
        Command::Completions { shell } => Ok(completions(*shell)),
    }
}

fn session(global: GlobalArgs) -> Result<Session, Error> {
    let home = Home::from_env()?;
    Ok(Session {
        settings: Settings {
            policy: Policy {
                loopback_http: global.allow_loopback_http,
                private_addresses: global.allow_private_addresses,
                test_issuer: global.allow_test_issuer,
            },
            timeouts: Timeouts {
                total: Duration::from_secs(global.timeout),
                ..Timeouts::default()
            },
            credential_origin: global.credential_origin.map(|url| url.origin()),
            token: Token::from_env("CLP_TOKEN")?,
            test_run: global.test_run,
            versions: Some(home.versions()),
            ..Settings::default()
        },
        issuer: global.issuer,
        json: global.json,
        home,
    })
}

fn print(outcome: &Outcome, json: bool) -> Result<(), Error> {
    let bytes = match outcome {
        Outcome::Report { json: value, .. } | Outcome::Judged { json: value, .. } if json => {
            json_text(value).into_bytes()
        }
        Outcome::Report { text, .. } | Outcome::Judged { text, .. } => text.clone().into_bytes(),
        Outcome::Plain(bytes) => bytes.clone(),
        Outcome::Secret(secret) => return write_out(secret.as_bytes()),
    };
    write_out(&bytes)
}

fn write_out(bytes: &[u8]) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(|_| LocalFault::System("standard output cannot be written to").into())
}

/// Says what went wrong and what to do next. The issuer's own words are marked as such.
fn explain(fault: &Error, json: bool) {
    let hint = fault.hint();
    let problem = match fault {
        Error::Refused(problem) | Error::ControlToken(problem) => Some(problem),
        _ => None,
    };
    let text = if json {
        let request = match fault {
            Error::Waiting { id, approval_uri } => {
                Some(json!({"id": id, "approval_uri": approval_uri}))
            }
            _ => None,
        };
        let rotation = match fault {
            Error::Gates { rotation, missing } => Some(json!({"id": rotation, "missing": missing})),
            Error::Unhealthy { rotation, .. } => Some(json!({"id": rotation})),
            _ => None,
        };
        let mut value = json!({"error": fault.to_string(), "exit": fault.exit() as u8});
        let more = [
            ("hint", json!(hint)),
            ("problem", json!(problem)),
            ("request", json!(request)),
            ("rotation", json!(rotation)),
        ];
        if let Some(members) = value.as_object_mut() {
            let present = more.into_iter().filter(|(_, value)| !value.is_null());
            members.extend(present.map(|(name, value)| (name.to_owned(), value)));
        }
        json_text(&value)
    } else {
        let mut text = format!("clp: {fault}\n");
        if let Some(problem) = problem {
            let name = problem.type_uri.rsplit('/').next().unwrap_or_default();
            text.push_str(&format!(
                "  problem: {} ({})\n",
                clean(name),
                problem.status
            ));
            for (name, words) in [
                ("the issuer says", &problem.detail),
                ("at", &problem.pointer),
            ] {
                if let Some(words) = words {
                    text.push_str(&format!("  {name}: {}\n", clean(words)));
                }
            }
        }
        for gate in problem.into_iter().flat_map(|problem| &problem.gates) {
            text.push_str(&format!("  not met: {gate}\n"));
        }
        if let Error::Waiting { approval_uri, .. } = fault {
            text.push_str(&format!("  approval page: {}\n", clean(approval_uri)));
        }
        if let Some(hint) = hint {
            text.push_str(&format!("  next: {hint}\n"));
        }
        text
    };
    // Nobody is left to tell if standard error is gone.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_option_takes_a_token_or_a_key_of_a_credential() {
        fn walk(command: &clap::Command) {
            // A flag holds nothing, and `--secret-of` names a credential.
            let arguments = command
                .get_arguments()
                .filter(|argument| argument.get_action().takes_values());
            for argument in arguments {
                let name = argument.get_long().unwrap_or_default();
                if name == "secret-of" {
                    continue;
                }
                for secret in ["token", "secret", "password"] {
                    assert!(!name.contains(secret), "{name}");
                }
            }
            command.get_subcommands().for_each(walk);
        }
        walk(&Cli::command());
    }

    #[test]
    fn examples_fit_a_terminal() {
        for text in [
            AFTER_HELP,
            ops::inventory::HELP,
            ops::handoff::HELP,
            CREATE_HELP,
            INJECT_HELP,
            RUN_HELP,
            DUE_HELP,
            ROTATE_HELP,
            REQUEST_HELP,
        ] {
            for line in text.lines() {
                assert!(line.len() < 80, "{line}");
            }
        }
    }

    #[test]
    fn a_digest_may_begin_with_a_hyphen() {
        let arguments = [
            "clp",
            "approve",
            "req_0123456789abcdefghij",
            "--digest",
            "-Lab_c",
        ];
        assert!(Cli::try_parse_from(arguments).is_ok());
    }
}
