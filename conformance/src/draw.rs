//! Draws that a seed decides, the same on every machine.

/// A source of draws: SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Draw(u64);

impl Draw {
    /// The draws of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The draws of one part of what a seed decides, apart from those of the other parts.
    #[must_use]
    pub fn part(seed: u64, number: u64) -> Self {
        let mut first = Self(seed);
        Self(first.number() ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 where that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        match u64::try_from(end) {
            Ok(end @ 1..) => usize::try_from(self.number() % end).unwrap_or_default(),
            _ => 0,
        }
    }

    /// One of these; `None` where there are none.
    pub fn one<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        among.get(self.below(among.len()))
    }

    /// Puts them into another order.
    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            let other = self.below(last + 1);
            all.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_part_give_one_row_of_draws() {
        let row = |mut draw: Draw| -> Vec<u64> { (0..4).map(|_| draw.number()).collect() };
        assert_eq!(row(Draw::part(7, 1)), row(Draw::part(7, 1)));
        assert_ne!(row(Draw::part(7, 1)), row(Draw::part(7, 2)));
        assert_ne!(row(Draw::part(7, 1)), row(Draw::part(8, 1)));
    }

    #[test]
    fn every_one_is_drawn_and_none_is_lost_in_shuffling() {
        let mut draw = Draw::new(3);
        let mut all: Vec<usize> = (0..20).collect();
        draw.shuffle(&mut all);
        assert_ne!(all, (0..20).collect::<Vec<_>>());
        all.sort_unstable();
        assert_eq!(all, (0..20).collect::<Vec<_>>());
        let mut seen = [false; 5];
        (0..200).for_each(|_| seen[draw.below(5)] = true);
        assert_eq!(seen, [true; 5]);
        assert_eq!(draw.below(0), 0);
    }
}
