//! Where in a TOML file a fault is: file, line and member.

use std::path::Path;

use toml::de::{DeTable, DeValue, Error};

/// The fault as `clp.toml:12: cast.owner.id: ...`. No value of the file is in it.
pub(super) fn words(path: &Path, text: &str, fault: &Error) -> String {
    let at = fault.span().map_or(0, |span| span.start);
    let line = 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    let member = DeTable::parse(text)
        .ok()
        .and_then(|table| member_at(table.get_ref(), at))
        .map(|name| format!("{name}: "))
        .unwrap_or_default();
    format!("{}:{line}: {member}{}", path.display(), fault.message())
}

/// The deepest member that is written at this place.
fn member_at(table: &DeTable<'_>, at: usize) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let name = key.get_ref();
        let inner = match value.get_ref() {
            DeValue::Table(inner) => member_at(inner, at),
            DeValue::Array(items) => items.iter().find_map(|item| match item.get_ref() {
                DeValue::Table(inner) => member_at(inner, at),
                _ => None,
            }),
            _ => None,
        };
        match inner {
            Some(inner) => Some(format!("{name}.{inner}")),
            None => {
                (key.span().contains(&at) || value.span().contains(&at)).then(|| name.to_string())
            }
        }
    })
}
