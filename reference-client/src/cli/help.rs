//! What `--help` says beyond the list of options.

pub(super) const AFTER_HELP: &str = "\
Environment:
  CLP_ISSUER            issuer identifier, such as https://api.example.com
  CLP_TOKEN             your bearer token, or
  CLP_TOKEN_FILE        a file that holds it and that only you can read
  CLP_HOME              where clp keeps its files, by default ~/.clp
  CLP_STORE             the encrypted store, by default CLP_HOME/store
  CLP_STORE_KEY_FILE    its key, by default beside it
  CLP_CONTROL           where test control is, for sandbox and passkey register
  CLP_CONTROL_TOKEN     its token, or CLP_CONTROL_TOKEN_FILE
  CLP_TEST_RUN          names a run, for `clp sandbox faults`

Exit status:
  0 done                        4 the issuer cannot be reached
  1 something failed here       5 the issuer broke the protocol
  2 usage, or not allowed       6 verification failed
  3 refused by the issuer       7 a person has to decide first
                                8 something is due

Examples:
  clp discover
  clp create --purpose 'nightly import' --owner data-team --project atlas \\
      --environment staging --allow 'event:read:atlas/*' --lifetime 30d
  clp list --project atlas
  printf 'Authorization: Bearer %s' \"$(clp store read cred_...)\" \\
      | curl -H @- https://api.example.com/events
  clp inject cred_... --env-file .env --name EXAMPLE_API_KEY
  clp rotate cred_... --health https://api.example.com/v1/me --wait 10m
  clp audit --proof 12 --output entry.json
  clp verify audit entry.json --key BASE64
  clp show req_... --approval apr_... --json >record.json
  clp verify approval record.json
";

pub(super) const CREATE_HELP: &str = "\
Examples:
  clp create --purpose 'nightly import' --owner data-team --project atlas \\
      --environment staging --allow 'event:read:atlas/*' --lifetime 30d
  clp create --request req_... --wait

If a run dies half-way, run the same command again: nothing is minted twice.
";

pub(super) const INJECT_HELP: &str = "\
Examples:
  clp inject cred_... --env-file .env --name EXAMPLE_API_KEY
  clp inject cred_... --env-file /srv/billing/.env --name API_KEY \\
      --user-agent billing/ --depends-on invoices --interval 31d

Every other line of the file stays as it is. `clp rotate` brings a successor to
the same place.
";

pub(super) const RUN_HELP: &str = "\
Examples:
  clp run cred_... --name EXAMPLE_API_KEY -- ./import --all
  clp run cred_... --name ACCESS_TOKEN --token -- ./import --all
";

pub(super) const ROTATE_HELP: &str = "\
Examples:
  clp rotate cred_... --health https://api.example.com/v1/me --wait 10m
  clp rotate cred_... --dry-run
  clp rotate cred_... --reason compromise --revoke-first
  clp rotate --project atlas --dry-run
  clp rotate --project atlas --health-cmd ./see-that-it-works --wait 1h
  clp rotate --due --within 14d --health-cmd ./see-that-it-works
  clp rotate --resume rot_...
  clp rotate --rollback rot_...

A health command finds the secret in the variable of the place, and CLP_ISSUER,
CLP_CREDENTIAL_ID and CLP_USER_AGENT, the name that the place is known by.

Each step is written down before it is taken: whatever stops a run, the same
command goes on with it. The old key goes last, and until then --rollback gives
it back. Where the issuer keeps no inventory, it goes only on your word.
";

pub(super) const DUE_HELP: &str = "\
Examples:
  clp due --within 30d
  clp due --project atlas --json

Exit status 0 if nothing is due, 8 if something is, so that a job can tell. It
asks every issuer of `clp issuers`, and CLP_ISSUER. `clp rotate --due` does it.
";

pub(super) const REQUEST_HELP: &str = "\
Examples:
  clp request --purpose 'fix ticket 42' --owner data-team --project atlas \\
      --environment production --allow 'event:read:atlas/*' \\
      --subject agent:fixer --lifetime 30m --create --wait=1h
  clp show req_... --wait
  clp request cancel req_...

It prints the approval page and a code, and waits. Ctrl-C ends the waiting, and
not the request: `clp show req_... --wait` goes on. Where nobody has decided in
time, the exit status is 7; denied, expired or cancelled, it is 3, with the
reason.
With --json, there is one object at the end.
";
