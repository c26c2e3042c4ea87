//! The signed statement that it is safe to revoke.

use serde_json::Value;

use super::verdicts::last;
use crate::oracle::statement;
use crate::world::names::at;
use crate::world::{Fault, World};

/// The statement in the last answer, which is about the rotation called `rotation`.
pub(super) fn signed(world: &World) -> Result<(), Fault> {
    let (_, answer) = last(world)?;
    let report = &answer.json.clone().unwrap_or_default();
    let manifest = world.manifest()?;
    let compact = report["statement"]
        .as_str()
        .ok_or_else(|| Fault::broken("CLP-ROT-050", "a signed `statement`", report.to_string()))?;
    let claims =
        statement::open(compact, at(manifest, "jwks").unwrap_or(&Value::Null)).map_err(|why| {
            Fault::broken(
                "CLP-ROT-051",
                "a statement signed with a key in `jwks` of the manifest",
                why.to_string(),
            )
        })?;
    let rotation = world.names.get("rotation").cloned().unwrap_or_default();
    let issuer = world
        .tenant()?
        .issuer
        .as_str()
        .trim_end_matches('/')
        .to_owned();
    statement::agrees(&claims, report, &rotation, &issuer, world.tenant()?.unix()).map_err(
        |why| {
            Fault::broken(
                "CLP-ROT-050",
                "claims that say what the answer says",
                why.to_string(),
            )
        },
    )?;
    statement::is_short(&claims).map_err(|why| {
        Fault::broken(
            "CLP-ROT-052",
            "a statement that lapses within 60 seconds",
            why.to_string(),
        )
    })
}
