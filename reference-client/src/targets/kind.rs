//! The kind of a place, as a person types it.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};
use clp_schemas::state::Named as _;
use clp_schemas::target::{RegisteredKind, TargetKind};

/// Reads a kind; offers the registered ones to help and completion, and takes others by the
/// form of their name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KindParser;

impl TypedValueParser for KindParser {
    type Value = TargetKind;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<TargetKind, Error> {
        let text = value.to_string_lossy();
        text.parse().map_err(|_| {
            let mut fault = Error::new(ErrorKind::InvalidValue).with_cmd(command);
            if let Some(argument) = argument {
                let name = ContextValue::String(argument.to_string());
                fault.insert(ContextKind::InvalidArg, name);
            }
            let given = ContextValue::String(text.into_owned());
            fault.insert(ContextKind::InvalidValue, given);
            let names = RegisteredKind::ALL.iter().map(|kind| kind.name());
            let names = names.chain(["x-ANOTHER"]).map(str::to_owned).collect();
            fault.insert(ContextKind::ValidValue, ContextValue::Strings(names));
            fault
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let offered = RegisteredKind::ALL
            .iter()
            .map(|kind| PossibleValue::new(kind.name()).help(kind.meaning()));
        Some(Box::new(offered))
    }
}
