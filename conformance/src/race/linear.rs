//! Whether a history of overlapping calls can have come about one call after the other: the search
//! of Wing and Gong, with the memory of Lowe (Testing for linearizability, 2017).
//!
//! What changes nothing and fits where the search stands is taken at once and never taken back,
//! where the machine says that it would change nothing later either: to take it later could not let
//! more fit. So fifty calls of which one wins cost fifty steps, and
//! not the subsets of fifty.

use std::collections::HashSet;
use std::hash::Hash;

/// Most events of a history.
pub const MOST: usize = 128;

/// A call, from its sending to its answer, by one clock.
#[derive(Clone, Debug)]
pub struct Event<C, A> {
    /// What was called.
    pub call: C,
    /// What was answered.
    pub answer: A,
    /// When it was sent, in nanoseconds.
    pub sent: u64,
    /// When it was answered.
    pub answered: u64,
}

/// A machine that does one thing after the other.
pub trait Model {
    /// A call.
    type Call;
    /// An answer.
    type Answer;
    /// What it remembers.
    type State: Clone + Eq + Hash;

    /// Where a call with this answer leads; `None` where it cannot be answered so.
    fn step(state: &Self::State, call: &Self::Call, answer: &Self::Answer) -> Option<Self::State>;

    /// Whether a call with this answer, once it changes nothing, changes nothing in any state that
    /// comes after.
    fn stays_idle(call: &Self::Call, answer: &Self::Answer) -> bool;
}

/// An order in which the calls can have been carried out, as numbers of events; `None` where there
/// is none.
#[must_use]
pub fn order<M: Model>(
    start: &M::State,
    events: &[Event<M::Call, M::Answer>],
) -> Option<Vec<usize>> {
    let mut search = Search::<M> {
        events,
        order: Vec::new(),
        dead: HashSet::new(),
    };
    // What is too long was not looked at, and so is not shown to be in order.
    (events.len() <= MOST && search.from(0, start)).then_some(search.order)
}

struct Search<'a, M: Model> {
    events: &'a [Event<M::Call, M::Answer>],
    order: Vec<usize>,
    /// Where the search has been in vain: what was done, and what was remembered.
    dead: HashSet<(u128, M::State)>,
}

impl<M: Model> Search<'_, M> {
    /// Those that can come next: sent before any other that is left was answered.
    fn next(&self, done: u128) -> Vec<usize> {
        let left = || (0..self.events.len()).filter(|at| done & (1 << at) == 0);
        let time = |at: usize| {
            self.events
                .get(at)
                .map_or((0, 0), |one| (one.sent, one.answered))
        };
        let first = left().map(|at| time(at).1).min().unwrap_or_default();
        left().filter(|at| time(*at).0 <= first).collect()
    }

    fn from(&mut self, mut done: u128, state: &M::State) -> bool {
        let begun = self.order.len();
        let leads = |at: &usize| {
            let event = self.events.get(*at)?;
            M::step(state, &event.call, &event.answer)
        };
        let changing = loop {
            let next = self.next(done);
            let stays = |at: &usize| {
                let event = self.events.get(*at);
                event.is_some_and(|event| M::stays_idle(&event.call, &event.answer))
            };
            let idle = next
                .iter()
                .find(|at| stays(at) && leads(at).as_ref() == Some(state));
            match idle {
                Some(at) => {
                    done |= 1 << at;
                    self.order.push(*at);
                }
                None => break next,
            }
        };
        if self.order.len() == self.events.len() {
            return true;
        }
        if self.dead.insert((done, state.clone())) {
            for at in changing {
                let Some(after) = leads(&at) else {
                    continue;
                };
                self.order.push(at);
                if self.from(done | (1 << at), &after) {
                    return true;
                }
                self.order.pop();
            }
        }
        self.order.truncate(begun);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Draw;

    /// One number, that is written, read, and replaced by whoever names it.
    struct Register;

    #[derive(Clone, Debug)]
    enum Call {
        Write(u8),
        Read,
        Replace(u8, u8),
    }

    impl Model for Register {
        type Call = Call;
        type Answer = u8;
        type State = u8;

        fn step(state: &u8, call: &Call, answer: &u8) -> Option<u8> {
            match (call, answer) {
                (Call::Write(new), _) => Some(*new),
                (Call::Read, seen) => (seen == state).then_some(*state),
                (Call::Replace(old, new), 1) => (old == state).then_some(*new),
                (Call::Replace(old, _), _) => (old != state).then_some(*state),
            }
        }

        fn stays_idle(call: &Call, _: &u8) -> bool {
            !matches!(call, Call::Write(_))
        }
    }

    fn event(call: Call, answer: u8, sent: u64, answered: u64) -> Event<Call, u8> {
        Event {
            call,
            answer,
            sent,
            answered,
        }
    }

    fn holds(events: &[Event<Call, u8>]) -> bool {
        order::<Register>(&0, events).is_some()
    }

    #[test]
    fn planted_histories_are_told_apart() {
        // Read after a write was answered, and while it is under way.
        assert!(!holds(&[
            event(Call::Write(1), 0, 0, 1),
            event(Call::Read, 0, 2, 3)
        ]));
        assert!(holds(&[
            event(Call::Write(1), 0, 0, 3),
            event(Call::Read, 0, 1, 2)
        ]));
        // The new one, and then the old one again.
        let write = || event(Call::Write(1), 0, 0, 9);
        let read = |seen, at| event(Call::Read, seen, at, at + 1);
        assert!(!holds(&[write(), read(1, 1), read(0, 3)]));
        assert!(holds(&[write(), read(0, 1), read(1, 3)]));
        // Fifty replace what they saw: one wins, and two cannot.
        let mut fifty: Vec<_> = (0..50)
            .map(|number| event(Call::Replace(0, number + 1), 0, 0, 9))
            .collect();
        fifty[7].answer = 1;
        assert!(holds(&fifty));
        fifty[8].answer = 1;
        assert!(!holds(&fifty));
        fifty[7].answer = 0;
        fifty[8].answer = 0;
        assert!(!holds(&fifty), "somebody has to win");
    }

    #[test]
    fn whatever_came_about_one_after_the_other_is_found_to_have() {
        for seed in 0..200 {
            let mut draw = Draw::new(seed);
            let mut state = 0;
            let mut events = Vec::new();
            for at in 0..40_u64 {
                let number = u8::try_from(draw.below(4)).unwrap();
                let call = match draw.below(3) {
                    0 => Call::Write(number),
                    1 => Call::Read,
                    _ => Call::Replace(number, number + 1),
                };
                let answer = match call {
                    Call::Read => state,
                    Call::Replace(old, _) => u8::from(old == state),
                    Call::Write(_) => 0,
                };
                state = Register::step(&state, &call, &answer).unwrap();
                // It was carried out at this time, and was under way for longer.
                let wide = |draw: &mut Draw| u64::try_from(draw.below(40)).unwrap();
                let at = 1000 + at * 10;
                events.push(event(
                    call,
                    answer,
                    at - wide(&mut draw),
                    at + wide(&mut draw),
                ));
            }
            draw.shuffle(&mut events);
            assert!(holds(&events), "seed {seed}");
        }
    }
}
