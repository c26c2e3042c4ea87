//! Approve: decide on a request, with a signature over exactly what was shown (spec
//! chapter 12).

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::Args;
use clp_schemas::approval::{self, ApprovalDocument, Decision};
use clp_schemas::canonical;
use clp_schemas::ids::RequestId;
use clp_schemas::ops::Nothing;
use clp_schemas::ops::approve::{
    Approval, ApprovalBody, ApprovalSubmit, Challenge, ChallengeBody, ChallengeOpen, Evidence,
};
use clp_schemas::ops::discover::AuthMethod;
use clp_schemas::ops::request::{CredentialRequest, RequestBody, RequestPath};
use clp_schemas::permissions::{PermissionDocument, consent, risk};

use super::Session;
use super::login::{LoginArgs, Way};
use super::narrow::{Less, NarrowArgs};
use super::scope::{LANGUAGE, risk_name};
use crate::client::Client;
use crate::error::{Error, LocalFault, ProtocolFault};
use crate::passkey::Passkey;
use crate::render::{Facts, Outcome, clean, key_and_address, requester_words};

/// What an approver is asked, taken from the very document that is signed.
#[derive(Clone, Debug)]
pub struct Question {
    /// The document.
    pub document: ApprovalDocument,
    /// The request in it, every member.
    pub body: RequestBody,
    /// Its digest, computed here.
    pub digest: String,
    /// What the permissions mean, in the words of the permission document.
    pub consent: Vec<String>,
    /// The highest risk among them.
    pub risk: clp_schemas::permissions::Risk,
    /// Where the approver agrees to less: in which members.
    pub(super) less: Option<Less>,
    pub(super) meaning: PermissionDocument,
}

impl Question {
    /// Takes a request apart and checks that what would be signed is what can be shown.
    ///
    /// # Errors
    /// [`ProtocolFault::Mismatch`] if the document is of another issuer or request, holds
    /// what cannot be shown, differs from what was submitted, or has another digest than
    /// the issuer says (CLP-APP-007); [`ProtocolFault::OtherDocument`] if `permissions` is not
    /// the permission document that it names (CLP-APP-021).
    pub fn new(
        issuer: &str,
        request: &CredentialRequest,
        permissions: &PermissionDocument,
    ) -> Result<Self, Error> {
        let mismatch = |what| Error::from(ProtocolFault::Mismatch(what));
        let document: ApprovalDocument = serde_json::from_value(request.approval_document.clone())
            .map_err(|_| mismatch("the approval document has other members than it should"))?;
        let belongs = document.issuer == issuer
            && document.request_id == request.id
            && document.version == request.version
            && document.requester == request.requester;
        if !belongs {
            return Err(mismatch(
                "the approval document is of another issuer or request",
            ));
        }
        if document.permission_schema_digest != permissions.digest() {
            return Err(ProtocolFault::OtherDocument.into());
        }
        // A member that this program drops would be signed without having been shown.
        let body: RequestBody = serde_json::from_value(document.request.clone())
            .map_err(|_| mismatch("the approval document cannot be shown"))?;
        let shown = serde_json::to_value(&body)
            .map_err(|_| LocalFault::System("the request cannot be written as JSON"))?;
        if shown != document.request {
            return Err(mismatch(
                "the approval document holds more than can be shown",
            ));
        }
        // Somebody who decided before may have agreed to less.
        let mut submitted = request.submitted.clone();
        if document.version > 1 {
            submitted.permissions.clone_from(&body.permissions);
            submitted.lifetime_seconds = body.lifetime_seconds;
            submitted.rotation_policy.clone_from(&body.rotation_policy);
        }
        if body != submitted {
            return Err(mismatch(
                "the approval document differs from what was submitted",
            ));
        }
        let digest = approval::digest(&document)
            .map_err(|_| mismatch("the approval document has no digest"))?;
        if digest != request.digest {
            return Err(mismatch("the digest is not that of the approval document"));
        }
        let consent = consent(permissions, &body.permissions, LANGUAGE)
            .map_err(|_| mismatch("the permissions have no meaning in the permission document"))?;
        Ok(Self {
            risk: risk(permissions, &body.permissions),
            document,
            digest,
            consent,
            body,
            less: None,
            meaning: permissions.clone(),
        })
    }

    /// Checks that a challenge is for this question and this decision, and answers the bytes
    /// to sign, computed here.
    ///
    /// # Errors
    /// [`ProtocolFault::Mismatch`] (CLP-APP-007).
    pub fn bytes_to_sign(
        &self,
        challenge: &Challenge,
        decision: Decision,
    ) -> Result<[u8; 32], Error> {
        let mismatch = |what| Err(ProtocolFault::Mismatch(what).into());
        let belongs = challenge.request_id == self.document.request_id
            && challenge.version == self.document.version
            && challenge.digest == self.digest
            && challenge.decision == decision;
        if !belongs {
            return mismatch("the challenge is for another request or decision");
        }
        if !canonical::from_base64url(&challenge.nonce).is_ok_and(|nonce| nonce.len() == 32) {
            return mismatch("the nonce of the challenge");
        }
        let approver = challenge.approver.as_str();
        let bytes = approval::challenge(&self.digest, &challenge.nonce, decision, approver);
        if canonical::to_base64url(&bytes) != challenge.challenge {
            return mismatch("the challenge is not that of this decision");
        }
        Ok(bytes)
    }
}

impl Client {
    /// Reads a request and makes the question of it that an approver answers.
    ///
    /// # Errors
    /// As [`Question::new`], and every call.
    pub async fn question(&self, id: &RequestId) -> Result<Question, Error> {
        let request = self.request(id).await?;
        // What the words meant when they were asked for, whatever is in force by now.
        let digest = request
            .approval_document
            .get("permission_schema_digest")
            .and_then(serde_json::Value::as_str)
            .ok_or(ProtocolFault::Mismatch(
                "the approval document names no permission document",
            ))?;
        let digest = Some(digest).filter(|_| !self.sabotage.breaks("CLP-APP-021"));
        let permissions = self.permission_document(digest).await?;
        if self.sabotage.breaks("CLP-APP-007") {
            let said = request.digest.clone();
            let mut believed = request;
            let document = serde_json::from_value(believed.approval_document.clone());
            if let Some(digest) = document.ok().and_then(|one| approval::digest(&one).ok()) {
                believed.digest = digest;
            }
            let mut question = Question::new(self.id().as_str(), &believed, &permissions)?;
            question.digest = said;
            return Ok(question);
        }
        Question::new(self.id().as_str(), &request, &permissions)
    }

    /// Opens a challenge, signs it with a passkey, and submits the decision.
    ///
    /// # Errors
    /// [`ProtocolFault::Mismatch`] if the challenge is for anything but this question;
    /// [`Error::Usage`] if the passkey does not fit; otherwise as every call.
    pub async fn decide(
        &self,
        question: &Question,
        decision: Decision,
        reason: Option<String>,
        passkey: &Passkey,
    ) -> Result<Approval, Error> {
        let (challenge, bytes) = self.challenge(question, decision).await?;
        let evidence = passkey.sign(
            &bytes,
            self.relying_party(&challenge)?,
            &self.id().url().origin().ascii_serialization(),
            &challenge.allow_credentials,
        )?;
        let evidence = Evidence::Assertion(evidence);
        self.submit(&challenge, AuthMethod::Passkey, evidence, reason)
            .await
    }

    /// Opens a challenge, and answers it with the bytes to sign, computed here.
    pub(super) async fn challenge(
        &self,
        question: &Question,
        decision: Decision,
    ) -> Result<(Challenge, [u8; 32]), Error> {
        let path = RequestPath {
            request_id: question.document.request_id.clone(),
        };
        let less = question.less.as_ref();
        let body = ChallengeBody {
            decision,
            permissions: less.and_then(|less| less.permissions.clone()),
            lifetime_seconds: less.and_then(|less| less.lifetime_seconds),
            renewable_until: less.and_then(|less| less.renewable_until),
        };
        let challenge = self
            .call::<ChallengeOpen>(&path, &Nothing {}, &body)
            .await?;
        let bytes = match canonical::from_base64url(&challenge.challenge).map(<[u8; 32]>::try_from)
        {
            Ok(Ok(stated)) if self.sabotage.breaks("CLP-APP-007") => stated,
            // Of what the issuer makes of less, its word is taken.
            _ if less.is_some() && self.sabotage.breaks("CLP-APP-027") => approval::challenge(
                &challenge.digest,
                &challenge.nonce,
                decision,
                challenge.approver.as_str(),
            ),
            _ => question.bytes_to_sign(&challenge, decision)?,
        };
        Ok((challenge, bytes))
    }

    /// Submits what answers a challenge.
    pub(super) async fn submit(
        &self,
        challenge: &Challenge,
        method: AuthMethod,
        evidence: Evidence,
        reason: Option<String>,
    ) -> Result<Approval, Error> {
        let path = RequestPath {
            request_id: challenge.request_id.clone(),
        };
        let body = ApprovalBody {
            challenge_id: challenge.id.clone(),
            method,
            evidence,
            reason,
        };
        let approval = self
            .call::<ApprovalSubmit>(&path, &Nothing {}, &body)
            .await?;
        let belongs = approval.request_id == challenge.request_id
            && approval.version == challenge.version
            && approval.decision == challenge.decision
            && approval.approver.as_ref() == Some(&challenge.approver);
        if !belongs {
            return Err(ProtocolFault::Mismatch("the approval").into());
        }
        Ok(approval)
    }

    /// The relying party of a challenge. It has to be the issuer's host or a domain that the
    /// host is in, as a browser has it (`WebAuthn` section 5.1.4.1): otherwise one issuer
    /// could have signatures made for another.
    fn relying_party<'a>(&self, challenge: &'a Challenge) -> Result<&'a str, Error> {
        let host = self.id().url().host_str().unwrap_or_default();
        let id = challenge.relying_party_id.as_str();
        let is_within = host
            .strip_suffix(id)
            .is_some_and(|rest| !id.is_empty() && (rest.is_empty() || rest.ends_with('.')));
        // A single label, such as `com`, is no relying party unless it is the whole host.
        if is_within && (host == id || id.contains('.')) {
            Ok(id)
        } else {
            Err(ProtocolFault::Mismatch("the relying party is not the issuer").into())
        }
    }
}

/// Decide on a request, after seeing what is asked
#[derive(Args, Debug)]
pub(crate) struct ApproveArgs {
    /// The request
    request: RequestId,
    /// Refuse it instead; a refusal is signed too, and final
    #[arg(long)]
    deny: bool,
    /// Why, in your words
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    narrow: NarrowArgs,
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

impl ApproveArgs {
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

pub(crate) async fn run(args: &ApproveArgs, session: &Session) -> Result<Outcome, Error> {
    let client = session.client()?;
    let passkey = match args.login.way() {
        Way::Passkey => Some(args.passkey(session)?),
        Way::LogIn(_) => None,
        Way::Page => return page(&client, &args.request).await,
    };
    let question = client.question(&args.request).await?;
    let decision = match args.deny {
        true => Decision::Deny,
        false => Decision::Approve,
    };
    let asked = question.digest.clone();
    let question = args.narrow.apply(question, decision)?;
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
        facts
            .add(
                "lifetime agreed to",
                format!("{} seconds", question.body.lifetime_seconds),
            )
            .add("can be used until", approval.expires_at.to_string());
    }
    Outcome::new(&approval, facts.text())
}

/// Shows where the issuer lets people decide.
async fn page(client: &Client, request: &RequestId) -> Result<Outcome, Error> {
    let request = client.request(request).await?;
    let mut facts = Facts::default();
    facts.add("decide at", clean(&request.approval_uri));
    let value = serde_json::json!({"approval_uri": request.approval_uri});
    Outcome::new(&value, facts.text())
}

fn shown(question: &Question) -> String {
    let body = &question.body;
    let mut facts = Facts::default();
    facts
        .add("issuer", &question.document.issuer)
        .add("request", question.document.request_id.as_str())
        .add("version", question.document.version.to_string())
        .add("requester", question.document.requester.as_str());
    for actor in &question.document.actors {
        facts.add(
            "on behalf of",
            format!("{} ({})", actor.principal, actor.kind),
        );
    }
    facts
        .add("type", body.kind.to_string())
        .add("project", &body.project)
        .add("environment", &body.environment)
        .add("lifetime", format!("{} seconds", body.lifetime_seconds))
        .add("risk", risk_name(question.risk))
        .add("digest", &question.digest);
    key_and_address(&mut facts, body);
    if body.emergency.is_some() {
        facts.add("emergency", "yes: fewer people are asked than otherwise");
    }
    if let Some(policy) = &body.rotation_policy {
        let seconds = |seconds: u64| format!("{seconds} seconds");
        facts
            .add_some("rotate every", policy.rotate_every_seconds.map(seconds))
            .add_some("longest overlap", policy.max_overlap_seconds.map(seconds))
            .add_some("renewable until", policy.renewable_until);
    }
    let has_end = body
        .rotation_policy
        .as_ref()
        .is_some_and(|policy| policy.renewable_until.is_some());
    if !has_end {
        facts.add(
            "renewable",
            "by rotation, without an end and without asking again",
        );
    }
    let mut text = facts.text();
    text.push_str("it would be allowed to:\n");
    for line in &question.consent {
        text.push_str(&format!("  - {}\n", clean(line)));
    }
    text.push_str(&requester_words(body));
    text
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
    write!(terminal, "{}\ntype `{word}` to {word}: ", shown(question)).map_err(fault)?;
    terminal.flush().map_err(fault)?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer).map_err(fault)?;
    if answer.trim() == word {
        Ok(())
    } else {
        Err(Error::usage("nothing was decided"))
    }
}
