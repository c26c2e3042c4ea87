//! Test control: fresh tenants, clocks that can be moved, simulated decisions (specification
//! chapter 80). It has a listener and a token of its own, and acts on sandboxes of personas
//! whose environment is `test`, on nothing else.

mod people;
mod sandbox;
pub(crate) mod token;

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use clp_schemas::canonical::sha256;
use clp_schemas::endpoint::{ALL, Base, Endpoint, EndpointId};
use clp_schemas::ids::TenantId;
use clp_schemas::ops::Nothing;
use clp_schemas::ops::discover::Deployment;
use clp_schemas::ops::store::SecretText;
use clp_schemas::problem::{Problem, ProblemType};
use tower_http::catch_panic::CatchPanicLayer;

use crate::config::{OPTIONAL, Template};
use crate::faults::Faults;
use crate::http::{Failures, Inbound, Reply, RequestLog, read_body, read_query, tampered};
use crate::lifecycle::Effect;
use crate::ops::policy::digest;
use crate::rules::Rule;
use crate::seams::Seams;
use crate::service::Service;
use crate::store::{Gate, Store};

/// What test control acts on.
#[derive(Debug)]
pub struct Control {
    services: Vec<Arc<Service>>,
    store: Store,
    log: Arc<RequestLog>,
    faults: Arc<Faults>,
    token_hash: [u8; 32],
    failures: Failures,
    seams: Seams,
}

impl Control {
    /// Test control of these personas, for whoever has the token.
    #[must_use]
    pub fn new(
        services: Vec<Arc<Service>>,
        store: Store,
        log: Arc<RequestLog>,
        faults: Arc<Faults>,
        token: &SecretText,
        seams: Seams,
    ) -> Self {
        Self {
            services,
            store,
            log,
            faults,
            token_hash: sha256(token.expose().as_bytes()),
            failures: Failures::new(seams),
            seams,
        }
    }

    fn knows(&self, token: &str) -> bool {
        // Hashes are of one length, so the time taken tells nothing about the token.
        verify_slices_are_equal(&self.token_hash, &sha256(token.as_bytes())).is_ok()
    }

    fn service_of(
        &self,
        gate: &Gate<'_>,
        tenant: &TenantId,
    ) -> Result<Option<Arc<Service>>, Problem> {
        let name = gate.sandbox_persona(tenant)?;
        let mut services = self.services.iter();
        Ok(services
            .find(|service| Some(&service.persona.name) == name.as_ref() && is_for_tests(service))
            .cloned())
    }
}

fn is_for_tests(service: &Service) -> bool {
    service.persona.environment == Deployment::Test
}

/// Answers whatever reaches the listener for test control.
pub fn router(control: Arc<Control>) -> Router {
    let seams = control.seams;
    let router = Router::new()
        .fallback(move |request: Request| {
            let control = Arc::clone(&control);
            async move { serve(control, request).await.into_response() }
        })
        .layer(CatchPanicLayer::custom(|_| -> Response {
            tracing::error!("a handler of test control panicked");
            Reply::refusal(&ProblemType::Internal.into()).into_response()
        }));
    tampered(router, seams, |method, path| match route(method, path) {
        Routed::Endpoint(row, ..) => row.name,
        Routed::NoMethod(_) | Routed::Nothing => "nothing",
    })
}

async fn serve(control: Arc<Control>, request: Request) -> Reply {
    let reply = match Inbound::read(control.seams, request).await {
        Ok(inbound) => answer(control, inbound).await,
        Err(problem) => Reply::refusal(&problem),
    };
    reply.caching("no-store")
}

async fn answer(control: Arc<Control>, inbound: Inbound) -> Reply {
    let (row, named) = match route(&inbound.method, &inbound.path) {
        Routed::Endpoint(row, named) => (row, named),
        Routed::NoMethod(allow) => {
            return Reply::refusal(&ProblemType::MethodNotAllowed.into()).allow(&allow);
        }
        Routed::Nothing => return Reply::refusal(&ProblemType::NotFound.into()),
    };
    let presented = Presented {
        is_known: inbound.bearer().is_some_and(|token| control.knows(token)),
    };
    if let Err(problem) = control.seams.check(TOKEN_RULES, &presented) {
        if let Err(problem) = control.failures.admit(inbound.peer) {
            return Reply::refusal(&problem);
        }
        return Reply::refusal(&problem).challenge("Bearer");
    }
    let store = control.store.clone();
    let job = {
        let control = Arc::clone(&control);
        move |gate: &Gate<'_>| carry_out(gate, &control, row, &named, &inbound)
    };
    // What reached a tenant is long and no part of the state: nobody has to wait while it is
    // written out.
    let reply = match store.run(job).await {
        Ok(Done::Answered(reply)) => Ok(reply),
        Ok(Done::Logged(tenant)) => Reply::json(row.success, &sandbox::requests(&control, &tenant)),
        Err(problem) => Err(problem),
    };
    let reply = reply.unwrap_or_else(|problem| Reply::refusal(&problem));
    tracing::debug!(
        endpoint = row.name,
        status = reply.status(),
        problem = reply.problem(),
        "answered"
    );
    reply
}

/// What a path names.
#[derive(Debug)]
struct Path {
    tenant: Option<String>,
    principal: Option<String>,
}

/// Where a request leads.
enum Routed {
    /// To an endpoint, with what the path names.
    Endpoint(&'static Endpoint, Path),
    /// To a path that has these methods and no other.
    NoMethod(String),
    /// To nothing.
    Nothing,
}

fn route(method: &str, path: &str) -> Routed {
    let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
    let mut allowed = Vec::new();
    for row in ALL.iter().filter(|row| row.base == Base::Control) {
        let template = Template::try_from(row.path.to_owned()).ok();
        let Some(mut parameters) = template.and_then(|template| template.matches(&segments)) else {
            continue;
        };
        if row.method.name() == method {
            let named = Path {
                tenant: parameters.remove("tenant_id"),
                principal: parameters.remove("principal_id"),
            };
            return Routed::Endpoint(row, named);
        }
        allowed.push(row.method.name());
    }
    match allowed.is_empty() {
        true => Routed::Nothing,
        false => Routed::NoMethod(allowed.join(", ")),
    }
}

/// The token of a request, if any.
struct Presented {
    is_known: bool,
}

const TOKEN_RULES: &[Rule<Presented>] = &[Rule {
    id: "CLP-CTL-001",
    refuses: |presented| (!presented.is_known).then(|| ProblemType::Unauthenticated.into()),
}];

/// The sandbox that a path names.
struct Named {
    is_wanted: bool,
    is_open: bool,
}

const SANDBOX_RULES: &[Rule<Named>] = &[Rule {
    id: "CLP-CTL-012",
    refuses: |named| (named.is_wanted && !named.is_open).then(|| ProblemType::NotFound.into()),
}];

/// An endpoint, to the persona of a sandbox.
struct Declared {
    is_claimed: bool,
}

const CLAIM_RULES: &[Rule<Declared>] = &[Rule {
    id: "CLP-DIS-006",
    refuses: |declared| (!declared.is_claimed).then(|| ProblemType::NotFound.into()),
}];

/// What a call has come to.
enum Done {
    /// An answer.
    Answered(Reply),
    /// A look into the request log of this tenant.
    Logged(TenantId),
}

fn carry_out(
    gate: &Gate<'_>,
    control: &Control,
    row: &'static Endpoint,
    path: &Path,
    inbound: &Inbound,
) -> Result<Done, Problem> {
    let sandbox = match path
        .tenant
        .as_ref()
        .and_then(|path| path.parse::<TenantId>().ok())
    {
        Some(tenant) => control
            .service_of(gate, &tenant)?
            .map(|service| (tenant, service)),
        None => None,
    };
    let named = Named {
        is_wanted: path.tenant.is_some(),
        is_open: sandbox.is_some(),
    };
    control.seams.check(SANDBOX_RULES, &named)?;
    read_query::<Nothing>(control.seams, row.id, &OPTIONAL, &inbound.query)?;
    if row.id == EndpointId::SandboxOpen {
        let body = read_body(control.seams, row.id, &OPTIONAL, inbound)?.typed;
        let opened = sandbox::open(gate, control, &body)?;
        return Reply::json(row.success, &opened).map(Done::Answered);
    }
    let (tenant, service) = sandbox.ok_or(ProblemType::NotFound)?;
    let declared = Declared {
        is_claimed: service.persona.claims(row.class),
    };
    control.seams.check(CLAIM_RULES, &declared)?;
    let reply = match row.id {
        EndpointId::RequestLog => return Ok(Done::Logged(tenant)),
        EndpointId::SandboxReset => {
            gate.reset_tenant(&tenant)?;
            control.log.clear(&tenant);
            control.faults.clear(&tenant);
            Ok(Reply::empty(row.success))
        }
        EndpointId::ClockAdvance => {
            let body = read_body(control.seams, row.id, &OPTIONAL, inbound)?.typed;
            Reply::json(row.success, &sandbox::advance(gate, &tenant, &body)?)
        }
        EndpointId::ControlApprove => {
            let body = read_body(control.seams, row.id, &OPTIONAL, inbound)?;
            Reply::json(
                row.success,
                &sandbox::decide(gate, &service, &tenant, &body)?,
            )
        }
        EndpointId::ControlPrincipalAdd => {
            let body = read_body(control.seams, row.id, &OPTIONAL, inbound)?.typed;
            Reply::json(row.success, &people::add(gate, &service, &tenant, &body)?)
        }
        EndpointId::ControlPrincipalSet => {
            let body = read_body(control.seams, row.id, &OPTIONAL, inbound)?.typed;
            people::set(gate, &service, &tenant, path.principal.as_deref(), &body)?;
            Ok(Reply::empty(row.success))
        }
        EndpointId::ControlPolicySet => {
            let body = read_body(control.seams, row.id, &OPTIONAL, inbound)?.typed;
            gate.enter(&tenant)?.put_policy(&digest(&body)?, &body)?;
            Ok(Reply::empty(row.success))
        }
        EndpointId::AuthenticatorRegister => {
            let body = read_body(control.seams, row.id, &OPTIONAL, inbound)?.typed;
            sandbox::register(gate, &tenant, &body)?;
            Ok(Reply::empty(row.success))
        }
        EndpointId::AttestationTrustPut => {
            let body = read_body(control.seams, row.id, &OPTIONAL, inbound)?.typed;
            let effect = Effect::SaveAttestationTrust(Box::new(body));
            gate.enter(&tenant)?.apply(vec![effect])?;
            Ok(Reply::empty(row.success))
        }
        EndpointId::ControlIdentityProvider => {
            let body = read_body(control.seams, row.id, &OPTIONAL, inbound)?.typed;
            sandbox::trust(gate, &tenant, body)?;
            Ok(Reply::empty(row.success))
        }
        EndpointId::FaultsPut => {
            let body = read_body(control.seams, row.id, &OPTIONAL, inbound)?.typed;
            Reply::json(row.success, &control.faults.put(&tenant, body)?)
        }
        EndpointId::FaultsRead => Reply::json(row.success, &control.faults.of(&tenant)),
        EndpointId::StateDump => Reply::json(row.success, &sandbox::state(gate, &tenant)?),
        // No other row is below C.
        _ => Err(ProblemType::NotFound.into()),
    };
    reply.map(Done::Answered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_of_test_control_is_found_by_its_path() {
        for row in ALL.iter().filter(|row| row.base == Base::Control) {
            let path = row.path.replace("{tenant_id}", "ten_x");
            let path = path.replace("{principal_id}", "prin_x");
            let has_tenant = row.path.contains("{tenant_id}");
            match route(row.method.name(), &path) {
                Routed::Endpoint(found, named) => {
                    assert_eq!(found.id, row.id);
                    assert_eq!(named.tenant.is_some(), has_tenant);
                    let has_principal = row.path.contains("{principal_id}");
                    assert_eq!(named.principal.is_some(), has_principal);
                }
                Routed::NoMethod(_) | Routed::Nothing => panic!("{path}"),
            }
            assert!(
                matches!(route("DELETE", &path), Routed::NoMethod(allow) if allow.contains(row.method.name()))
            );
        }
        for nothing in ["/", "/sandboxes/", "/sandboxes/x", "/sandboxes/x/state/y"] {
            assert!(
                matches!(route("GET", nothing), Routed::Nothing),
                "{nothing}"
            );
        }
    }
}
