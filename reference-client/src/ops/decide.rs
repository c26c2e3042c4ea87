//! The commands `approve` and `deny`: what whoever decides is shown, and what was agreed (spec
//! chapter 12).

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::Args;
use clp_schemas::approval::Decision;
use clp_schemas::ids::RequestId;
use clp_schemas::ops::request::RequestBody;
use clp_schemas::state::Named as _;

use super::Session;
use super::approve::Question;
use super::login::{LoginArgs, Way};
use super::narrow::NarrowArgs;
use super::scope::risk_name;
use crate::client::Client;
use crate::error::{Error, LocalFault};
use crate::passkey::Passkey;
use crate::render::{Facts, Outcome, acting, clean, key_and_address, lasting, requester_words};

/// Decide on a request, after seeing what is asked
#[derive(Args, Debug)]
pub(crate) struct ApproveArgs {
    #[command(flatten)]
    decision: DecisionArgs,
    /// Refuse it instead, as `clp deny` does
    #[arg(long)]
    deny: bool,
    #[command(flatten)]
    narrow: NarrowArgs,
}

/// Refuse a request; a refusal is signed too, and final
#[derive(Args, Debug)]
pub(crate) struct DenyArgs {
    #[command(flatten)]
    decision: DecisionArgs,
}

#[derive(Args, Debug)]
struct DecisionArgs {
    /// The request
    request: RequestId,
    /// Why, in your words; the requester reads them
    #[arg(long)]
    reason: Option<String>,
    /// Decide without asking, if the request has this digest (see `clp show`)
    // A digest in base64url can begin with a hyphen.
    #[arg(long, value_name = "DIGEST", allow_hyphen_values = true)]
    digest: Option<String>,
    #[command(flatten)]
    login: LoginArgs,
    /// Passkey to sign with, by default the one in CLP_HOME
    #[arg(long, value_name = "FILE")]
    passkey: Option<PathBuf>,
}

impl DecisionArgs {
    /// The passkey to sign with. Better to learn now than after reading that there is none.
    fn passkey(&self, session: &Session) -> Result<Passkey, Error> {
        let path = self.passkey.clone();
        let passkey = Passkey::at(path.unwrap_or_else(|| session.home.passkey()));
        if !passkey.path().exists() {
            return Err(Error::usage(
                "there is no passkey: make one with `clp passkey new`, choose one with --passkey, or log in with --method oidc",
            ));
        }
        passkey.public()?;
        Ok(passkey)
    }
}

pub(crate) async fn approve(args: &ApproveArgs, session: &Session) -> Result<Outcome, Error> {
    let decision = match args.deny {
        true => Decision::Deny,
        false => Decision::Approve,
    };
    decide(&args.decision, decision, Some(&args.narrow), session).await
}

pub(crate) async fn deny(args: &DenyArgs, session: &Session) -> Result<Outcome, Error> {
    decide(&args.decision, Decision::Deny, None, session).await
}

async fn decide(
    args: &DecisionArgs,
    decision: Decision,
    narrow: Option<&NarrowArgs>,
    session: &Session,
) -> Result<Outcome, Error> {
    let client = session.client()?;
    let passkey = match args.login.way() {
        Way::Passkey => Some(args.passkey(session)?),
        Way::LogIn(_) => None,
        Way::Page => return page(&client, &args.request).await,
    };
    let question = client.question(&args.request).await?;
    let asked = question.digest.clone();
    let question = match narrow {
        Some(narrow) => narrow.apply(question, decision)?,
        None => question,
    };
    match &args.digest {
        Some(digest) if *digest != asked => {
            return Err(Error::Unverified(
                "the request has another digest than the one given: look at it again".to_owned(),
            ));
        }
        Some(_) => {}
        None => confirm(&question, decision)?,
    }
    let reason = args.reason.clone();
    let approval = match (args.login.way(), &passkey) {
        (Way::LogIn(method), _) => {
            args.login
                .decide(&client, &question, decision, method, reason)
                .await?
        }
        (_, Some(passkey)) => client.decide(&question, decision, reason, passkey).await?,
        (_, None) => return page(&client, &args.request).await,
    };
    let mut facts = Facts::default();
    facts
        .add("decision", approval.decision.as_str())
        .add("approval", approval.id.as_str())
        .add("request", approval.request_id.as_str())
        .add_some("approver", approval.approver.as_ref())
        .add("digest signed", &question.digest);
    if decision == Decision::Approve {
        agreed(&mut facts, &question);
        facts.add("can be used until", approval.expires_at.to_string());
    }
    Outcome::new(&approval, facts.text())
}

/// What was agreed to, and how much is still missing.
fn agreed(facts: &mut Facts, question: &Question) {
    for line in &question.consent {
        facts.add("agreed to", line);
    }
    facts.add(
        "lifetime agreed to",
        lasting(question.body.lifetime_seconds),
    );
    if let Some((before, wanted)) = question.agreed
        && wanted > 1
    {
        // What is narrowed is a new version, of which no approval counts but this one.
        let before = match &question.less {
            Some(_) => 0,
            None => before,
        };
        facts.add("approvals", format!("{} of {wanted}", before + 1));
    }
}

/// Shows where the issuer lets people decide.
async fn page(client: &Client, request: &RequestId) -> Result<Outcome, Error> {
    let request = client.request(request).await?;
    let mut facts = Facts::default();
    facts
        .add("decide at", clean(&request.approval_uri))
        .add("code", &request.user_code);
    let value =
        serde_json::json!({"approval_uri": request.approval_uri, "user_code": request.user_code});
    Outcome::new(&value, facts.text())
}

fn shown(question: &Question) -> String {
    let body = &question.body;
    let mut facts = Facts::default();
    facts
        .add("issuer", &question.document.issuer)
        .add("request", question.document.request_id.as_str())
        .add("code", &question.user_code)
        .add("version", question.document.version.to_string());
    acting(&mut facts, &question.document.actors);
    facts
        .add("type", body.kind.to_string())
        .add("project", &body.project)
        .add("environment", &body.environment)
        .add("risk", risk_name(question.risk))
        .add("lifetime", lasting(body.lifetime_seconds));
    renewing(&mut facts, body);
    key_and_address(&mut facts, body);
    if body.emergency.is_some() {
        facts.add("emergency", "yes: fewer people are asked than otherwise");
    }
    if let Some((approved, wanted)) = question.agreed {
        facts.add("approved by", format!("{approved} of {wanted} so far"));
    }
    facts.add("digest", &question.digest);
    let mut text = facts.text();
    text.push_str("it would be allowed to:\n");
    for line in &question.consent {
        text.push_str(&format!("  - {}\n", clean(line)));
    }
    text.push_str(&requester_words(body));
    text
}

/// Whether it lives on by rotation, and until when.
fn renewing(facts: &mut Facts, body: &RequestBody) {
    let policy = body.rotation_policy.as_ref();
    if let Some(policy) = policy {
        facts
            .add_some("rotate every", policy.rotate_every_seconds.map(lasting))
            .add_some("longest overlap", policy.max_overlap_seconds.map(lasting))
            .add_some("renewable until", policy.renewable_until);
    }
    if policy.is_none_or(|policy| policy.renewable_until.is_none()) {
        facts.add(
            "renewable",
            "by rotation, without an end and without asking again",
        );
    }
}

/// The question in one sentence, as one person would ask another.
fn sentence(question: &Question) -> String {
    let who = match question.document.actors.first().map(|actor| actor.kind) {
        Some(kind) => format!("this {}", kind.name()),
        None => "somebody".to_owned(),
    };
    format!(
        "{who} asks for access of {} risk to project {} in {} for {}",
        risk_name(question.risk),
        clean(&question.body.project),
        clean(&question.body.environment),
        lasting(question.body.lifetime_seconds)
    )
}

/// Shows the question on the terminal and reads the answer from it.
fn confirm(question: &Question, decision: Decision) -> Result<(), Error> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(Error::usage(
            "nobody can be asked here: look at the request with `clp show`, then give its digest with --digest",
        ));
    }
    let fault = |_| LocalFault::System("the terminal cannot be used");
    let word = decision.as_str();
    let mut terminal = std::io::stderr().lock();
    write!(
        terminal,
        "{}\n{}; type `{word}` to {word}: ",
        shown(question),
        sentence(question)
    )
    .map_err(fault)?;
    terminal.flush().map_err(fault)?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer).map_err(fault)?;
    if answer.trim() == word {
        Ok(())
    } else {
        Err(Error::usage("nothing was decided"))
    }
}
