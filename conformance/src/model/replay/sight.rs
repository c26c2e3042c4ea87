//! How things are, as a caller sees it and as the model has it.

use serde_json::Value;

use super::super::issuer::Issuer;
use super::super::plan::Plan;
use super::super::request::Gate;
use super::super::table::{Life, Report, Stage};
use super::bench::{Bench, Differs};

impl Bench<'_> {
    /// How things are, as far as both can say: out of the list of credentials, where every live
    /// one has to stand, the rotations with their gates, and the installations.
    ///
    /// # Errors
    /// Where something that is there cannot be read.
    pub async fn observe(&self) -> Result<Sight, Differs> {
        let mut sight = Sight::default();
        let page = self.get("?limit=200").await?;
        let listed = page.body["items"].as_array().cloned().unwrap_or_default();
        sight.listed = listed.len();
        for known in &self.line {
            let shown = listed.iter().find(|one| one["id"] == known.id.as_str());
            let shown = shown.ok_or_else(|| format!("{} is in no list", known.id))?;
            let life = shown["state"].as_str().and_then(Life::named);
            let successor = shown["successor"].as_str();
            let successor = self
                .line
                .iter()
                .position(|one| Some(one.id.as_str()) == successor);
            sight.line.push((life, successor));
            let mut stands = (None, None);
            if !known.rotation.is_empty() {
                let path = format!("/rotations/{}", known.rotation);
                let stage = self.get(&path).await?.body["state"]
                    .as_str()
                    .and_then(Stage::named);
                let is_open = stage.is_some_and(Stage::is_open);
                let unmet = match is_open {
                    true => Some(self.unmet(&path).await?),
                    false => None,
                };
                stands = (stage, unmet);
            }
            sight.rotations.push(stands);
        }
        for (number, known) in (0u8..).zip(&self.line) {
            let page = self.get(&format!("/{}/installations", known.id)).await?;
            for item in page.body["items"].as_array().into_iter().flatten() {
                let place = self.places.iter().position(|id| item["id"] == id.as_str());
                sight.places.push((
                    place,
                    number,
                    item["state"].as_str().and_then(Report::named),
                    item["required"].as_bool(),
                ));
            }
        }
        sight.places.sort_by_key(|place| place.0);
        Ok(sight)
    }

    async fn unmet(&self, rotation: &str) -> Result<Vec<Gate>, Differs> {
        let report = self.get(&format!("{rotation}/gates")).await?;
        let gates = report.body["gates"].as_array().into_iter().flatten();
        let unmet: Vec<Gate> = gates
            .filter(|gate| gate["state"] != "met")
            .filter_map(|gate| Gate::named(gate["id"].as_str()?))
            .collect();
        let safe = report
            .body
            .pointer("/safe_to_revoke/safe")
            .and_then(Value::as_bool);
        match safe == Some(unmet.is_empty()) {
            true => Ok(unmet),
            false => Err(format!(
                "it is {safe:?} that it is safe, and not met are {unmet:?}"
            )),
        }
    }
}

/// How a rotation stands, and which of its gates are not met while it is open.
type Stands = (Option<Stage>, Option<Vec<Gate>>);
/// A place, the credential that it is below, what was reported, and whether it is required.
type Placed = (Option<usize>, u8, Option<Report>, Option<bool>);

/// How things are, as a caller sees it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sight {
    listed: usize,
    line: Vec<(Option<Life>, Option<usize>)>,
    rotations: Vec<Stands>,
    places: Vec<Placed>,
}

impl Sight {
    /// How things are with the issuer of the model.
    #[must_use]
    pub fn of(plan: &Plan, issuer: &Issuer) -> Self {
        let mut sight = Self::default();
        for number in issuer.numbers() {
            let slot = issuer.slot(number);
            sight.listed += 1;
            sight
                .line
                .push((Some(slot.life), slot.successor.map(usize::from)));
            let stage = slot.rotation.map(|rotation| rotation.stage);
            let unmet = issuer.open(number).map(|_| issuer.unmet(plan, number));
            sight.rotations.push((stage, unmet));
        }
        for (place, record) in issuer.places.iter().enumerate() {
            if let Some(record) = record {
                let required = Some(record.required);
                sight
                    .places
                    .push((Some(place), record.below, Some(record.state), required));
            }
        }
        sight
    }
}
