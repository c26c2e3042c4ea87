//! Events: what happened, signed and sent to those whose credentials could read it
//! (specification chapter 21; Standard Webhooks).

pub(crate) mod courier;
pub(crate) mod signing;
pub(crate) mod target;

pub(crate) use courier::Courier;
pub(crate) use signing::Event;
