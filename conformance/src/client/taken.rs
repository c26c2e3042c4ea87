//! What came of a task, for the report and for the ledger of the run.

use serde_json::Value;

use super::leak;
use super::task::{Ending, Seen};
use super::world::ClientWorld;
use crate::record::{Exchange, GotResponse, SentRequest};
use crate::world::Fault;

/// Longest text of a task's output that is recorded, in characters.
const MAX_RECORDED: usize = 8 * 1024;

impl ClientWorld {
    /// Takes the task and what it sent down for the report, and enters what it gave away.
    ///
    /// # Errors
    /// Where the scenario was not begun.
    pub(super) fn take_down(
        &mut self,
        task: &str,
        document: &Value,
        seen: &Seen,
    ) -> Result<(), Fault> {
        let hide = |bytes: &[u8]| {
            let text: String = String::from_utf8_lossy(bytes)
                .chars()
                .take(MAX_RECORDED)
                .collect();
            self.watch.canary.redact(&text)
        };
        let fields = |all: &[(String, String)]| {
            all.iter()
                .map(|(name, value)| (name.clone(), self.watch.canary.redact(value)))
                .collect()
        };
        let outcome = match &seen.ending {
            Ending::Done(_) => "done".to_owned(),
            Ending::Refused => "refused".to_owned(),
            Ending::Unsupported => "not supported".to_owned(),
            Ending::Stopped => "stopped by the suite".to_owned(),
            Ending::Late => "not done in time".to_owned(),
            Ending::Failed(why) => why.clone(),
        };
        let mut taken = vec![Exchange {
            request: SentRequest {
                method: "TASK".to_owned(),
                url: task.to_owned(),
                headers: Vec::new(),
                body: Some(self.watch.canary.redact(&document.to_string())),
            },
            response: None,
            fault: Some(format!(
                "{outcome}\n{}{}",
                hide(&seen.stdout),
                hide(&seen.stderr)
            )),
            millis: 0,
        }];
        for one in self.since()? {
            taken.push(Exchange {
                request: SentRequest {
                    method: one.method.clone(),
                    url: self.watch.canary.redact(&one.target),
                    headers: fields(&one.headers),
                    body: Some(hide(&one.body)).filter(|body| !body.is_empty()),
                },
                fault: one.sent.is_none().then(|| "no answer was sent".to_owned()),
                response: one.sent.map(|answer| GotResponse {
                    status: answer.status,
                    headers: fields(&answer.headers),
                    body: Some(hide(&answer.body)),
                }),
                millis: 0,
            });
        }
        let place = self.exchanges.len();
        self.exchanges.extend(taken);
        let sent = self.since()?;
        let home = self.home()?.to_path_buf();
        let leaks = leak::look(&mut self.watch, task, seen, &sent, &home);
        for (requirement, failure) in leaks {
            if let Some(ledger) = &self.ledger {
                let at = format!("after the task `{task}`");
                ledger.enter(&self.scenario, requirement, at, &failure, place);
            }
        }
        Ok(())
    }
}
