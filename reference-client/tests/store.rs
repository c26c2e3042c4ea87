//! The file store: private, tamper-evident, and safe for several writers.

use clp_client::error::LocalFault;
use clp_client::store::{Entry, Store};
use clp_schemas::ids::CredentialId;
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::store::SecretText;
use clp_schemas::time::Timestamp;

const ISSUER: &str = "https://api.example.com";
const OTHER: &str = "https://other.example";
const SECRET: &str = "acme_0123456789abcdef_not-a-real-key";

fn id(number: u8) -> CredentialId {
    CredentialId::from_entropy([number; 16])
}

fn entry(number: u8) -> Entry {
    Entry {
        credential_id: id(number),
        issuer: ISSUER.to_owned(),
        kind: CredentialType::ApiKey,
        key_id: "0123456789abcdef".to_owned(),
        project: "atlas".to_owned(),
        environment: "staging".to_owned(),
        purpose: "nightly import".to_owned(),
        expires_at: None,
        stored_at: Timestamp::from_unix(0),
        jkt: None,
        own_key: false,
        secret: SecretText::new(SECRET.to_owned()),
    }
}

fn store(directory: &tempfile::TempDir) -> Store {
    let at = |name: &str| directory.path().join("deep").join(name);
    Store::new(at("store"), at("store.key"))
}

#[test]
fn what_was_put_in_comes_out_and_nothing_else_can_read_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    assert!(store.entries().unwrap().is_empty());
    store.prepare().unwrap();
    store.put(entry(1)).unwrap();
    store.put(entry(2)).unwrap();
    assert_eq!(store.entry(ISSUER, &id(1)).unwrap(), entry(1));
    assert!(store.holds(ISSUER, &id(2)).unwrap());
    store.remove(ISSUER, &id(1)).unwrap();
    assert!(matches!(
        store.entry(ISSUER, &id(1)),
        Err(LocalFault::NotStored)
    ));
    assert!(matches!(
        store.remove(ISSUER, &id(1)),
        Err(LocalFault::NotStored)
    ));
    let bytes = std::fs::read(store.path()).unwrap();
    for text in [SECRET, "atlas", "nightly"] {
        assert!(
            !bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        );
    }
    assert!(!format!("{:?}", store.entries().unwrap()).contains(SECRET));
}

#[cfg(unix)]
#[test]
fn files_that_others_can_read_are_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    store.put(entry(1)).unwrap();
    let files: Vec<_> = std::fs::read_dir(store.path().parent().unwrap())
        .unwrap()
        .map(|found| found.unwrap().path())
        .collect();
    assert_eq!(files.len(), 3, "{files:?}");
    let parent = std::fs::metadata(store.path().parent().unwrap()).unwrap();
    assert_eq!(parent.permissions().mode() & 0o777, 0o700);
    for path in &files {
        let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{path:?}");
    }
    for path in files.iter().filter(|path| !path.ends_with("store.lock")) {
        let set =
            |mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        set(0o644);
        assert!(matches!(
            store.entries(),
            Err(LocalFault::Permissions { .. })
        ));
        assert!(matches!(
            store.put(entry(2)),
            Err(LocalFault::Permissions { .. })
        ));
        set(0o600);
    }
    assert_eq!(store.entries().unwrap().len(), 1);
}

#[test]
fn a_single_changed_byte_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    store.put(entry(1)).unwrap();
    let sound = std::fs::read(store.path()).unwrap();
    for at in [0, 11, 12, 23, 24, sound.len() / 2, sound.len() - 1] {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        std::fs::write(store.path(), &bytes).unwrap();
        assert!(
            matches!(store.entries(), Err(LocalFault::Content { .. })),
            "{at}"
        );
        assert!(store.put(entry(2)).is_err(), "{at}");
    }
    for length in [0, 12, 30, sound.len() - 1] {
        std::fs::write(store.path(), &sound[..length]).unwrap();
        assert!(
            matches!(store.entries(), Err(LocalFault::Content { .. })),
            "{length}"
        );
    }
    std::fs::write(store.path(), &sound).unwrap();
    assert_eq!(store.entries().unwrap(), [entry(1)]);
}

#[test]
fn a_lost_key_is_not_replaced_and_another_one_opens_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    store.put(entry(1)).unwrap();
    let key = directory.path().join("deep").join("store.key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    assert!(matches!(store.put(entry(2)), Err(LocalFault::File { .. })));
    assert!(!key.exists());
    let other = tempfile::tempdir().unwrap();
    let foreign = Store::new(other.path().join("store"), key.clone());
    foreign.prepare().unwrap();
    assert!(matches!(store.entries(), Err(LocalFault::Content { .. })));
    std::fs::write(&key, kept).unwrap();
    assert_eq!(store.entries().unwrap(), [entry(1)]);
}

#[test]
fn writers_at_the_same_time_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..8 {
                    store.put(entry(thread * 8 + number)).unwrap();
                }
            });
        }
    });
    assert_eq!(store.entries().unwrap().len(), 32);
}

#[test]
fn a_key_pair_stays_while_an_entry_needs_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    let pair = clp_client::pair::Pair::generate().unwrap();
    let jkt = pair.thumbprint.as_str();
    assert!(matches!(
        store.pair(ISSUER, jkt),
        Err(LocalFault::NoKeyPair)
    ));
    store.put_pair(ISSUER, &pair).unwrap();
    for number in [1, 2] {
        let bound = Entry {
            jkt: Some(jkt.to_owned()),
            ..entry(number)
        };
        store.put(bound).unwrap();
    }
    store.remove(ISSUER, &id(1)).unwrap();
    assert_eq!(store.pair(ISSUER, jkt).unwrap(), pair.private);
    store.remove(ISSUER, &id(2)).unwrap();
    assert!(matches!(
        store.pair(ISSUER, jkt),
        Err(LocalFault::NoKeyPair)
    ));
    // An entry without one takes nobody else's along.
    store.put_pair(ISSUER, &pair).unwrap();
    store.put(entry(3)).unwrap();
    store.remove(ISSUER, &id(3)).unwrap();
    store.remove_pair(ISSUER, jkt).unwrap();
    assert!(matches!(
        store.pair(ISSUER, jkt),
        Err(LocalFault::NoKeyPair)
    ));
}

#[test]
fn one_issuer_reaches_nothing_of_another() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    let pair = clp_client::pair::Pair::generate().unwrap();
    let theirs = Entry {
        issuer: OTHER.to_owned(),
        secret: SecretText::new("another-secret".to_owned()),
        ..entry(1)
    };
    store.put(entry(1)).unwrap();
    store.put_pair(ISSUER, &pair).unwrap();
    assert!(!store.holds(OTHER, &id(1)).unwrap());
    assert!(matches!(
        store.pair(OTHER, &pair.thumbprint),
        Err(LocalFault::NoKeyPair)
    ));
    store.put(theirs.clone()).unwrap();
    assert_eq!(store.entry(ISSUER, &id(1)).unwrap(), entry(1));
    assert_eq!(store.entry(OTHER, &id(1)).unwrap(), theirs);
    assert_eq!(store.entries_of(&id(1)).unwrap().len(), 2);
    store.remove_pair(OTHER, &pair.thumbprint).unwrap();
    store.remove(OTHER, &id(1)).unwrap();
    assert_eq!(store.entries().unwrap(), [entry(1)]);
    assert!(store.pair(ISSUER, &pair.thumbprint).is_ok());
}
