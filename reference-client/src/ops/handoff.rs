//! Handoff: what whoever takes a project over has to know of its credentials (spec chapter 17).

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clp_schemas::endpoint::EndpointId;
use clp_schemas::handoff::{HandedCredential, HandedPlace, Handoff, KeptIn, Replacing};
use clp_schemas::ops::create::{Credential, CredentialPath, OriginKind};
use clp_schemas::permissions::{PermissionDocument, Risk, consent, risk};
use clp_schemas::time::Timestamp;
use clp_schemas::usage::{EdgeKind, Match, Node, NodeKind, UsageGraph};
use url::Url;

use super::Session;
use super::inventory::save;
use super::scope::LANGUAGE;
use crate::client::{Client, below};
use crate::error::Error;
use crate::render::{self, Outcome, statements};
use crate::usage::breaks::breaks;
use crate::usage::gather::{Wanted, gather};
use crate::usage::{Answers, Known, graph};

/// What stands below the help of the command.
pub(crate) const HELP: &str = "\
Examples:
  clp handoff --project atlas --format html --output atlas.html
  clp handoff --project atlas --json

It names no secret, and is written for whoever takes the project over.
";

/// What a handoff is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A page, for people
    Html,
    /// Text, for people and repositories
    Markdown,
    /// The whole, for programs
    Json,
}

/// Write down what whoever takes a project over has to know of its credentials: no secret, but
/// who owns each, what it opens, where it is used, and how to replace it
#[derive(Args, Debug)]
pub(crate) struct HandoffArgs {
    /// The project
    #[arg(long)]
    project: String,
    /// What to write; with --json, JSON
    #[arg(long, value_enum, default_value = "markdown")]
    format: Format,
    /// Write it to this file, for you alone
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) async fn run(args: &HandoffArgs, session: &Session) -> Result<Outcome, Error> {
    let wanted = Wanted {
        project: Some(args.project.clone()),
        ..Wanted::default()
    };
    let answers = gather(session, &wanted).await?;
    let made_at = Timestamp::system_now();
    let graph = graph(&answers, made_at);
    let mut credentials = Vec::new();
    let mut unknown = graph.unknown.clone();
    for client in session.clients()? {
        let issuer = client.id().as_str();
        let of = answers.known.iter().filter(|known| known.issuer == issuer);
        let mut documents: BTreeMap<&str, PermissionDocument> = BTreeMap::new();
        for known in of {
            let digest = known.credential.permission_schema_digest.as_str();
            if !documents.contains_key(digest) {
                match client.permission_document(Some(digest)).await {
                    Ok(document) => {
                        documents.insert(digest, document);
                    }
                    Err(fault) => unknown.push(clp_schemas::usage::Unknown {
                        reason: clp_schemas::usage::Reason::NotAsked,
                        about: None,
                        issuer: Some(issuer.to_owned()),
                        text: format!("its permission document cannot be read: {fault}"),
                    }),
                }
            }
            let scene = Scene {
                answers: &answers,
                graph: &graph,
                known,
                document: documents.get(digest),
            };
            credentials.push(scene.credential(&client).await?);
        }
    }
    credentials.sort_by_cached_key(|one| {
        let names = (one.environment.clone(), one.purpose.clone());
        (names, one.credential_id.clone())
    });
    // What it is about is named in the text: nodes have no place in this document.
    for one in &mut unknown {
        if let Some(node) = one.about.take().and_then(|id| graph.node(&id)) {
            one.text = format!("`{}`: {}", node.label, one.text);
        }
    }
    let handoff = Handoff {
        clp: "1.0".to_owned(),
        project: args.project.clone(),
        made_at,
        issuers: answers.issuers.clone(),
        credentials,
        unknown,
    };
    let handoff = session.scrubbed(&handoff)?;
    let graph = session.scrubbed(&graph)?;
    let written = match args.format {
        _ if session.json => Outcome::new(&handoff, String::new())?,
        Format::Json => Outcome::Plain(json(&handoff)?),
        Format::Markdown => {
            Outcome::Plain(render::handoff::markdown(&handoff, &graph)?.into_bytes())
        }
        Format::Html => Outcome::Plain(render::handoff::html(&handoff, &graph)?.into_bytes()),
    };
    match &args.output {
        None => Ok(written),
        Some(path) => save(path, &written, true),
    }
}

fn json(handoff: &Handoff) -> Result<Vec<u8>, Error> {
    match Outcome::new(handoff, String::new())? {
        Outcome::Report { json, .. } => Ok(render::json_text(&json).into_bytes()),
        _ => Ok(Vec::new()),
    }
}

/// One credential, and what it is told from.
struct Scene<'a> {
    answers: &'a Answers,
    graph: &'a UsageGraph,
    known: &'a Known,
    document: Option<&'a PermissionDocument>,
}

impl Scene<'_> {
    async fn credential(&self, client: &Client) -> Result<HandedCredential, Error> {
        let credential = &self.known.credential;
        let set = &credential.permissions;
        let words = self
            .document
            .and_then(|document| consent(document, set, LANGUAGE).ok());
        let webhook = credential.webhook.as_ref();
        let webhook = webhook.and_then(|webhook| Url::parse(&webhook.url).ok());
        let usage = self.known.usage.as_ref();
        Ok(HandedCredential {
            issuer: self.known.issuer.clone(),
            credential_id: credential.id.clone(),
            kind: credential.kind,
            state: credential.state,
            purpose: credential.purpose.clone(),
            owner: credential.owner.clone(),
            environment: credential.environment.clone(),
            subject: credential.subject.clone(),
            // Where nobody can say it in words, the terms of the document have to do.
            may: words.unwrap_or_else(|| statements(set).collect()),
            risk: self
                .document
                .map_or(Risk::Critical, |document| risk(document, set)),
            permissions: set.clone(),
            permission_schema_digest: credential.permission_schema_digest.clone(),
            created_at: credential.created_at,
            created_by: credential.created_by.clone(),
            last_rotated_at: (credential.created_via.kind == OriginKind::Rotation)
                .then_some(credential.created_at),
            expires_at: credential.expires_at,
            labels: credential.labels.clone(),
            disclosed_to: credential.disclosed_to.clone(),
            kept_in: self.kept_in(),
            webhook_origin: webhook.map(|url| url.origin().ascii_serialization()),
            last_used_at: usage.and_then(|usage| usage.last_used_at),
            places: self.places(),
            unexplained: self.unexplained(),
            replacing: replacing(client, credential).await?,
        })
    }

    fn kept_in(&self) -> Vec<KeptIn> {
        let stores = &self.answers.stores;
        let placements = self.known.credential.stored_in.iter();
        placements
            .map(|placement| {
                let key = (self.known.issuer.clone(), placement.store_id.clone());
                KeptIn {
                    store_id: placement.store_id.clone(),
                    name: stores.get(&key).cloned(),
                }
            })
            .collect()
    }

    /// The nodes with an edge of these kinds to this credential.
    fn around(&self, kinds: &'static [EdgeKind]) -> impl Iterator<Item = &Node> {
        let credential = &self.known.credential.id;
        let here = self.graph.nodes.iter().find(|node| {
            let facts = node.credential.as_ref();
            facts.is_some_and(|facts| facts.credential_id == *credential)
                && node.issuer.as_deref() == Some(&self.known.issuer)
        });
        let edges = self.graph.edges.iter();
        edges
            .filter(move |edge| kinds.contains(&edge.kind))
            .filter(move |edge| here.is_some_and(|here| here.id == edge.to))
            .filter_map(|edge| self.graph.node(&edge.from))
    }

    fn places(&self) -> Vec<HandedPlace> {
        let around = self.around(&[EdgeKind::Holds, EdgeKind::Declared]);
        let places = around.filter_map(|node| {
            let facts = node.place.as_ref()?;
            let filled = self.known.filled.iter();
            Some(HandedPlace {
                installation_id: facts.installation_id.clone(),
                kind: facts.target.clone(),
                name: node.label.clone(),
                locator: facts.locator.clone(),
                state: facts.state,
                required: facts.required,
                sight: facts.sight,
                last_seen_at: facts.last_seen_at,
                stops: self.stops(node),
                takes_up: facts.target.takes_up(),
                filled_from_here: filled.clone().any(|(id, _)| *id == facts.installation_id),
            })
        });
        places.collect()
    }

    /// What stops with a place, by name.
    fn stops(&self, place: &Node) -> Vec<String> {
        let breaks = breaks(self.graph, std::slice::from_ref(&place.id));
        let hit = breaks
            .hit
            .iter()
            .filter_map(|hit| self.graph.node(&hit.node));
        let dependents = hit.filter(|node| node.kind == NodeKind::Dependent);
        dependents.map(|node| node.label.clone()).collect()
    }

    fn unexplained(&self) -> Vec<clp_schemas::usage::ConsumerFacts> {
        let seen = self.around(&[EdgeKind::Observed]);
        let seen = seen.filter_map(|node| node.consumer.clone());
        seen.filter(|facts| facts.matched != Match::Declared)
            .collect()
    }
}

async fn replacing(client: &Client, credential: &Credential) -> Result<Replacing, Error> {
    let issuer = client.issuer().await?;
    let path = CredentialPath {
        credential_id: credential.id.clone(),
    };
    let at = |id: EndpointId| below(issuer.endpoint(), id.row().path, &path);
    let policy = credential.rotation_policy.clone();
    let every = policy
        .as_ref()
        .and_then(|policy| policy.rotate_every_seconds);
    let every = every.and_then(|seconds| i64::try_from(seconds).ok());
    let old = every.map(|seconds| credential.created_at.plus(seconds));
    // Both are of forms without blanks or quotes, and need none on a command line.
    let command = format!(
        "clp --issuer {} rotate {} --reason handover",
        client.id(),
        credential.id
    );
    Ok(Replacing {
        method: "POST".to_owned(),
        url: at(EndpointId::RotationOpen)?.into(),
        command,
        policy,
        rotate_by: old.into_iter().chain(credential.expires_at).min(),
        revoke_url: at(EndpointId::CredentialRevoke)?.into(),
    })
}
