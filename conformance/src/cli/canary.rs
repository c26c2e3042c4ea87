//! The command `canary-proof`.

use super::{COULD_NOT_RUN, FAILED, Outcome, say, with};
use crate::proof;

/// Plants a secret everywhere, and says where it was found.
pub(super) fn run(as_json: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(with(COULD_NOT_RUN))?;
    let rows = runtime
        .block_on(proof::prove())
        .map_err(with(COULD_NOT_RUN))?;
    if as_json {
        let text = serde_json::to_string_pretty(&rows).map_err(with(COULD_NOT_RUN))?;
        say(&(text + "\n"));
    } else {
        say(&proof::render(&rows));
    }
    Ok(if proof::faults(&rows) == 0 { 0 } else { FAILED })
}
