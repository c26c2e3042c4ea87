//! What everybody on a machine can see of a program that runs on it.

use super::Channel;

/// The arguments and the environment of a running program, where the system shows them: on
/// Linux, to whoever may look. `None` elsewhere.
///
/// Only a program that has begun to run shows its own: one that was started this moment can
/// still show nothing, so wait for a sign of it first.
#[must_use]
pub fn of_process(id: u32) -> Option<[(Channel, Vec<u8>); 2]> {
    let read = |name: &str| std::fs::read(format!("/proc/{id}/{name}")).ok();
    Some([
        (Channel::Argument, read("cmdline")?),
        (Channel::Environment, read("environ")?),
    ])
}
