//! A configuration that cannot be used is refused with the file and the member to mend, and
//! without the value, which could be a token.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};

use clp_issuer::config::{Config, ConfigFault};
use tempfile::TempDir;

const CONFIG: &str = "[[personas]]\nfile = \"mine.toml\"\n";

/// A directory with a persona that is a changed copy of a built-in one.
struct Files {
    directory: TempDir,
}

impl Files {
    fn new() -> Self {
        let files = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        let personas = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/personas");
        for name in ["exampleapi.toml", "exampleapi.permissions.json"] {
            fs::copy(personas.join(name), files.path(name)).unwrap();
        }
        fs::rename(files.path("exampleapi.toml"), files.path("mine.toml")).unwrap();
        fs::write(files.path("config.toml"), CONFIG).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn change(&self, name: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(old), "{name} does not hold {old}");
        fs::write(self.path(name), text.replacen(old, new, 1)).unwrap();
    }

    fn read(&self) -> Result<Config, ConfigFault> {
        Config::read(&self.path("config.toml"))
    }
}

/// Reads fine before the change, and with this fault after it.
#[track_caller]
fn refused(name: &str, old: &str, new: &str) -> ConfigFault {
    let files = Files::new();
    files.read().unwrap();
    files.change(name, old, new);
    files.read().unwrap_err()
}

#[track_caller]
fn refused_at(old: &str, new: &str, place: &str) {
    let fault = refused("mine.toml", old, new);
    assert!(fault.file.ends_with("mine.toml"), "{fault}");
    assert_eq!(fault.place, place, "{fault}");
    assert!(!fault.reason.is_empty());
}

#[test]
fn a_persona_of_ones_own_is_read_with_its_document() {
    let config = Files::new().read().unwrap();
    assert_eq!(config.personas.len(), 1);
    assert_eq!(config.personas[0].name, "exampleapi");
    assert!(config.control.is_some());
}

#[test]
fn the_member_at_fault_is_named() {
    refused_at("name = \"exampleapi\"", "name = \"Example API\"", "name");
    refused_at("\"exapi_test\"", "\"exapi-test\"", "token_prefix");
    refused_at(
        "credential_types = [\"api_key\", \"oauth_client\", \"service_account\", \"webhook_secret\"]",
        "credential_types = []",
        "credential_types",
    );
    refused_at(
        "max_lifetime_seconds = 31536000",
        "max_lifetime_seconds = 0",
        "max_lifetime_seconds",
    );
    refused_at(
        "environments = [\"production\"]",
        "environments = [\"moon\"]",
        "policy.environments[0]",
    );
    refused_at("action = \"write\"", "action = \"fly\"", "routes[1].action");
    refused_at(
        "resource_type = \"record\"",
        "resource_type = \"moon\"",
        "routes[0].resource_type",
    );
    refused_at(
        "selector = \"{project}/records\"",
        "selector = \"{moon}\"",
        "routes[0].selector",
    );
    refused_at(
        "effect = \"list\"",
        "effect = \"write\"",
        "routes[0].method",
    );
    refused_at("max_records = { query", "moon = { query", "routes[0].facts");
    refused_at(
        "path = \"/v1/projects/{project}/settings\"",
        "path = \"/credentials/x\"",
        "routes[5].path",
    );
    refused_at(
        "selector = \"atlas/*\"\nactions = [\"read\", \"approve\"",
        "selector = \"atlas/*\"\nactions = [\"fly\", \"approve\"",
        "tenants[0].principals[1].permissions/0/actions/0",
    );
    refused_at(
        "environment = \"staging\"",
        "environment = \"production\"",
        "sandbox.environment",
    );
    refused_at(
        "approval_environment = \"production\"",
        "approval_environment = \"staging\"",
        "sandbox.approval_environment",
    );
    refused_at(
        "path = \"/v1/projects/atlas/records/3\", body",
        "path = \"/v1/moon\", body",
        "sandbox.write",
    );
    refused_at(
        "actions = [\"read\"]\n\n[[sandbox.write",
        "actions = [\"write\"]\n\n[[sandbox.write",
        "sandbox.write",
    );
}

#[test]
fn a_profile_is_claimed_for_what_needs_it() {
    let claimed = "profiles = [\"lifecycle\", \"inventory\", \"oauth\", \"webhooks\"";
    for (left, place) in [
        (
            "profiles = [\"core\", \"lifecycle\", \"inventory\", \"oauth\", \"webhooks\"",
            "profiles[0]",
        ),
        (
            "profiles = [\"inventory\", \"oauth\", \"webhooks\"",
            "profiles",
        ),
        (
            "profiles = [\"lifecycle\", \"inventory\", \"webhooks\"",
            "credential_types[1]",
        ),
        (
            "profiles = [\"lifecycle\", \"inventory\", \"oauth\"",
            "credential_types[3]",
        ),
    ] {
        refused_at(claimed, left, place);
    }
    refused_at(
        "\"exapi_test\"",
        "\"exapi_test_of_a_longer_a\"",
        "token_prefix",
    );
}

#[test]
fn who_acts_for_somebody_comes_after_them() {
    refused_at(
        "name = \"ben\"\n",
        "name = \"ben\"\nacts_for = \"cleo\"\n",
        "tenants[0].principals[1].acts_for",
    );
    refused_at(
        "name = \"ben\"\n",
        "name = \"ben\"\nkind = \"robot\"\n",
        "tenants.principals.kind",
    );
}

#[test]
fn unknown_missing_and_mistyped_members_are_named() {
    let fault = refused("mine.toml", "token_prefix", "token_prefx");
    assert!(fault.reason.contains("token_prefx"), "{fault}");
    let fault = refused(
        "mine.toml",
        "max_lifetime_seconds = 31536000",
        "max_lifetime_seconds = \"hush\"",
    );
    assert_eq!(fault.place, "max_lifetime_seconds");
    assert!(!fault.to_string().contains("hush"), "{fault}");
    let fault = refused("mine.toml", "[policy]", "[policy");
    assert!(fault.place.starts_with("line "), "{fault}");
}

#[test]
fn a_token_is_never_shown() {
    let fault = refused(
        "mine.toml",
        "demo-exampleapi-ana-not-a-secret",
        "hush hush hush hush",
    );
    assert_eq!(fault.place, "tenants[0].principals[0].token");
    assert!(!fault.to_string().contains("hush"), "{fault}");
    let twice = refused(
        "mine.toml",
        "demo-exampleapi-ben-not-a-secret",
        "demo-exampleapi-ana-not-a-secret",
    );
    assert!(!twice.to_string().contains("demo-"), "{twice}");
    let shown = Files::new().read().unwrap();
    assert!(!shown.describe().to_string().contains("not-a-secret"));
    assert!(!format!("{shown:?}").contains("not-a-secret"));
}

#[test]
fn a_permission_document_is_read_strictly() {
    let document = "exampleapi.permissions.json";
    let fault = refused(
        document,
        "\"version\": \"2026-11-01\",",
        "\"version\": \"1\", \"version\": \"2\",",
    );
    assert_eq!(fault.file, document);
    assert!(fault.reason.contains("same name"), "{fault}");
    let fault = refused(
        document,
        "\"implies\": [\"read\"]",
        "\"implies\": [\"moon\"]",
    );
    assert_eq!(fault.place, "/resource_types/record/actions/write/implies");
}

#[test]
fn files_personas_and_ports_have_to_be_there_once() {
    let files = Files::new();
    let with = |text: &str| {
        fs::write(files.path("config.toml"), text).unwrap();
        files.read()
    };
    assert!(
        with("[[personas]]\nbuilt_in = \"analytics\"\nport = 9000\n[control]\nenabled = false\n")
            .is_ok()
    );
    let place = |text: &str| with(text).unwrap_err().place;
    assert_eq!(
        place("[[personas]]\nbuilt_in = \"moon\"\n"),
        "personas[0].built_in"
    );
    assert_eq!(place("[[personas]]\n"), "personas[0]");
    assert_eq!(place("personas = []\n"), "personas");
    let twice = "[[personas]]\nbuilt_in = \"analytics\"\nport = 9000\n[[personas]]\nbuilt_in = \"hosting\"\nport = 9000\n";
    assert!(with(twice).unwrap_err().reason.contains("port"));
    let missing = with("[[personas]]\nfile = \"moon.toml\"\n").unwrap_err();
    assert!(missing.file.ends_with("moon.toml") && missing.reason.contains("cannot be read"));
}

#[test]
fn ports_are_counted_up_or_left_open() {
    let ports = |base| {
        let config = Config::built_in().unwrap().with_ports(base).unwrap();
        let mut ports: Vec<u16> = config.personas.iter().map(|persona| persona.port).collect();
        ports.push(config.control.unwrap().port);
        ports
    };
    assert_eq!(ports(8801), [8801, 8802, 8803, 8810]);
    assert_eq!(ports(0), [0, 0, 0, 0]);
    assert!(Config::built_in().unwrap().with_ports(65530).is_err());
}

/// A provider of the first tenant, with these accounts and keys.
fn provider(methods: &str, accounts: &str, key: &str) -> String {
    format!(
        "[[tenants.identity_providers]]
issuer = \"https://idp.example\"
client_id = \"clp\"
methods = {methods}
acr_values = [\"urn:example:two-factors\"]
jwks = {{ keys = [{key}] }}
accounts = {{ {accounts} }}

[[tenants]]
name = \"other\""
    )
}

#[test]
fn a_tenant_trusts_providers_that_can_be_used() {
    const KEY: &str =
        "{ kty = \"OKP\", crv = \"Ed25519\", x = \"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\" }";
    let other = "[[tenants]]\nname = \"other\"";
    let files = Files::new();
    let sound = provider("[\"oidc\", \"sso\"]", "\"ben-at-idp\" = \"ben\"", KEY);
    files.change("mine.toml", other, &sound);
    let config = files.read().unwrap();
    let (trusted, secret) = &config.personas[0].tenants[0].identity_providers[0];
    assert_eq!(trusted.accounts["ben-at-idp"], "ben");
    assert!(secret.is_none());

    let at = |member: &str| format!("tenants[0].identity_providers[0].{member}");
    let ben = "\"ben-at-idp\" = \"ben\"";
    for (text, member) in [
        (provider("[\"passkey\"]", ben, KEY), "methods"),
        (provider("[]", ben, KEY), "methods"),
        (
            provider("[\"oidc\"]", "\"x\" = \"nobody\"", KEY),
            "accounts",
        ),
        (provider("[\"oidc\"]", ben, ""), "jwks"),
        (
            provider("[\"oidc\"]", ben, "{ kty = \"oct\", k = \"c2VjcmV0\" }"),
            "jwks",
        ),
    ] {
        refused_at(other, &text, &at(member));
    }
    let unclassed = provider("[\"sso\"]", ben, KEY).replace("\"urn:example:two-factors\"", "");
    refused_at(other, &unclassed, &at("acr_values"));
    let without = sound.replace(
        "client_id = \"clp\"",
        "client_id = \"clp\"\nclient_secret_env = \"CLP_TEST_NO_SUCH_VARIABLE\"",
    );
    refused_at(other, &without, "tenants[0].identity_providers[0]");
    refused_at(
        "profiles = [",
        "auth_methods = [\"test\"]\nprofiles = [",
        "auth_methods",
    );
}
