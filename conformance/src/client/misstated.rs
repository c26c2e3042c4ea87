//! What the played issuer can misstate of where a credential is used, and of what it is for.

use serde_json::{Value, json};

use super::misbehaviour::{Misbehaviour, edit, put};

/// Every one.
pub(super) const ALL: &[Misbehaviour] = &[
    edit(
        "no-inventory",
        "keeps no inventory",
        "manifest_read",
        |value, _| {
            let profiles = value.get_mut("profiles_supported");
            if let Some(profiles) = profiles.and_then(Value::as_array_mut) {
                profiles.retain(|profile| profile != "inventory");
            }
        },
    ),
    edit(
        "two-places",
        "says of each consumer that it fits two places",
        "usage_read",
        |value, _| {
            let consumers = value.get_mut("consumers").and_then(Value::as_array_mut);
            for consumer in consumers.into_iter().flatten() {
                let places = ["ins_00000000000000000000", "ins_00000000000000000001"];
                put(consumer, "installations", json!(places));
            }
        },
    ),
    edit(
        "secret-in-purpose",
        "tells the secret in place of a purpose",
        "credential_read",
        |value, scene| put(value, "purpose", scene.secret()),
    ),
    edit(
        "secret-in-purpose",
        "lists the secret in place of a purpose",
        "credential_list",
        |value, scene| {
            let items = value.get_mut("items").and_then(Value::as_array_mut);
            for item in items.into_iter().flatten() {
                put(item, "purpose", scene.secret());
            }
        },
    ),
];
