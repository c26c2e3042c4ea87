//! The command `null-floor`.

use super::{COULD_NOT_RUN, FAILED, Outcome, runtime, say, with};
use crate::client::command::null_clients;
use crate::record::Verdict;
use crate::subject::null::null_floor;

/// How many scenarios run side by side: some only wait.
const CONCURRENCY: usize = 32;

/// Tries every issuer and every client that does nothing, and says which scenarios did not fail
/// there.
pub(super) fn run(as_json: bool) -> Outcome {
    let mut floors = runtime()?
        .block_on(null_floor(CONCURRENCY))
        .map_err(with(COULD_NOT_RUN))?;
    floors.extend(null_clients()?);
    let blind: usize = floors.iter().map(|floor| floor.blind.len()).sum();
    if as_json {
        let text = serde_json::to_string_pretty(&floors).map_err(with(COULD_NOT_RUN))?;
        say(&(text + "\n"));
    } else {
        for floor in &floors {
            say(&format!(
                "{:<32} {} of {} scenarios fail\n",
                floor.name,
                floor.scenarios - floor.blind.len(),
                floor.scenarios
            ));
            for blind in &floor.blind {
                let verdict = blind.verdict.map_or("not run", Verdict::name);
                say(&format!("  does not fail: {} ({verdict})\n", blind.name));
            }
        }
        say(&format!("floor: {blind}\n"));
    }
    Ok(if blind == 0 { 0 } else { FAILED })
}
