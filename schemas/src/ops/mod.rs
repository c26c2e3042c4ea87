//! The messages of each operation, one file per operation, and what ties a row of the
//! endpoint table to its types.

pub mod approve;
pub mod audit;
pub mod control;
pub mod create;
pub mod discover;
pub mod faults;
pub mod inject;
pub mod inventory;
pub mod oauth;
pub mod policy;
pub mod request;
pub mod revoke;
pub mod rotate;
pub mod scope;
pub mod store;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::endpoint::EndpointId;

/// An endpoint's row, tied to its types. The client sends by it, the issuer answers by it.
pub trait Call {
    /// The row.
    const ID: EndpointId;
    /// What stands in the path.
    type Path: Serialize + DeserializeOwned + Send;
    /// What stands in the query.
    type Query: Serialize + DeserializeOwned + JsonSchema + Send;
    /// What the body holds.
    type Body: Serialize + DeserializeOwned + JsonSchema + Send;
    /// What a success answers.
    type Answer: Serialize + DeserializeOwned + JsonSchema + Send;
}

/// No path parameter, no query, no body, or no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Nothing {}

/// Ties a marker type to its row and types.
macro_rules! call {
    ($(#[$doc:meta])* $name:ident, $path:ty, $query:ty, $body:ty => $answer:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl $crate::ops::Call for $name {
            const ID: $crate::endpoint::EndpointId = $crate::endpoint::EndpointId::$name;
            type Path = $path;
            type Query = $query;
            type Body = $body;
            type Answer = $answer;
        }
    };
}
pub(crate) use call;
