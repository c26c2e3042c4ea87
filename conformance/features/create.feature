Feature: create
  Minting a credential, listing credentials, reading one.

  @core @CLP-CRE-001
  Scenario: A credential is born without its secret
    When Ana calls credential_create
    Then it is accepted
    And the answer has:
      | member              | value         |
      | state               | "provisioned" |
      | id                  | matches ^cred_[0-9A-Za-z]{20,40}$ |
      | delivery.id         | matches ^dlv_[0-9A-Za-z]{20,40}$  |
      | delivery.uri        | matches ^https?:// |
      | delivery.expires_at | present       |
    And the answer has the headers:
      | name     | value                      |
      | Location | contains "{credential.id}" |

  @core @CLP-CRE-003
  Scenario: A credential is what was asked for
    When Ana calls credential_create with:
      | part            | value                                              |
      | permissions     | [{"resource_type": "{probe.read_permissions.0.resource_type}", "selector": "z/*", "actions": {probe.read_permissions.0.actions}}, {"resource_type": "{probe.read_permissions.0.resource_type}", "selector": "a/b", "actions": {probe.read_permissions.0.actions}}] |
      | subject         | {"kind": "workload", "id": "{mark}"}               |
      | rotation_policy | {"rotate_every_seconds": 300, "max_overlap_seconds": 60, "renewable_until": "{now+6000}"} |
      | labels          | {"team": "{mark}", "tier": "gold"}                 |
    Then it is accepted
    And the answer repeats everything that was sent

  @core @CLP-CRE-003
  Scenario: A credential ends when it was asked to
    When Ana calls credential_create with:
      | part       | value     |
      | expires_at | {now+600} |
    Then it is accepted
    And the answer repeats everything that was sent

  @core @CLP-CRE-021
  Scenario: A credential says who made it and how
    When Ana calls credential_create
    Then it is accepted
    And the answer has:
      | member      | value              |
      | created_by  | {ana.id}           |
      | created_via | {"kind": "direct"} |
      | created_at  | about {now}        |

  @core @CLP-CRE-004
  Scenario: Only who may create creates
    When Ana calls credential_create
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden
    And 1 credential exists

  @core @CLP-CRE-004
  Scenario: Nobody creates in a project that is not theirs
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with project set to "{mark}"
    Then it is refused as forbidden

  @core @CLP-CRE-005
  Scenario: Permissions that nobody defined are refused
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with permissions.0.resource_type set to "{mark}"
    Then it is refused as unknown-permission
    When the same call is made with permissions.0.actions.0 set to "{mark}"
    Then it is refused as unknown-permission
    When the same call is made with permissions.0.constraints set to {"undefined": 1}
    Then it is refused as unknown-permission
    And 1 credential exists

  @core @CLP-CRE-006
  Scenario: A key never governs credentials
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with permissions set to [{"resource_type": "clp.credential", "selector": "*", "actions": ["read"]}]
    Then it is refused as unknown-permission

  @core @CLP-PRM-008
  Scenario: A selector of another form is refused
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with permissions.0.selector set to "a/*/b"
    Then it is refused as invalid-request
    When the same call is made with permissions.0.selector set to "a//b"
    Then it is refused as invalid-request
    When the same call is made with permissions.0.selector set to "../b"
    Then it is refused as invalid-request

  @core @CLP-TRN-010
  Scenario: The same thing is said in one way only
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with permissions.0.actions set to ["{probe.read_permissions.0.actions.0}", "{probe.read_permissions.0.actions.0}"]
    Then it is refused as invalid-request
    When the same call is made with permissions.0.constraints set to {}
    Then it is refused as invalid-request
    When the same call is made with permissions set to []
    Then it is refused as invalid-request

  @core @CLP-PRM-010
  Scenario: A constraint's value has the constraint's kind
    Given permissions called bounded with a constraint
    And permissions called confused whose constraint has a value of another kind
    When Ana calls credential_create with:
      | part        | value     |
      | permissions | {bounded} |
    Then it is accepted
    When the same call is made with permissions set to {confused}
    Then it is refused as unknown-permission

  @core @CLP-CRE-007
  Scenario: An environment that nobody defined is refused
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with environment set to "mars"
    Then it is refused as unknown-environment
    And 1 credential exists

  @core @CLP-CRE-008 @without-profiles
  Scenario: A type that the issuer does not mint is refused
    Given a type called odd that the manifest does not list
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with type set to {odd}
    Then it is refused as type-not-supported

  @core @CLP-CRE-009
  Scenario: A credential does not begin in the past
    When Ana calls credential_create with:
      | part       | value     |
      | expires_at | {now+600} |
    Then it is accepted
    When the same call is made with expires_at set to {now-600}
    Then it is refused as expiry-out-of-range
    When the same call is made with expires_at set to {now}
    Then it is refused as expiry-out-of-range

  @core @CLP-CRE-009
  Scenario: A credential does not outlive the bound in the manifest
    Given a time called beyond that no credential lives to see
    When Ana calls credential_create with:
      | part       | value     |
      | expires_at | {now+600} |
    Then it is accepted
    When the same call is made with expires_at set to {beyond}
    Then it is refused as expiry-out-of-range

  @core @CLP-CRE-010 @CLP-CRE-012
  Scenario: Where policy wants an approval nothing is minted
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with environment set to {probe.approval_environment}
    Then it is refused as approval-required
    And 1 credential exists

  @core @CLP-CRE-018 @CLP-CRE-019
  Scenario: A key says whose it is and that it was not mistyped
    Given a provisioned credential called plain
    And a provisioned credential called labelled with:
      | part   | value              |
      | labels | {"team": "{mark}"} |
    When Ana calls delivery_read on plain
    Then it is accepted
    And the key of plain has the published form
    When Ana calls delivery_read on labelled
    Then it is accepted
    And the key of labelled has the published form

  @core @CLP-CRE-022
  Scenario: A list holds what its reader may see
    Given a provisioned credential
    When Cleo calls credential_list with:
      | part        | value  |
      | query owner | {mark} |
    Then it is accepted
    And the items are credential
    When the same call is made by Dov
    Then it is accepted
    And the items are none

  @core @CLP-CRE-023
  Scenario: A list holds what matches every filter
    Given an active credential called first
    And a provisioned credential called second
    And a revoked credential called third
    When Ana calls credential_list with:
      | part        | value  |
      | query owner | {mark} |
    Then it is accepted
    And the items are first, second, third in any order
    When the same call is made with query state set to provisioned
    Then it is accepted
    And the items are second
    When the same call is made with query state set to revoked
    Then it is accepted
    And the items are third
    When the same call is made with query owner set to {mark_upper}
    Then it is accepted
    And the items are none
    When the same call is made with query environment set to {probe.approval_environment}
    Then it is accepted
    And the items are none
    When the same call is made with query project set to {probe.project}
    Then it is accepted
    And the items are first, second, third in any order
    When the same call is made with query disclosed_to set to {ana.id}
    Then it is accepted
    And the items are first, third in any order
    When the same call is made with query type set to api_key
    Then it is accepted
    And the items are first, second, third in any order
    When the same call is made with query project set to elsewhere
    Then it is accepted
    And the items are none
    When the same call is made with query type set to webhook_secret
    Then it is accepted
    And the items are none

  @core @CLP-CRE-023
  Scenario: A list can be of what ends soon
    Given a provisioned credential called first with:
      | part       | value     |
      | expires_at | {now+600} |
    And a provisioned credential called second with:
      | part       | value      |
      | expires_at | {now+1200} |
    When Ana calls credential_list with:
      | part                 | value                 |
      | query owner          | {mark}                |
      | query expires_before | {first.expires_at+1}  |
    Then it is accepted
    And the items are first
    When the same call is made with query expires_before set to {first.expires_at}
    Then it is accepted
    And the items are none

  @core @CLP-CRE-024 @needs-clock
  Scenario: The newest credential stands first
    Given a provisioned credential called first
    And the clock advances by 10 seconds
    And a provisioned credential called second
    And the clock advances by 10 seconds
    And a provisioned credential called third
    When Ana calls credential_list with:
      | part        | value  |
      | query owner | {mark} |
    Then it is accepted
    And the items are third, second, first

  @core @CLP-MOD-004
  Scenario: A revoked credential stays on record
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    Given Ana revokes credential
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member  | value                |
      | state   | "revoked"            |
      | purpose | {credential.purpose} |

  @core @CLP-MOD-004 @CLP-MOD-002 @needs-clock
  Scenario: An expired credential stays on record
    Given an active credential with:
      | part       | value     |
      | expires_at | {now+600} |
    When Ana calls credential_read
    Then it is accepted
    And the answer has:
      | member | value    |
      | state  | "active" |
    Given the clock advances to {credential.expires_at}
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member  | value                |
      | state   | "expired"            |
      | purpose | {credential.purpose} |

  @core @CLP-MOD-005
  Scenario: A stranger's credential looks like none at all
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    When the same call is made on "cred_00000000000000000000"
    Then it is refused as not-found
    And the answer is called nothing
    When the same call is made by Dov
    Then it is refused as not-found
    And the answer is the same as nothing byte for byte

  @core @CLP-MOD-008 @CLP-MOD-006
  Scenario: A key does not see its own record
    Given an active credential
    When Ana calls credential_read
    Then it is accepted
    When the same call is made by the key
    Then it is refused as not-found

  @core @CLP-MOD-008
  Scenario: A key mints no other
    Given an active credential called mine
    When Ana calls credential_create
    Then it is accepted
    When the same call is made by the key of mine
    Then it is refused as forbidden

  @core @CLP-MOD-008
  Scenario: A key does not replace itself
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    When the same call is made by the key
    Then it is refused as not-found

  @core @CLP-CRE-003
  Scenario: A credential is read as it was created
    When Ana calls credential_create with:
      | part            | value                                                                  |
      | labels          | {"team": "{mark}"}                                                     |
      | subject         | {"kind": "agent", "id": "{mark}"}                                      |
      | rotation_policy | {"rotate_every_seconds": 86400, "max_overlap_seconds": 3600}           |
    Then it is accepted
    And the answer is called created
    When Ana calls credential_read on created
    Then it is accepted
    And the answer is the same as created but delivery

  @core @CLP-MOD-008
  Scenario: A key sees no list
    Given an active credential
    When the key calls credential_list
    Then it is accepted
    And the items are none

  @core @CLP-TRN-034
  Scenario: A record cannot be deleted
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    When the same call is made with HTTP method set to DELETE
    Then it is refused as method-not-allowed
    And the answer has the headers:
      | name  | value          |
      | Allow | contains "GET" |

  @approval @CLP-CRE-011
  Scenario: A create that needs an approval asks for it
    When Ana calls credential_create with:
      | part            | value                                |
      | subject         | {"kind": "workload", "id": "{mark}"} |
      | rotation_policy | {"rotate_every_seconds": 300}        |
    Then it is accepted
    When the same call is made with environment set to {probe.approval_environment}
    Then it is refused as approval-required
    And the answer has:
      | member               | value                            |
      | request.id           | matches ^req_[0-9A-Za-z]{20,40}$ |
      | request.uri          | contains "{answer.request.id}"   |
      | request.approval_uri | present                          |
    And the request answer has:
      | member                | value                        |
      | state                 | "pending_approval"           |
      | submitted.purpose     | {mark}                       |
      | submitted.environment | {probe.approval_environment} |
      | submitted.permissions | {probe.read_permissions}     |
      | submitted.subject     | {"kind": "workload", "id": "{mark}"} |
      | submitted.rotation_policy | {"rotate_every_seconds": 300} |

  @approval @CLP-CRE-011
  Scenario: A create that needs an approval asks for the life that was asked for
    When Ana calls credential_create with:
      | part       | value      |
      | expires_at | {now+1800} |
    Then it is accepted
    When the same call is made with environment set to {probe.approval_environment}
    Then it is refused as approval-required
    And the request answer has:
      | member                     | value      |
      | submitted.lifetime_seconds | about 1800 |

  @approval @CLP-CRE-013 @needs-clock
  Scenario: Nothing is created before somebody has approved
    Given an approved request called first
    And a pending request called second
    When Ana calls credential_create with:
      | part | value                        |
      | body | {"request_id": "{first.id}"} |
    Then it is accepted
    When the same call is made with request_id set to "{second.id}"
    Then it is refused as request-not-approved
    And 1 credential exists

  @approval @CLP-CRE-013 @CLP-APP-018 @needs-clock
  Scenario: Nothing is created from a request that was denied
    Given an approved request called first
    And a denied request called second
    When Ana calls credential_create with:
      | part | value                        |
      | body | {"request_id": "{first.id}"} |
    Then it is accepted
    When the same call is made with request_id set to "{second.id}"
    Then it is refused as request-not-approved

  @approval @CLP-CRE-014 @needs-clock
  Scenario: An approval is stale after an hour
    Given an approved request called first
    And an approved request called second
    When Ana calls credential_create with:
      | part | value                        |
      | body | {"request_id": "{first.id}"} |
    Then it is accepted
    Given the clock advances to {approval.expires_at}
    When the same call is made with body set to {"request_id": "{second.id}"}
    Then it is refused as approval-expired
    And 1 credential exists

  @approval @CLP-CRE-015 @needs-clock
  Scenario: Only who asked creates
    Given an approved request
    When Ana calls credential_create with:
      | part | value                          |
      | body | {"request_id": "{request.id}"} |
    Then it is accepted
    When the same call is made by Ben
    Then it is refused as forbidden

  @approval @CLP-MOD-005 @needs-clock
  Scenario: A stranger's request cannot be created from
    Given an approved request
    When Ana calls credential_create with:
      | part | value                          |
      | body | {"request_id": "{request.id}"} |
    Then it is accepted
    When the same call is made by Dov
    Then it is refused as not-found
    And the answer is called foreign
    When the same call is made with request_id set to "req_00000000000000000000"
    Then it is refused as not-found
    And the answer is the same as foreign byte for byte

  @approval @CLP-CRE-016 @needs-clock
  Scenario: Creating twice from one request mints once
    Given an approved request
    When Ana calls credential_create with:
      | part | value                          |
      | body | {"request_id": "{request.id}"} |
    Then it is accepted
    And the answer is called first
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member | value      |
      | id     | {first.id} |
      | key_id | {first.key_id} |
    And 1 credential exists

  @approval @CLP-CRE-016 @needs-clock
  Scenario: Creating at once from one request mints once
    Given an approved request called first
    And an approved request called second
    When Ana calls credential_create with:
      | part | value                        |
      | body | {"request_id": "{first.id}"} |
    Then it is accepted
    When the same call is made with request_id set to "{second.id}" and 50 times at once
    Then every answer is accepted
    And every accepted answer has the same id
    And 2 credentials exist

  @approval @CLP-CRE-017 @CLP-CRE-021 @needs-clock
  Scenario: What is created is what was approved
    Given an approved request
    When Ana calls credential_create with:
      | part | value                          |
      | body | {"request_id": "{request.id}"} |
    Then it is accepted
    And the answer has:
      | member      | value                                             |
      | type        | {request.submitted.type}                          |
      | permissions | {request.submitted.permissions}                   |
      | purpose     | {request.submitted.purpose}                       |
      | owner       | {request.submitted.owner}                         |
      | project     | {request.submitted.project}                       |
      | environment | {request.submitted.environment}                   |
      | subject     | {request.submitted.subject}                       |
      | created_by  | {ana.id}                                          |
      | created_via | {"kind": "request", "request_id": "{request.id}"} |
    And the credential credential has:
      | member      | value                           |
      | permissions | {request.submitted.permissions} |
      | purpose     | {request.submitted.purpose}     |
      | owner       | {request.submitted.owner}       |
      | expires_at  | {answer.expires_at}             |

  @approval @CLP-CRE-030 @needs-clock
  Scenario: What is created means what was approved
    Given an approved request
    When Ana calls credential_create with:
      | part | value                          |
      | body | {"request_id": "{request.id}"} |
    Then it is accepted
    And the answer has:
      | member                   | value                                                |
      | permission_schema_digest | {request.approval_document.permission_schema_digest} |

  @approval @CLP-CRE-017 @needs-clock
  Scenario: What is created lives as long as was approved
    Given an approved request with:
      | part             | value |
      | lifetime_seconds | 1234  |
    When Ana calls credential_create with:
      | part | value                          |
      | body | {"request_id": "{request.id}"} |
    Then it is accepted
    And the answer has:
      | member     | value                    |
      | expires_at | {answer.created_at+1234} |

  @approval @CLP-ROT-012 @needs-clock
  Scenario: Replacing what was approved needs no second approval
    Given an issued request
    And Ana reads the delivery of credential
    When Ana calls rotation_open
    Then it is accepted
    And the answer has:
      | member                 | value                        |
      | credential.environment | {probe.approval_environment} |
      | credential.state       | "provisioned"                |

  @approval @CLP-REV-006 @needs-clock
  Scenario: Ending what was approved needs no approval
    Given an issued request
    When Ana calls credential_revoke
    Then it is accepted

  @core @without-profiles @CLP-TRN-039
  Scenario: A member of a profile is none where the profile is not claimed
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with cnf set to {"jkt": "0000000000000000000000000000000000000000000"}
    Then it is refused as invalid-request
    When the same call is made with webhook set to {"url": "https://hooks.example/"}
    Then it is refused as invalid-request

  @core @without-profiles @CLP-TRN-027
  Scenario: A filter of a profile is none where the profile is not claimed
    When Ana calls credential_list with:
      | part        | value  |
      | query owner | {mark} |
    Then it is accepted
    When the same call is made with query subject_kind set to agent
    Then it is refused as invalid-query

  @lifecycle @CLP-CRE-026
  Scenario Outline: Credentials are found by <filter>
    Given a provisioned credential called first with:
      | part            | value                              |
      | subject         | {"kind": "agent", "id": "{mark}-a"} |
      | purpose         | "Nightly export of {mark}"         |
      | labels          | {"team": "{mark}", "tier": "gold"} |
      | rotation_policy | {"rotate_every_seconds": 300}      |
    And a provisioned credential called second with:
      | part            | value                                  |
      | subject         | {"kind": "workload", "id": "{mark}-b"} |
      | purpose         | "nightly report of {mark}"             |
      | labels          | {"team": "{mark}", "tier": "silver"}   |
      | rotation_policy | {"rotate_every_seconds": 3000000}      |
    And a provisioned credential called third
    When Ana calls credential_list with:
      | part        | value  |
      | query owner | {mark} |
    Then it is accepted
    And the items are first, second, third in any order
    When the same call is made with query <filter> set to <value>
    Then it is accepted
    And the items are first

    Examples:
      | filter        | value                  |
      | subject_kind  | agent                  |
      | subject_id    | {mark}-a               |
      | purpose       | Nightly                |
      | label         | tier=gold              |
      | rotate_before | {first.created_at+600} |

  @lifecycle @CLP-TRN-027
  Scenario: Credentials are not found by half a label
    When Ana calls credential_list with:
      | part        | value     |
      | query label | tier=gold |
    Then it is accepted
    When the same call is made with query label set to {mark}
    Then it is refused as invalid-query
    When the same call is made with query subject_kind set to {mark}
    Then it is refused as invalid-query

  @oauth @CLP-CRE-001 @CLP-CRE-003
  Scenario Outline: A credential of the type <type> is born without its secret
    When Ana calls credential_create with:
      | part | value    |
      | type | "<type>" |
    Then it is accepted
    And the answer repeats everything that was sent
    And the answer has:
      | member      | value         |
      | state       | "provisioned" |
      | delivery.id | present       |

    Examples:
      | type            |
      | oauth_client    |
      | service_account |

  @webhooks @CLP-CRE-001 @CLP-CRE-003
  Scenario: A webhook secret is born without its secret
    When Ana calls credential_create with:
      | part    | value                         |
      | type    | "webhook_secret"              |
      | webhook | {"url": "http://127.0.0.1:9/"} |
    Then it is accepted
    And the answer repeats everything that was sent
    And the answer has:
      | member      | value         |
      | state       | "provisioned" |
      | delivery.id | present       |

  @oauth @CLP-CRE-017 @needs-clock
  Scenario: A key that was shown to the approver is the key that is minted
    Given a P-256 key pair called mine
    And an approved request with:
      | part       | value             |
      | type       | "service_account" |
      | public_jwk | {mine.jwk}        |
    When Ana calls credential_create with:
      | part | value                          |
      | body | {"request_id": "{request.id}"} |
    Then it is accepted
    And the answer has:
      | member      | value                           |
      | type        | "service_account"               |
      | public_jwk  | {mine.jwk}                      |
      | state       | "active"                        |
      | permissions | {request.submitted.permissions} |

  @webhooks @CLP-CRE-017 @needs-clock
  Scenario: A webhook that was approved is the one that is made
    Given an approved request with:
      | part    | value                                |
      | type    | "webhook_secret"                     |
      | webhook | {"url": "http://127.0.0.1:9/{mark}"} |
    When Ana calls credential_create with:
      | part | value                          |
      | body | {"request_id": "{request.id}"} |
    Then it is accepted
    And the answer has:
      | member  | value                                |
      | type    | "webhook_secret"                     |
      | webhook | {"url": "http://127.0.0.1:9/{mark}"} |
