//! No argument and no variable of the command turns a check off: what breaks a client is chosen
//! in code alone.

use std::process::Command;

#[test]
fn the_command_cannot_be_told_to_break_anything() {
    let name = clp_client::sabotage::all()
        .next()
        .map_or("CLP-DIS-008", |one| one.name);
    for words in [
        vec!["--violate", name, "discover"],
        vec!["discover", "--violate", name],
        vec!["--sabotage", name, "discover"],
        vec!["discover", "--token-on-command-line", "x"],
    ] {
        let ended = Command::new(env!("CARGO_BIN_EXE_clp"))
            .args(&words)
            .env_clear()
            .output()
            .expect("clp runs");
        assert_eq!(ended.status.code(), Some(2), "{words:?}");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(said.contains("unexpected argument"), "{words:?}: {said}");
    }
}

#[test]
fn nothing_of_the_command_reads_a_saboteur_from_outside() {
    let main = include_str!("../src/main.rs");
    assert!(main.contains("cli::run("), "{main}");
    assert!(!main.contains("sabotage") && !main.contains("run_broken"));
    let table = include_str!("../src/sabotage.rs");
    assert!(
        !table.contains("std::env"),
        "the table reads the environment"
    );
    let cli = include_str!("../src/cli.rs");
    // One way to be broken, and it is called by nobody in here but with nothing.
    let calls = cli.matches("run_broken(").count();
    assert_eq!(calls, 2, "the definition, and the sound call");
    assert!(!cli.contains("by_name"));
}
