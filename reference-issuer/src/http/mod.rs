//! From a request on the wire to a typed call, and back. What is the same for every endpoint
//! is here, in the fixed order of checks (specification chapter 02): it reads the row of the
//! endpoint table and knows nothing of what an endpoint does.

mod body;
mod dispatch;
mod failures;
mod inbound;
mod log;
mod precondition;
mod query;
mod reply;
mod route;
mod schema;
mod serve;
mod tamper;

pub(crate) use body::{Body, check as check_body, read as read_body};
pub use failures::Failures;
pub use inbound::Inbound;
pub(crate) use inbound::{Peer, VERSION_HEADER, read_whole};
pub use log::RequestLog;
pub(crate) use precondition::{Conditions, check as check_precondition, tag as entity_tag};
pub(crate) use query::read as read_query;
pub use reply::Reply;
pub(crate) use serve::fault_target;
pub use serve::router;
pub(crate) use tamper::tampered;
pub use tamper::{Answer, Asked};
