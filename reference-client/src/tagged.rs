//! Objects that are changed as they were seen (spec chapter 02, "Preconditions").

use crate::error::ProtocolFault;
use crate::transport::Condition;

/// An object, and the entity tag of the answer that it came with. A change is decided on by
/// such an answer, and sent with its tag (CLP-TRN-038).
#[derive(Clone, Debug)]
pub struct Tagged<T> {
    /// The object.
    pub value: T,
    pub(crate) tag: Option<String>,
}

impl<T> Tagged<T> {
    /// What a change of this object has to be sent with.
    ///
    /// # Errors
    /// [`ProtocolFault::NoTag`] if the answer had no strong entity tag (CLP-TRN-035).
    pub fn condition(&self) -> Result<Condition<'_>, ProtocolFault> {
        match &self.tag {
            Some(tag) if tag.starts_with('"') => Ok(Condition::Match(tag)),
            _ => Err(ProtocolFault::NoTag),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_strong_tag_will_do() {
        let seen = |tag: Option<&str>| Tagged {
            value: (),
            tag: tag.map(str::to_owned),
        };
        let strong = seen(Some("\"a\""));
        assert_eq!(strong.condition(), Ok(Condition::Match("\"a\"")));
        for tag in [None, Some("W/\"a\""), Some("*"), Some("a")] {
            assert_eq!(seen(tag).condition(), Err(ProtocolFault::NoTag), "{tag:?}");
        }
    }
}
