//! The order in which scenarios run.

use gherkin::Feature;

use crate::draw::Draw;

/// Puts the scenarios into an order that the seed decides; 0 leaves them as they are. What
/// holds in one order only does not hold.
pub(crate) fn shuffled(mut features: Vec<Feature>, seed: u64) -> Vec<Feature> {
    if seed == 0 {
        return features;
    }
    let mut draw = Draw::new(seed);
    features.sort_by_cached_key(|_| draw.number());
    for feature in &mut features {
        feature.scenarios.sort_by_cached_key(|_| draw.number());
    }
    features
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_order_and_another_seed_another() {
        let text: String = (0..20)
            .map(|at| format!("  Scenario: {at}\n    When a\n"))
            .collect();
        let feature = Feature::parse(
            format!("Feature: F\n{text}"),
            gherkin::GherkinEnv::default(),
        )
        .unwrap();
        let order = |seed: u64| -> Vec<String> {
            shuffled(vec![feature.clone()], seed)
                .into_iter()
                .flat_map(|feature| feature.scenarios)
                .map(|scenario| scenario.name)
                .collect()
        };
        let written: Vec<String> = (0..20).map(|at| at.to_string()).collect();
        assert_eq!(order(0), written);
        assert_eq!(order(7), order(7));
        assert_ne!(order(7), order(0));
        assert_ne!(order(7), order(8));
    }
}
