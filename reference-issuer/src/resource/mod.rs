//! The small API of a persona, which its keys open: the resource server of the protocol
//! (specification chapter 14; RFC 6750).

pub(crate) mod access;
