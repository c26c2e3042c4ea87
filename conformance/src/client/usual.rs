//! What a task asks for where the scenario does not say otherwise.

use serde_json::{Value, json};

use crate::world::Fault;
use crate::world::names::Names;

/// The members of a task document that stand beside its input.
pub const BESIDE: [&str; 3] = ["issuer", "local", "test"];

/// The usual input of a task.
///
/// # Errors
/// Where it needs something that no task gave before, or no task is called that.
pub fn input(task: &str, names: &Names) -> Result<Value, Fault> {
    let about = |environment: &str| -> Result<Value, Fault> {
        Ok(json!({
            "permissions": names.resolve("probe.read_permissions")?,
            "purpose": "conformance",
            "owner": "conformance",
            "project": names.resolve("probe.project")?,
            "environment": names.resolve(environment)?,
            "lifetime_seconds": 3600,
        }))
    };
    let of = |more: Value| -> Result<Value, Fault> {
        let mut input = json!({"credential_id": names.resolve("credential.credential_id")?});
        if let (Some(members), Value::Object(more)) = (input.as_object_mut(), more) {
            members.extend(more);
        }
        Ok(input)
    };
    match task {
        "discover" | "checkpoint" | "passkey" => Ok(json!({})),
        "permissions" => Ok(json!({})),
        "create" => about("probe.environment"),
        "request" => {
            let mut input = about("probe.approval_environment")?;
            if let Some(members) = input.as_object_mut() {
                members.insert("justification".to_owned(), json!("conformance"));
                members.insert("wait_seconds".to_owned(), json!(0));
            }
            Ok(input)
        }
        "show" => Ok(json!({"request_id": names.resolve("request.request_id")?})),
        "approve" => Ok(json!({"request_id": names.resolve("request.request_id")?})),
        "call" => of(json!({"method": "GET", "url": names.resolve("probe_url")?})),
        "amend" => of(json!({"labels": {"team": "conformance"}})),
        "inject" => of(json!({"file": names.resolve("file")?, "variable": "EXAMPLE_KEY"})),
        "run" => of(json!({"variable": "EXAMPLE_KEY", "command": names.resolve("command")?})),
        "inventory" => of(json!({})),
        // What a scenario needs no place for has none, and that is said.
        "rotate" | "narrow" => of(
            json!({"health_url": names.resolve("probe_url")?, "no_places": true, "accept_gap": false}),
        ),
        "due" => Ok(json!({"within_seconds": 7200})),
        "handoff" => Ok(json!({"project": names.resolve("probe.project")?})),
        "compare" => of(json!({"permissions": names.resolve("probe.read_permissions")?})),
        "verify_approval" => Ok(json!({"file": names.resolve("file")?})),
        "verify_statement" => Ok(json!({
            "file": names.resolve("file")?,
            "keys": names.resolve("keys")?,
            "at": names.resolve("at")?,
        })),
        "verify" => Ok(json!({
            "file": names.resolve("file")?,
            "public_key": names.resolve("public_key")?,
        })),
        other => Err(Fault::suite(format!("no task is called `{other}`"))),
    }
}

/// What the result of a task is called afterwards.
#[must_use]
pub fn called(task: &str) -> &str {
    match task {
        "create" => "credential",
        "rotate" | "narrow" => "rotation",
        "permissions" => "document",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_nobody_knows_is_the_suites_fault() {
        let names = Names::default();
        assert!(matches!(input("fly", &names), Err(Fault::Suite(_))));
        assert!(input("discover", &names).is_ok());
    }
}
