Feature: audit
  Who asked for a credential, who agreed, who created, received, used, replaced and ended it.

  @core @CLP-AUD-001 @CLP-AUD-010
  Scenario: The log tells who created a credential and who has its secret
    Given an active credential
    When Ana calls audit_entries
    Then it is accepted
    And the log that Ana sees tells of credential.created:
      | member        | value               |
      | actor         | {ana.id}            |
      | credential_id | {credential.id}     |
      | via           | "direct"            |
      | project       | {probe.project}     |
      | environment   | {probe.environment} |
    And the log that Ana sees tells of credential.delivered:
      | member        | value                    |
      | actor         | {ana.id}                 |
      | credential_id | {credential.id}          |
      | delivery_id   | {credential.delivery.id} |

  @core @CLP-AUD-001
  Scenario: The log tells who replaced a credential and who ended it
    Given an active credential called old
    And Ana rotates old
    When Ana calls credential_revoke on old with:
      | part   | value             |
      | reason | "superseded"      |
      | note   | "replaced, {mark}" |
    Then it is accepted
    And the log that Ben sees tells of credential.rotated:
      | member        | value          |
      | actor         | {ana.id}       |
      | credential_id | {old.id}       |
      | successor     | {successor.id} |
      | rotation_id   | {rotation.id}  |
      | reason        | "scheduled"    |
    And the log that Ben sees tells of credential.created:
      | member        | value          |
      | credential_id | {successor.id} |
      | via           | "rotation"     |
      | rotation_id   | {rotation.id}  |
    And the log that Ben sees tells of credential.revoked:
      | member        | value              |
      | actor         | {ana.id}           |
      | credential_id | {old.id}           |
      | mode          | "immediate"        |
      | reason        | "superseded"       |
      | note          | "replaced, {mark}" |

  @core @CLP-AUD-001 @CLP-REV-005
  Scenario: The log tells that a key ended itself
    Given an active credential
    When the key calls credential_revoke
    Then it is accepted
    And the log that Ana sees tells of credential.revoked:
      | member        | value           |
      | actor         | {credential.id} |
      | credential_id | {credential.id} |

  @core @CLP-AUD-003 @needs-clock
  Scenario: The log tells of use and of attempts within five minutes
    Given a used credential
    When the key calls the read probe
    Then it is served
    When the key calls the write probe
    Then it is refused with 403 and insufficient_scope
    Given the clock advances by 301 seconds
    Then the log that Ana sees tells of credential.used:
      | member        | value           |
      | credential_id | {credential.id} |
      | first_at      | present         |
      | last_at       | present         |
      | count         | present         |
    And the log that Ana sees tells of credential.use_refused:
      | member        | value                |
      | credential_id | {credential.id}      |
      | reason        | "insufficient_scope" |

  @core @CLP-AUD-001 @needs-clock
  Scenario: The log tells that a credential ended by itself
    Given an active credential with:
      | part       | value     |
      | expires_at | {now+600} |
    And the clock advances by 601 seconds
    When Ana calls credential_read
    Then it is accepted
    And the log that Ana sees tells of credential.expired:
      | member        | value           |
      | credential_id | {credential.id} |
      | actor         | absent          |

  @approval @CLP-AUD-001 @needs-clock
  Scenario: The log tells who asked, who agreed and what came of it
    Given a pending request
    And a passkey of Ben
    And Ben signs a challenge for request
    When Ben calls approval_submit
    Then it is accepted
    Given Ana creates from request
    Then the log that Ben sees tells of request.opened:
      | member      | value                        |
      | actor       | {ana.id}                     |
      | request_id  | {request.id}                 |
      | digest      | {request.digest}             |
      | project     | {probe.project}              |
      | environment | {probe.approval_environment} |
    And the log that Ben sees tells of request.approved:
      | member      | value            |
      | actor       | {ben.id}         |
      | request_id  | {request.id}     |
      | approval_id | {approval.id}    |
      | digest      | {request.digest} |
      | method      | "passkey"        |
    And the log that Ben sees tells of credential.created:
      | member     | value        |
      | actor      | {ana.id}     |
      | via        | "request"    |
      | request_id | {request.id} |

  @approval @CLP-AUD-001 @needs-clock
  Scenario: The log tells who said no, and what nobody decided
    Given a denied request called first
    And a pending request called second
    And the clock advances by 604801 seconds
    When Ana calls request_read on second
    Then it is accepted
    And the log that Ben sees tells of request.denied:
      | member     | value      |
      | actor      | {ben.id}   |
      | request_id | {first.id} |
    And the log that Ben sees tells of request.expired:
      | member     | value       |
      | request_id | {second.id} |
      | actor      | absent      |

  @core @serial @CLP-AUD-005
  Scenario: A refusal leaves no trace of a change
    Given an active credential
    When Ana calls credential_create
    Then it is accepted
    Given the entries of credential.created that Ana sees are counted
    When the same call is made with environment set to "mars"
    Then it is refused as unknown-environment
    When the same call is made by Cleo
    Then it is refused as forbidden
    And Ana sees 0 more entries of credential.created
    When the same call is made with expires_at set to {now-600}
    Then it is refused as expiry-out-of-range
    And Ana sees 0 more entries of credential.created

  @core @serial @CLP-AUD-005
  Scenario: A refused rotation leaves no trace of a change
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    Given the entries of credential.rotated that Ana sees are counted
    When the same call is made again
    Then it is refused as rotation-in-progress
    When the same call is made by Cleo
    Then it is refused as forbidden
    And Ana sees 0 more entries of credential.rotated

  @core @serial @CLP-AUD-005
  Scenario: A refused revocation leaves no trace of a change
    Given an active credential
    When Ana calls credential_revoke
    Then it is accepted
    Given the entries of credential.revoked that Ana sees are counted
    When the same call is made by Cleo
    Then it is refused as forbidden
    When the same call is made with mode set to "eventually"
    Then it is refused as invalid-request
    And Ana sees 0 more entries of credential.revoked

  @core @CLP-AUD-006
  Scenario: The log is for those who may audit
    Given a provisioned credential
    When Ben calls audit_entries
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden

  @core @CLP-MOD-008
  Scenario: A key does not read the log
    Given an active credential
    When Ana calls audit_entries
    Then it is accepted
    When the same call is made by the key
    Then it is refused as forbidden

  @core @CLP-AUD-007
  Scenario: The log can be searched by credential and by event
    Given an active credential called first
    And an active credential called second
    And Ana rotates first
    When Ana calls audit_entries with:
      | part                | value              |
      | query credential_id | {second.id}        |
      | query event         | credential.created |
    Then it is accepted
    And the answer has:
      | member                                  | value       |
      | entries                                 | 1 items     |
      | entries.0.disclosed.credential_id.value | {second.id} |
    When the same call is made with query event set to credential.delivered
    Then it is accepted
    And the answer has:
      | member                                  | value       |
      | entries                                 | 1 items     |
      | entries.0.disclosed.credential_id.value | {second.id} |
    When the same call is made with query event set to credential.revoked
    Then it is accepted
    And the answer has:
      | member  | value |
      | entries | []    |

  @core @CLP-AUD-007
  Scenario: A rotation is found by its successor too
    Given an active credential
    And Ana rotates credential
    When Ana calls audit_entries with:
      | part                | value              |
      | query credential_id | {successor.id}     |
      | query event         | credential.rotated |
    Then it is accepted
    And the answer has:
      | member                              | value          |
      | entries                             | 1 items        |
      | entries.0.disclosed.successor.value | {successor.id} |

  @core @CLP-AUD-004
  Scenario: The log names a credential by its id alone
    Given an active credential
    When Ana calls audit_entries with:
      | part                | value           |
      | query credential_id | {credential.id} |
    Then it is accepted
    And the answer does not hold {credential.key_id}

  @core @CLP-AUD-007 @CLP-TRN-030
  Scenario: The pages of the log hold every entry once
    Given a used credential
    And Ana rotates credential
    And Ana revokes credential
    When Ana calls audit_entries with:
      | part                | value           |
      | query credential_id | {credential.id} |
      | query limit         | 2               |
    Then it is accepted
    And the pages of the same call hold every entry once, in order

  @core @CLP-AUD-008
  Scenario: The log is numbered without gaps
    Given a provisioned credential of Dov
    And a provisioned credential of Dov
    When Dov calls audit_entries
    Then it is accepted
    And the log that Dov sees is numbered without gaps

  @core @CLP-AUD-009 @CLP-AUD-010
  Scenario: An entry keeps its bytes
    Given a used credential
    And Ana rotates credential
    When Ana calls audit_entries
    Then it is accepted
    And the leaves of two readings are the same
    And no salt stands in the log twice

  @audit-proofs @CLP-AUD-013
  Scenario: A checkpoint is signed by the key in the manifest
    Given a provisioned credential
    When Ana calls audit_checkpoint
    Then it is accepted
    And the checkpoint is signed by the key of the manifest

  @audit-proofs @CLP-AUD-016 @CLP-AUD-014
  Scenario: Every entry is proved to be in the log
    Given a used credential
    And Ana rotates credential
    And Ana revokes credential
    When Ana calls audit_entries
    Then it is accepted
    And every entry that Ana sees is proved by a signed checkpoint

  @audit-proofs @CLP-AUD-016
  Scenario: The only entry of a log needs no hash beside it
    Given an active credential
    When Ana calls audit_inclusion with:
      | part            | value |
      | query index     | 0     |
      | query tree_size | 1     |
    Then it is accepted
    And the answer has:
      | member    | value |
      | index     | 0     |
      | tree_size | 1     |
      | hashes    | []    |

  @audit-proofs @CLP-AUD-014 @needs-clock
  Scenario: A checkpoint has every entry that was stored
    Given an active credential
    When Ana calls audit_checkpoint
    Then it is accepted
    Given a revoked credential
    Then a new checkpoint has every entry that is stored

  @audit-proofs @CLP-AUD-015 @CLP-AUD-017 @CLP-AUD-014
  Scenario: The log only grows
    Given an active credential
    When Ana calls audit_checkpoint
    Then it is accepted
    And the answer is called before
    Given a revoked credential
    Then a new checkpoint is proved to continue before
    Given an active credential
    Then a new checkpoint is proved to continue before

  @audit-proofs @CLP-AUD-006
  Scenario: A checkpoint is for those who may audit
    Given a provisioned credential
    When Ben calls audit_checkpoint
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden

  @audit-proofs @CLP-AUD-006
  Scenario: A proof is for those who may audit
    Given an active credential
    When Ben calls audit_inclusion with:
      | part            | value |
      | query index     | 0     |
      | query tree_size | 1     |
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden

  @audit-proofs @CLP-AUD-018
  Scenario: There is no proof of what is not in the log
    Given an active credential
    When Ana calls audit_inclusion with:
      | part            | value |
      | query index     | 1     |
      | query tree_size | 2     |
    Then it is accepted
    When the same call is made with query index set to 2
    Then it is refused as invalid-proof-range
    When the same call is made with query tree_size set to 1000000
    Then it is refused as invalid-proof-range
    When the same call is made with query tree_size set to 0
    Then it is refused as invalid-proof-range

  @audit-proofs @CLP-AUD-018
  Scenario: There is no proof that the log shrank
    Given an active credential
    When Ana calls audit_consistency with:
      | part       | value |
      | query from | 1     |
      | query to   | 2     |
    Then it is accepted
    And the answer has:
      | member | value   |
      | hashes | 1 items |
    When the same call is made with query to set to 1000000
    Then it is refused as invalid-proof-range
    When the same call is made with query from set to 3
    Then it is refused as invalid-proof-range
    When the same call is made with query from set to 0
    Then it is refused as invalid-proof-range

  @audit-proofs @CLP-AUD-017
  Scenario: A log continues itself without a proof
    Given an active credential
    When Ana calls audit_consistency with:
      | part       | value |
      | query from | 2     |
      | query to   | 2     |
    Then it is accepted
    And the answer has:
      | member | value |
      | hashes | []    |

  @audit-proofs @CLP-TRN-027
  Scenario: A proof is asked for by number
    Given an active credential
    When Ana calls audit_inclusion with:
      | part            | value |
      | query index     | 0     |
      | query tree_size | 1     |
    Then it is accepted
    When the same call is made with query index set to {mark}
    Then it is refused as invalid-query
    When the same call is made without query tree_size
    Then it is refused as invalid-query

  @audit-proofs @CLP-TRN-027
  Scenario: A continuation is asked for by number
    Given an active credential
    When Ana calls audit_consistency with:
      | part       | value |
      | query from | 1     |
      | query to   | 2     |
    Then it is accepted
    When the same call is made with query from set to -1
    Then it is refused as invalid-query

  @audit-proofs @CLP-AUD-006
  Scenario: A continuation is for those who may audit
    Given an active credential
    When Ben calls audit_consistency with:
      | part       | value |
      | query from | 1     |
      | query to   | 2     |
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden

  @lifecycle @CLP-AUD-024
  Scenario: The log tells who changed what is said of a credential
    Given an active credential
    When Ana calls credential_amend with:
      | part | value                                        |
      | body | {"owner": "{mark}-heirs", "labels": {"a": "b"}} |
    Then it is accepted
    Given Ana suspends credential with:
      | part   | value         |
      | reason | "compromise"  |
      | note   | "note-{mark}" |
    And Ana resumes credential
    When Ana calls audit_entries
    Then it is accepted
    And the log that Ana sees tells of credential.amended:
      | member        | value             |
      | actor         | {ana.id}          |
      | credential_id | {credential.id}   |
      | changed       | contains "owner"  |
      | changed       | contains "labels" |
      | changed       | 2 items           |
    And the log that Ana sees tells of credential.suspended:
      | member        | value           |
      | actor         | {ana.id}        |
      | credential_id | {credential.id} |
      | reason        | "compromise"    |
      | note          | "note-{mark}"   |
    And the log that Ana sees tells of credential.resumed:
      | member        | value           |
      | actor         | {ana.id}        |
      | credential_id | {credential.id} |

  @inventory @CLP-AUD-024
  Scenario: The log tells where a secret has come
    Given an active credential
    When Ana calls store_register
    Then it is accepted
    And the answer is called vault
    When Ana calls delivery_ack with:
      | part     | value        |
      | store_id | "{vault.id}" |
    Then it is accepted
    Given an installed installation called place
    And place is verified below credential
    When Ana calls installation_delete on place
    Then it is accepted
    When Ana calls audit_entries
    Then it is accepted
    And the log that Ana sees tells of store.registered:
      | member   | value      |
      | actor    | {ana.id}   |
      | store_id | {vault.id} |
    And the log that Ana sees tells of delivery.acknowledged:
      | member        | value                    |
      | actor         | {ana.id}                 |
      | credential_id | {credential.id}          |
      | delivery_id   | {credential.delivery.id} |
      | store_id      | {vault.id}               |
    And the log that Ana sees tells of installation.declared:
      | member          | value           |
      | actor           | {ana.id}        |
      | credential_id   | {credential.id} |
      | installation_id | {place.id}      |
      | state           | "installed"     |
    And the log that Ana sees tells of installation.updated:
      | member          | value           |
      | credential_id   | {credential.id} |
      | installation_id | {place.id}      |
      | state           | "verified"      |
    And the log that Ana sees tells of installation.removed:
      | member          | value           |
      | actor           | {ana.id}        |
      | credential_id   | {credential.id} |
      | installation_id | {place.id}      |

  @lifecycle @CLP-AUD-024 @needs-clock
  Scenario: The log tells how far a rotation has come
    Given an active credential called first
    And Ana rotates first as one
    And Ana reads the delivery of one_successor
    And Ana advances one
    And Ana advances one
    And an active credential called second
    And Ana rotates second as two
    And Ana rolls back two
    And an active credential called third with:
      | part            | value                        |
      | rotation_policy | {"max_overlap_seconds": 600} |
    And Ana rotates third as three
    And Ana reads the delivery of three_successor
    And the clock advances by 601 seconds
    When Ana calls audit_entries
    Then it is accepted
    And the log that Ana sees tells of rotation.advanced:
      | member        | value      |
      | actor         | {ana.id}   |
      | credential_id | {first.id} |
      | rotation_id   | {one.id}   |
      | state         | "draining" |
    And the log that Ana sees tells of rotation.completed:
      | member        | value      |
      | actor         | {ana.id}   |
      | credential_id | {first.id} |
      | rotation_id   | {one.id}   |
    And the log that Ana sees tells of rotation.rolled_back:
      | member        | value       |
      | actor         | {ana.id}    |
      | credential_id | {second.id} |
      | rotation_id   | {two.id}    |
    And the log that Ana sees tells of rotation.blocked:
      | member        | value      |
      | actor         | absent     |
      | credential_id | {third.id} |
      | rotation_id   | {three.id} |
    And the log that Ana sees tells of credential.revoked:
      | member        | value                |
      | credential_id | {two_successor.id}   |

  @oauth @CLP-AUD-024
  Scenario: The log tells of tokens
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue
    Then it is accepted
    When Ana calls audit_entries
    Then it is accepted
    And the log that Ana sees tells of token.issued:
      | member        | value       |
      | actor         | {client.id} |
      | credential_id | {client.id} |

  @webhooks @CLP-AUD-024
  Scenario: The log tells of test events
    Given an active credential called hook with:
      | part    | value                         |
      | type    | "webhook_secret"              |
      | webhook | {"url": "http://127.0.0.1:9/"} |
    When Ana calls event_test on hook
    Then it is accepted
    When Ana calls audit_entries
    Then it is accepted
    And the log that Ana sees tells of event.tested:
      | member        | value         |
      | actor         | {ana.id}      |
      | credential_id | {hook.id}     |
      | signed_by     | "credential"  |
      | outcome       | "unreachable" |

  @lifecycle @CLP-AUD-007 @needs-clock
  Scenario: The log can be searched by rotation and by time
    Given an active credential called first
    And Ana rotates first as one
    And an active credential called second
    And Ana rotates second as two
    And the clock advances by 600 seconds
    And Ana reads the delivery of two_successor
    When Ana calls audit_entries with:
      | part              | value    |
      | query rotation_id | {one.id} |
    Then it is accepted
    And the answer has:
      | member                                | value    |
      | entries                               | 2 items  |
      | entries.0.disclosed.rotation_id.value | {one.id} |
      | entries.1.disclosed.rotation_id.value | {one.id} |
    When Ana calls audit_entries with:
      | part        | value    |
      | query since | {now-60} |
    Then it is accepted
    And the answer has:
      | member                                  | value              |
      | entries                                 | 1 items            |
      | entries.0.disclosed.credential_id.value | {two_successor.id} |
    When Ana calls audit_entries with:
      | part        | value                     |
      | query event | credential.delivered      |
      | query until | {now-60}                  |
    Then it is accepted
    And the answer has:
      | member  | value   |
      | entries | 2 items |
