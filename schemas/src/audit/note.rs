//! Signed notes (C2SP signed-note), Ed25519.
