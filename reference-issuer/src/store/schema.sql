-- Times are seconds after 1970-01-01T00:00:00Z by the tenant's clock. Records are the JSON of
-- the types in clp-schemas; the columns beside them are what is searched by.

CREATE TABLE tenants (
    id TEXT PRIMARY KEY,
    persona TEXT NOT NULL,
    name TEXT,
    sandbox INTEGER NOT NULL,
    clock_offset INTEGER NOT NULL DEFAULT 0,
    UNIQUE (persona, name)
) STRICT;

CREATE TABLE principals (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    token BLOB NOT NULL UNIQUE,
    permissions TEXT NOT NULL,
    kind TEXT NOT NULL,
    acts_for TEXT REFERENCES principals (id),
    disabled INTEGER NOT NULL DEFAULT 0,
    -- The permissions that it began with; null where it was added to a sandbox later.
    first TEXT,
    UNIQUE (tenant, name)
) STRICT;

-- Approval policies, the one in force last. An approval can rest on one before.
CREATE TABLE policies (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    digest TEXT NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX policies_by_tenant ON policies (tenant, digest);

CREATE TABLE passkeys (
    tenant TEXT NOT NULL,
    principal TEXT NOT NULL REFERENCES principals (id),
    credential_id TEXT NOT NULL,
    public_key BLOB NOT NULL,
    counter INTEGER NOT NULL,
    attestation TEXT,
    PRIMARY KEY (principal, credential_id)
) STRICT, WITHOUT ROWID;

-- Whose word a tenant takes for what an authenticator is, where not the persona's.
CREATE TABLE attestation_trust (
    tenant TEXT PRIMARY KEY,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE identity_providers (
    tenant TEXT NOT NULL,
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    record TEXT NOT NULL,
    -- What the issuer authenticates with there.
    sealed BLOB,
    PRIMARY KEY (tenant, issuer, client_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE documents (
    digest TEXT NOT NULL,
    persona TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (persona, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE credentials (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    place TEXT NOT NULL,
    project TEXT NOT NULL,
    environment TEXT NOT NULL,
    owner TEXT NOT NULL,
    type TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    key_id TEXT NOT NULL,
    verifier BLOB,
    record TEXT NOT NULL,
    -- Two tenants can know the same public key.
    UNIQUE (key_id, tenant)
) STRICT;
CREATE INDEX credentials_by_age ON credentials (tenant, created_at, seq);
CREATE INDEX credentials_by_place ON credentials (tenant, place, created_at, seq);
CREATE INDEX credentials_by_project ON credentials (tenant, project, created_at, seq);
CREATE INDEX credentials_by_owner ON credentials (tenant, owner, created_at, seq);
CREATE INDEX credentials_by_state ON credentials (tenant, state, created_at, seq);
CREATE INDEX credentials_by_expiry ON credentials (tenant, expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE disclosures (
    tenant TEXT NOT NULL,
    principal TEXT NOT NULL,
    credential TEXT NOT NULL,
    PRIMARY KEY (tenant, principal, credential)
) STRICT, WITHOUT ROWID;

-- What is left of a secret until its delivery is gone; then `sealed` is null.
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    credential TEXT NOT NULL UNIQUE,
    principal TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    sealed BLOB
) STRICT;

-- What was said first when a delivery was acknowledged.
CREATE TABLE receipts (
    delivery TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX receipts_by_tenant ON receipts (tenant);

CREATE TABLE stores (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    place TEXT NOT NULL,
    project TEXT NOT NULL,
    environment TEXT NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX stores_by_place ON stores (tenant, place, seq);

-- An installation is named by its id and by the first credential of the line that it belongs to.
CREATE TABLE installations (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    line TEXT NOT NULL,
    id TEXT NOT NULL,
    credential TEXT NOT NULL,
    state TEXT NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (tenant, line, id)
) STRICT;
CREATE INDEX installations_by_credential ON installations (tenant, credential, seq);

CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    state TEXT NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX requests_by_tenant ON requests (tenant);

CREATE TABLE challenges (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    used INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX challenges_by_tenant ON challenges (tenant);

-- What was decided on, and what proves the decision; kept as long as its request. A decision
-- without a person has nothing in the last three.
CREATE TABLE evidence (
    approval TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    request TEXT NOT NULL,
    document TEXT NOT NULL,
    challenge TEXT,
    evidence TEXT,
    verification TEXT
) STRICT;
CREATE INDEX evidence_by_tenant ON evidence (tenant);

CREATE TABLE rotations (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    state TEXT NOT NULL,
    predecessor TEXT NOT NULL,
    successor TEXT NOT NULL UNIQUE,
    probe_key_id TEXT UNIQUE,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX rotations_by_predecessor ON rotations (predecessor, state);
CREATE INDEX rotations_by_tenant ON rotations (tenant);

CREATE TABLE idempotency (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    principal TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    status INTEGER NOT NULL,
    location TEXT,
    body BLOB NOT NULL,
    UNIQUE (tenant, principal, method, path, key)
) STRICT;

-- What time does by itself. A row whose object has moved on by then does nothing.
CREATE TABLE due (
    tenant TEXT NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (tenant, at, kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_entries (
    tenant TEXT NOT NULL,
    number INTEGER NOT NULL,
    time INTEGER NOT NULL,
    event TEXT NOT NULL,
    place TEXT,
    leaf BLOB NOT NULL,
    disclosed TEXT NOT NULL,
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_by_place ON audit_entries (tenant, place, number);
CREATE INDEX audit_by_event ON audit_entries (tenant, event, number);

-- The credentials and the rotation by which an entry is found.
CREATE TABLE audit_about (
    tenant TEXT NOT NULL,
    object TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (tenant, object, number)
) STRICT, WITHOUT ROWID;

-- Readings of the log that are not written yet, because more may come.
CREATE TABLE audit_readings (
    tenant TEXT NOT NULL,
    principal TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, principal)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_nodes (
    tenant TEXT NOT NULL,
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (tenant, level, number)
) STRICT, WITHOUT ROWID;

-- What stands in a persona's own API.
CREATE TABLE resources (
    tenant TEXT NOT NULL,
    path TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (tenant, path)
) STRICT, WITHOUT ROWID;

-- Secrets that are used here, and are kept, sealed, as long as their credential lives.
CREATE TABLE secrets (
    credential TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX secrets_by_tenant ON secrets (tenant);

CREATE TABLE tokens (
    key_id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    credential TEXT NOT NULL,
    verifier BLOB NOT NULL,
    scope TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX tokens_by_tenant ON tokens (tenant);

-- Identifiers of assertions and proofs that were accepted, while they would hold.
CREATE TABLE seen (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    credential TEXT NOT NULL,
    id TEXT NOT NULL,
    UNIQUE (tenant, kind, credential, id)
) STRICT;

-- Accepted calls by consumer; an empty user agent stands for none.
CREATE TABLE uses (
    tenant TEXT NOT NULL,
    credential TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    address TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, credential, user_agent, address)
) STRICT, WITHOUT ROWID;

-- When each part of an expanded permission set was last used.
CREATE TABLE part_uses (
    tenant TEXT NOT NULL,
    credential TEXT NOT NULL,
    part INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, credential, part)
) STRICT, WITHOUT ROWID;

-- The distinct accesses of a credential, of which the last used are kept.
CREATE TABLE accesses (
    tenant TEXT NOT NULL,
    credential TEXT NOT NULL,
    access TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, credential, access)
) STRICT, WITHOUT ROWID;

-- Up to when accesses of a credential are no longer all known.
CREATE TABLE forgotten_accesses (
    tenant TEXT NOT NULL,
    credential TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (tenant, credential)
) STRICT, WITHOUT ROWID;
