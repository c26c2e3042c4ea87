Feature: types
  What each type of credential delivers, how it is used, and what rotating it means.

  @oauth @CLP-OAU-001
  Scenario: OAuth libraries find where tokens are
    When nobody calls oauth_metadata_read
    Then it is accepted
    And the answer has:
      | member                                | value                          |
      | issuer                                | {issuer}                       |
      | token_endpoint                        | "{endpoint}/oauth/token"       |
      | introspection_endpoint                | "{endpoint}/oauth/introspect"  |
      | response_types_supported              | []                             |
      | grant_types_supported                 | contains "client_credentials"  |
      | token_endpoint_auth_methods_supported | contains "client_secret_basic" |

  @oauth @CLP-TRN-002
  Scenario: The description of the token endpoint is read in one version
    When nobody calls oauth_metadata_read
    Then it is accepted
    When the same call is made with header CLP-Version set to 2.0
    Then it is refused as version-not-supported

  @oauth @CLP-OAU-002
  Scenario: A client gets a token by its secret
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue
    Then it is accepted
    And the answer has:
      | member        | value    |
      | token_type    | "Bearer" |
      | expires_in    | 600      |
      | scope         | "{probe.read_permissions.0.resource_type}:{probe.read_permissions.0.actions.0}" |
      | refresh_token | absent   |
    And the answer has the headers:
      | name          | value               |
      | Cache-Control | contains "no-store" |
      | Pragma        | contains "no-cache" |
    And the token of client opens the read probe
    And the token of client does not open the write probe

  @oauth @CLP-OAU-002
  Scenario: A client gets a token by its secret in the form
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue with:
      | part           | value |
      | authentication | post  |
    Then it is accepted
    And the token of client opens the read probe

  @oauth @CLP-OAU-002
  Scenario: What a token request does not name is as if it were not there
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue with:
      | part          | value  |
      | form audience | {mark} |
      | form scope    | ""     |
    Then it is accepted

  @oauth @CLP-DLV-001 @CLP-CRE-019
  Scenario: A client secret is delivered with what to do with it
    Given a provisioned credential with:
      | part | value          |
      | type | "oauth_client" |
    When Ana calls delivery_read
    Then it is accepted
    And the answer has:
      | member                | value                    |
      | secret.kind           | "oauth_client"           |
      | secret.client_id      | {credential.id}          |
      | secret.token_endpoint | "{endpoint}/oauth/token" |
    And the key of credential has the published form

  @oauth @CLP-DLV-005
  Scenario: The first token closes the delivery
    Given a provisioned credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When Ana calls delivery_read on client
    Then it is accepted
    When the key of client calls token_issue
    Then it is accepted
    When Ana calls delivery_read on client
    Then it is refused as delivery-gone

  @oauth @CLP-OAU-003
  Scenario: A service account gets a token by an assertion
    Given an active credential called robot with:
      | part | value             |
      | type | "service_account" |
    When the key of robot calls token_issue
    Then it is accepted
    And the token of robot opens the read probe

  @oauth @CLP-OAU-003
  Scenario: A service account authenticates by an assertion
    Given an active credential called robot with:
      | part | value             |
      | type | "service_account" |
    When the key of robot calls token_issue with:
      | part           | value            |
      | authentication | client assertion |
    Then it is accepted
    And the token of robot opens the read probe

  @oauth @CLP-OAU-003
  Scenario Outline: A service account signs with a key of its own on <curve>
    Given a <curve> key pair called mine
    And an active credential called robot with:
      | part       | value             |
      | type       | "service_account" |
      | public_jwk | {mine.jwk}        |
    When the key of robot calls token_issue
    Then it is accepted
    And the token of robot opens the read probe

    Examples:
      | curve   |
      | Ed25519 |
      | P-256   |

  @oauth @CLP-OAU-004
  Scenario: A wrong secret gets nothing
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    And an active credential called other with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue
    Then it is accepted
    When the same call is made with authentication set to a forged secret
    Then it is refused with 401 and invalid_client
    When the same call is made with authentication set to the key of other
    Then it is refused with 401 and invalid_client
    When the same call is made with authentication set to none
    Then it is refused with 401 and invalid_client

  @oauth @CLP-OAU-004
  Scenario: A client that was revoked gets nothing
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue
    Then it is accepted
    When Ana revokes client
    And the same call is made again
    Then it is refused with 401 and invalid_client

  @oauth @CLP-OAU-004
  Scenario: A client that is suspended gets nothing for as long
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue
    Then it is accepted
    When Ana suspends client
    And the same call is made again
    Then it is refused with 401 and invalid_client
    Given Ana resumes client
    When the same call is made again
    Then it is accepted

  @oauth @CLP-OAU-004
  Scenario: A client that is being replaced gets tokens, and so does its successor
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    And Ana rotates client
    And Ana reads the delivery of successor
    When the key of client calls token_issue
    Then it is accepted
    When the key of successor calls token_issue
    Then it is accepted
    And the token of client opens the read probe
    And the token of successor opens the read probe

  @oauth @CLP-OAU-005
  Scenario Outline: An assertion with <flaw> proves nothing
    Given an active credential called robot with:
      | part | value             |
      | type | "service_account" |
    When the key of robot calls token_issue
    Then it is accepted
    When the same call is made with authentication set to grant with <flaw>
    Then it is refused with 400 and invalid_grant

    Examples:
      | flaw                        |
      | another key                 |
      | a bit flipped               |
      | no signature                |
      | another issuer              |
      | another subject             |
      | another audience            |
      | an end that is past         |
      | an end too far away         |
      | a beginning that is to come |
      | no identifier               |
      | no end                      |

  @oauth @CLP-OAU-005
  Scenario: An assertion is good once
    Given an active credential called robot with:
      | part | value             |
      | type | "service_account" |
    When the key of robot calls token_issue
    Then it is accepted
    When the same call is made with authentication set to grant with what was sent before
    Then it is refused with 400 and invalid_grant

  @oauth @CLP-OAU-005
  Scenario: A service account that was revoked gets nothing
    Given an active credential called robot with:
      | part | value             |
      | type | "service_account" |
    When the key of robot calls token_issue
    Then it is accepted
    When Ana revokes robot
    And the same call is made again
    Then it is refused with 400 and invalid_grant

  @oauth @CLP-OAU-004
  Scenario: A service account that does not prove itself is no client
    Given an active credential called robot with:
      | part | value             |
      | type | "service_account" |
    When the key of robot calls token_issue with:
      | part           | value            |
      | authentication | client assertion |
    Then it is accepted
    When the same call is made with authentication set to client assertion with another key
    Then it is refused with 401 and invalid_client
    When the same call is made with authentication set to client assertion with what was sent before
    Then it is refused with 401 and invalid_client

  @oauth @CLP-OAU-006
  Scenario: There are two grants
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue
    Then it is accepted
    When the same call is made with form grant_type set to password
    Then it is refused with 400 and unsupported_grant_type

  @oauth @CLP-OAU-007
  Scenario: A token opens no more than its credential
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue with:
      | part       | value |
      | form scope | {probe.read_permissions.0.resource_type}:{probe.read_permissions.0.actions.0} |
    Then it is accepted
    When the same call is made with form scope set to {probe.write_permissions.0.resource_type}:{probe.write_permissions.0.actions.0}
    Then it is refused with 400 and invalid_scope
    When the same call is made with form scope set to {mark}
    Then it is refused with 400 and invalid_scope

  @oauth @CLP-OAU-008
  Scenario: A form is whole
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue
    Then it is accepted
    When the same call is made without form grant_type
    Then it is refused with 400 and invalid_request
    When the same call is made with form grant_type set to ""
    Then it is refused with 400 and invalid_request
    When the same call is made with form grant_type set to urn:ietf:params:oauth:grant-type:jwt-bearer
    Then it is refused with 400 and invalid_request

  @oauth @CLP-OAU-008
  Scenario: A form says each thing once
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue
    Then it is accepted
    When the same call is made with another form grant_type set to client_credentials
    Then it is refused with 400 and invalid_request
    When the same call is made with authentication set to both ways
    Then it is refused with 400 and invalid_request

  @oauth @CLP-OAU-008
  Scenario: A form is a form
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue
    Then it is accepted
    When the same call is made with header Content-Type set to application/json
    Then it is refused with 400 and invalid_request

  @oauth @CLP-TRN-034
  Scenario: A token is not asked for in the path
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue
    Then it is accepted
    When the same call is made with HTTP method set to DELETE
    Then it is refused as method-not-allowed

  @oauth @CLP-OAU-009
  Scenario: A token opens what its credential opens
    Given an active credential called writer with:
      | part        | value                     |
      | type        | "oauth_client"            |
      | permissions | {probe.write_permissions} |
    And an active credential called reader with:
      | part | value          |
      | type | "oauth_client" |
    When the key of writer calls token_issue
    Then it is accepted
    When the key of reader calls token_issue
    Then it is accepted
    When the token of writer calls the write probe
    Then it is served
    When the same call is made by the token of reader
    Then it is refused with 403 and insufficient_scope

  @oauth @CLP-OAU-009
  Scenario: A token opens what was asked for
    Given permissions called implying that imply those for reading
    And an active credential called client with:
      | part        | value          |
      | type        | "oauth_client" |
      | permissions | {implying}     |
    When the key of client calls token_issue with:
      | part       | value |
      | form scope | {probe.read_permissions.0.resource_type}:{probe.read_permissions.0.actions.0} |
    Then it is accepted
    And the answer has:
      | member | value |
      | scope  | "{probe.read_permissions.0.resource_type}:{probe.read_permissions.0.actions.0}" |
    And the token of client opens the read probe
    And the token of client does not open the write probe

  @oauth @CLP-OAU-010 @needs-clock
  Scenario: A token ends after ten minutes
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue
    Then it is accepted
    When the token of client calls the read probe
    Then it is served
    When the clock advances by 601 seconds
    And the same call is made again
    Then it is refused with 401 and invalid_token

  @oauth @CLP-OAU-010 @needs-clock
  Scenario: A token does not outlive its credential
    Given an active credential called client with:
      | part       | value          |
      | type       | "oauth_client" |
      | expires_at | {now+300}      |
    When the key of client calls token_issue
    Then it is accepted
    And the answer has:
      | member     | value       |
      | expires_in | at most 300 |
    When the token of client calls the read probe
    Then it is served
    When the clock advances to {client.expires_at}
    And the same call is made again
    Then it is refused with 401 and invalid_token

  @oauth @CLP-OAU-010
  Scenario: A token of a revoked credential opens nothing
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue
    Then it is accepted
    When the token of client calls the read probe
    Then it is served
    When Ana revokes client
    Given the longest propagation has passed
    When the same call is made again
    Then it is refused with 401 and invalid_token

  @oauth @CLP-OAU-010
  Scenario: A token of a suspended credential opens nothing
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue
    Then it is accepted
    When the token of client calls the read probe
    Then it is served
    When Ana suspends client
    Given the longest propagation has passed
    When the same call is made again
    Then it is refused with 401 and invalid_token

  @oauth @CLP-OAU-011
  Scenario: A client secret is no key
    Given an active credential called plain
    And an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of plain calls the read probe
    Then it is served
    When the same call is made by the key of client
    Then it is refused with 401 and invalid_token

  @oauth @CLP-OAU-012
  Scenario: Who may read asks what a token is good for
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue
    Then it is accepted
    When Cleo calls token_introspect with:
      | part       | value                |
      | form token | {token.access_token} |
    Then it is accepted
    And the answer has:
      | member     | value       |
      | active     | true        |
      | client_id  | {client.id} |
      | sub        | {client.id} |
      | iss        | {issuer}    |
      | token_type | "Bearer"    |
      | exp        | present     |
      | iat        | present     |
      | scope      | "{probe.read_permissions.0.resource_type}:{probe.read_permissions.0.actions.0}" |

  @oauth @CLP-OAU-012
  Scenario: Who may read asks what a key is good for
    Given an active credential called plain
    When Ana calls token_introspect with:
      | part       | value                   |
      | form token | {delivery.secret.value} |
    Then it is accepted
    And the answer has:
      | member     | value      |
      | active     | true       |
      | client_id  | {plain.id} |
      | token_type | "Bearer"   |

  @oauth @CLP-OAU-013
  Scenario: What opens nothing is not told apart
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue
    Then it is accepted
    When Ana calls token_introspect with:
      | part       | value              |
      | form token | nothing-of-the-kind |
    Then it is accepted
    And the answer has:
      | member    | value  |
      | active    | false  |
      | client_id | absent |
      | scope     | absent |
    And the answer is called nothing
    When Dov calls token_introspect with:
      | part       | value                |
      | form token | {token.access_token} |
    Then it is accepted
    And the answer is the same as nothing byte for byte
    Given Ana suspends client
    When Ana calls token_introspect with:
      | part       | value                |
      | form token | {token.access_token} |
    Then it is accepted
    And the answer is the same as nothing byte for byte

  @oauth @CLP-TRN-013
  Scenario: Nobody asks what a token is good for without one
    Given an active credential called plain
    When Ana calls token_introspect with:
      | part       | value                   |
      | form token | {delivery.secret.value} |
    Then it is accepted
    When the same call is made by nobody
    Then it is refused as unauthenticated

  @oauth @CLP-OAU-008
  Scenario: A question about a token has a token
    Given an active credential called plain
    When Ana calls token_introspect with:
      | part       | value                   |
      | form token | {delivery.secret.value} |
    Then it is accepted
    When the same call is made without form token
    Then it is refused with 400 and invalid_request
    When the same call is made with another form token set to {mark}
    Then it is refused with 400 and invalid_request

  @oauth @CLP-OAU-014
  Scenario: A key of one's own is not delivered
    Given a P-256 key pair called mine
    When Ana calls credential_create with:
      | part       | value             |
      | type       | "service_account" |
      | public_jwk | {mine.jwk}        |
    Then it is accepted
    And the answer has:
      | member     | value      |
      | state      | "active"   |
      | public_jwk | {mine.jwk} |
      | key_id     | {mine.jkt} |
      | delivery   | absent     |

  @oauth @CLP-OAU-015
  Scenario: A service account is delivered its private key
    Given a provisioned credential with:
      | part | value             |
      | type | "service_account" |
    When Ana calls delivery_read
    Then it is accepted
    And the answer has:
      | member           | value             |
      | secret.kind      | "service_account" |
      | secret.client_id | {credential.id}   |
    And the key of credential has the published form

  @oauth @CLP-OAU-016
  Scenario: A key pair is of one credential
    Given a P-256 key pair called mine
    When Ana calls credential_create with:
      | part       | value             |
      | type       | "service_account" |
      | public_jwk | {mine.jwk}        |
    Then it is accepted
    When the same call is made again
    Then it is refused as key-not-usable

  @oauth @CLP-OAU-016
  Scenario: A point that is on no curve is no key
    Given a P-256 key pair called mine
    When Ana calls credential_create with:
      | part       | value             |
      | type       | "service_account" |
      | public_jwk | {mine.jwk}        |
    Then it is accepted
    When the same call is made with public_jwk set to {"kty": "EC", "crv": "P-256", "x": "{mine.jwk.x}", "y": "{mine.jwk.x}"}
    Then it is refused as key-not-usable

  @oauth @CLP-TRN-010
  Scenario: A private key is not taken
    Given an Ed25519 key pair called mine
    When Ana calls credential_create with:
      | part       | value             |
      | type       | "service_account" |
      | public_jwk | {mine.jwk}        |
    Then it is accepted
    When the same call is made with public_jwk.d set to "{mine.jwk.x}"
    Then it is refused as invalid-request

  @oauth @CLP-OAU-016
  Scenario: Whose key it was, theirs is the next
    Given a P-256 key pair called one
    And a P-256 key pair called two
    And a P-256 key pair called next
    And an active credential called first with:
      | part       | value             |
      | type       | "service_account" |
      | public_jwk | {one.jwk}         |
    And an active credential called second with:
      | part       | value             |
      | type       | "service_account" |
      | public_jwk | {two.jwk}         |
    When Ana calls rotation_open on first with:
      | part       | value      |
      | public_jwk | {next.jwk} |
    Then it is accepted
    And the answer has:
      | member                | value      |
      | credential.public_jwk | {next.jwk} |
      | credential.state      | "active"   |
      | credential.delivery   | absent     |
    When the same call is made on second and without public_jwk
    Then it is refused as key-not-usable
    When the same call is made on second and with public_jwk set to {second.public_jwk}
    Then it is refused as key-not-usable

  @oauth @CLP-OAU-016
  Scenario: Whose key the issuer made, for them it makes the next
    Given a P-256 key pair called mine
    And an active credential called first with:
      | part | value             |
      | type | "service_account" |
    And an active credential called second with:
      | part | value             |
      | type | "service_account" |
    When Ana calls rotation_open on first
    Then it is accepted
    When the same call is made on second and with public_jwk set to {mine.jwk}
    Then it is refused as key-not-usable

  @oauth @CLP-OAU-017
  Scenario: Only a service account has a key pair
    Given a P-256 key pair called mine
    When Ana calls credential_create with:
      | part       | value             |
      | type       | "service_account" |
      | public_jwk | {mine.jwk}        |
    Then it is accepted
    When the same call is made with type set to "api_key"
    Then it is refused as type-mismatch
    When the same call is made with type set to "oauth_client"
    Then it is refused as type-mismatch

  @oauth @CLP-CRE-002 @CLP-SEC-003
  Scenario: Neither client secret nor token stands in another answer
    Given an active credential called client with:
      | part | value          |
      | type | "oauth_client" |
    When the key of client calls token_issue
    Then it is accepted
    Given the token of client is used
    When Ana calls credential_read on client
    Then it is accepted
    When Ana calls rotation_open on client
    Then it is accepted
    When Ana calls audit_entries
    Then it is accepted

  @webhooks @CLP-WHK-001
  Scenario: A webhook secret is delivered
    Given a provisioned credential with:
      | part    | value                                 |
      | type    | "webhook_secret"                      |
      | webhook | {"url": "http://127.0.0.1:9/{mark}"}  |
    When Ana calls delivery_read
    Then it is accepted
    And the answer has:
      | member      | value            |
      | secret.kind | "webhook_secret" |
    And the key of credential has the published form
    And the credential credential has:
      | member  | value                                |
      | webhook | {"url": "http://127.0.0.1:9/{mark}"} |
      | key_id  | matches ^[0-9A-Za-z]{16}$            |

  @webhooks @CLP-WHK-002 @CLP-WHK-005
  Scenario: An event is signed with the secret
    Given an active credential called hook with:
      | part    | value                         |
      | type    | "webhook_secret"              |
      | webhook | {"url": "http://127.0.0.1:9/"} |
    When Ana calls event_test on hook with:
      | part      | value |
      | signed_by | "all" |
    Then it is accepted
    And the answer has:
      | member  | value                            |
      | id      | matches ^evt_[0-9A-Za-z]{20,40}$ |
      | url     | "http://127.0.0.1:9/"            |
      | outcome | "unreachable"                    |
      | status  | absent                           |
    And the event is signed with the secret of hook

  @webhooks @CLP-WHK-002
  Scenario: During a rotation an event is signed with both secrets
    Given an active credential called hook with:
      | part    | value                         |
      | type    | "webhook_secret"              |
      | webhook | {"url": "http://127.0.0.1:9/"} |
    And Ana rotates hook
    When Ana calls event_test on hook with:
      | part      | value |
      | signed_by | "all" |
    Then it is accepted
    And the event is signed with the secret of hook
    Given Ana reads the delivery of successor
    When the same call is made again
    Then it is accepted
    And the event is signed with the secret of hook and the secret of successor
    When the same call is made on successor
    Then it is accepted
    And the event is signed with the secret of hook and the secret of successor
    When the same call is made with signed_by set to "credential"
    Then it is accepted
    And the event is signed with the secret of hook

  @webhooks @CLP-WHK-002
  Scenario: What is suspended or has ended signs nothing
    Given an active credential called hook with:
      | part    | value                         |
      | type    | "webhook_secret"              |
      | webhook | {"url": "http://127.0.0.1:9/"} |
    And Ana rotates hook
    And Ana reads the delivery of successor
    And Ana suspends hook
    When Ana calls event_test on successor with:
      | part      | value |
      | signed_by | "all" |
    Then it is accepted
    And the event is signed with the secret of successor
    Given Ana resumes hook
    When the same call is made again
    Then it is accepted
    And the event is signed with the secret of hook and the secret of successor
    Given Ana revokes hook
    When the same call is made again
    Then it is accepted
    And the event is signed with the secret of successor

  @webhooks @CLP-WHK-003
  Scenario: An event does not go where only the issuer gets
    When Ana calls credential_create with:
      | part    | value                         |
      | type    | "webhook_secret"              |
      | webhook | {"url": "http://127.0.0.1:9/"} |
    Then it is accepted
    When the same call is made with webhook set to {"url": "https://10.0.0.1/hook"}
    Then it is refused as target-refused
    When the same call is made with webhook set to {"url": "https://169.254.169.254/latest/meta-data"}
    Then it is refused as target-refused
    When the same call is made with webhook set to {"url": "https://172.16.0.1/hook"}
    Then it is refused as target-refused
    When the same call is made with webhook set to {"url": "https://192.168.0.1/hook"}
    Then it is refused as target-refused
    When the same call is made with webhook set to {"url": "https://[fd00::1]/hook"}
    Then it is refused as target-refused
    When the same call is made with webhook set to {"url": "https://[fe80::1]/hook"}
    Then it is refused as target-refused
    When the same call is made with webhook set to {"url": "https://[::ffff:10.0.0.1]/hook"}
    Then it is refused as target-refused
    When the same call is made with webhook set to {"url": "http://192.0.2.1/hook"}
    Then it is refused as target-refused

  @webhooks @CLP-WHK-004
  Scenario: Only a webhook secret has a webhook
    When Ana calls credential_create with:
      | part    | value                         |
      | type    | "webhook_secret"              |
      | webhook | {"url": "http://127.0.0.1:9/"} |
    Then it is accepted
    When the same call is made with type set to "api_key"
    Then it is refused as type-mismatch

  @webhooks @CLP-WHK-004
  Scenario: A webhook secret has a webhook
    When Ana calls credential_create with:
      | part    | value                         |
      | type    | "webhook_secret"              |
      | webhook | {"url": "http://127.0.0.1:9/"} |
    Then it is accepted
    When the same call is made without webhook
    Then it is refused as type-mismatch

  @webhooks @receiver @CLP-WHK-005
  Scenario: What is said to be sent is sent
    Given a receiver called inbox that answers 204
    And an active credential called hook with:
      | part    | value                  |
      | type    | "webhook_secret"       |
      | webhook | {"url": "{inbox.url}"} |
    When Ana calls event_test on hook
    Then it is accepted
    And the answer has:
      | member  | value       |
      | outcome | "accepted"  |
      | status  | 204         |
      | url     | {inbox.url} |
    And the receiver inbox gets an event of clp.test
    And the event is signed with the secret of hook
    Given the receiver inbox answers 410
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member  | value     |
      | outcome | "refused" |
      | status  | 410       |

  @webhooks @receiver @CLP-WHK-002
  Scenario: A change sends an event to whom may read it
    Given a receiver called inbox that answers 204
    And an active credential called hook with:
      | part    | value                  |
      | type    | "webhook_secret"       |
      | webhook | {"url": "{inbox.url}"} |
    And an active credential called writer with:
      | part        | value                     |
      | permissions | {probe.write_permissions} |
    When the key of writer calls the write probe
    Then it is served
    And the receiver inbox gets an event of {probe.write_permissions.0.resource_type}.{probe.write_permissions.0.actions.0}
    And the event is signed with the secret of hook

  @webhooks @receiver @CLP-WHK-005
  Scenario: A receiver that has moved shows it
    Given a receiver called inbox that answers 204
    And an active credential called hook with:
      | part    | value                  |
      | type    | "webhook_secret"       |
      | webhook | {"url": "{inbox.url}"} |
    And Ana rotates hook
    And Ana reads the delivery of successor
    When Ana calls event_test on successor
    Then it is accepted
    And the event is signed with the secret of successor
    Given the receiver inbox answers 401
    When the same call is made with signed_by set to "probe"
    Then it is accepted
    And the answer has:
      | member  | value     |
      | outcome | "refused" |
    And the event is signed with the probe value

  @inventory @receiver @CLP-ROT-021 @CLP-ROT-022
  Scenario: The gates of a webhook secret are met by test events
    Given a receiver called inbox that answers 204
    And an active credential called hook with:
      | part    | value                  |
      | type    | "webhook_secret"       |
      | webhook | {"url": "{inbox.url}"} |
    And Ana rotates hook
    And Ana reads the delivery of successor
    When Ana calls rotation_gates
    Then it is accepted
    And the gates of rotation are:
      | gate          | stands |
      | installations | unmet  |
      | quiet         | met    |
      | consumers     | met    |
    When Ana calls event_test on successor
    Then it is accepted
    And the gates of rotation are:
      | gate          | stands          |
      | installations | met on observed |
      | health        | unmet           |
    Given the receiver inbox answers 401
    When Ana calls event_test on successor with:
      | part      | value   |
      | signed_by | "probe" |
    Then it is accepted
    And the gates of rotation are:
      | gate   | stands          |
      | health | met on observed |
      | safe   | true            |

  @inventory @receiver @CLP-ROT-021
  Scenario: A test event does not stand for a place that was declared
    Given a receiver called inbox that answers 204
    And an active credential called hook with:
      | part    | value                  |
      | type    | "webhook_secret"       |
      | webhook | {"url": "{inbox.url}"} |
    And an installed installation called place of hook
    And Ana rotates hook
    And Ana reads the delivery of successor
    When Ana calls event_test on successor
    Then it is accepted
    And the gates of rotation are:
      | gate          | stands |
      | installations | unmet  |
      | health        | unmet  |

  @inventory @receiver @CLP-ROT-022
  Scenario: A receiver that takes the probe value after all is not healthy
    Given a receiver called inbox that answers 204
    And an active credential called hook with:
      | part    | value                  |
      | type    | "webhook_secret"       |
      | webhook | {"url": "{inbox.url}"} |
    And Ana rotates hook
    And Ana reads the delivery of successor
    When Ana calls event_test on successor
    Then it is accepted
    Given the receiver inbox answers 503
    When Ana calls event_test on successor with:
      | part      | value   |
      | signed_by | "probe" |
    Then it is accepted
    And the answer has:
      | member  | value         |
      | outcome | "unreachable" |
    And the gates of rotation are:
      | gate   | stands |
      | health | unmet  |
    Given the receiver inbox answers 401
    When Ana calls event_test on successor with:
      | part      | value   |
      | signed_by | "probe" |
    Then it is accepted
    And the gates of rotation are:
      | gate   | stands          |
      | health | met on observed |
    Given the receiver inbox answers 204
    When Ana calls event_test on successor with:
      | part      | value   |
      | signed_by | "probe" |
    Then it is accepted
    And the gates of rotation are:
      | gate   | stands |
      | health | unmet  |

  @webhooks @CLP-WHK-005
  Scenario: There is no probe where nothing is replaced
    Given an active credential called first with:
      | part    | value                         |
      | type    | "webhook_secret"              |
      | webhook | {"url": "http://127.0.0.1:9/"} |
    And an active credential called second with:
      | part    | value                         |
      | type    | "webhook_secret"              |
      | webhook | {"url": "http://127.0.0.1:9/"} |
    And Ana rotates first
    When Ana calls event_test on first with:
      | part      | value   |
      | signed_by | "probe" |
    Then it is accepted
    And the event is signed with the probe value
    When the same call is made on second
    Then it is refused as credential-not-active

  @webhooks @CLP-WHK-005
  Scenario: What signs nothing is not tested
    Given an active credential called first with:
      | part    | value                         |
      | type    | "webhook_secret"              |
      | webhook | {"url": "http://127.0.0.1:9/"} |
    And a revoked credential called second with:
      | part    | value                         |
      | type    | "webhook_secret"              |
      | webhook | {"url": "http://127.0.0.1:9/"} |
    When Ana calls event_test on first
    Then it is accepted
    When the same call is made on second
    Then it is refused as credential-not-active

  @webhooks @CLP-WHK-006
  Scenario: Only a webhook secret signs events
    Given an active credential called hook with:
      | part    | value                         |
      | type    | "webhook_secret"              |
      | webhook | {"url": "http://127.0.0.1:9/"} |
    And an active credential called plain
    When Ana calls event_test on hook
    Then it is accepted
    When the same call is made on plain
    Then it is refused as type-mismatch

  @webhooks @CLP-MOD-007
  Scenario: Only who may rotate sends test events
    Given an active credential called hook with:
      | part    | value                         |
      | type    | "webhook_secret"              |
      | webhook | {"url": "http://127.0.0.1:9/"} |
    When Ana calls event_test on hook
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden
    When the same call is made by Dov
    Then it is refused as not-found

  @bound-keys @CLP-BND-001
  Scenario Outline: A bound key opens what it was made for, with a proof on <curve>
    Given a <curve> key pair called pair
    And an active credential called bound with:
      | part | value                 |
      | cnf  | {"jkt": "{pair.jkt}"} |
    When the key of bound calls the read probe
    Then it is served
    When the same call is made again
    Then it is served

    Examples:
      | curve   |
      | Ed25519 |
      | P-256   |

  @bound-keys @CLP-BND-001
  Scenario: A proof gives a key no more than it has
    Given an Ed25519 key pair called pair
    And an active credential called writer with:
      | part        | value                     |
      | cnf         | {"jkt": "{pair.jkt}"}     |
      | permissions | {probe.write_permissions} |
    And an active credential called reader with:
      | part | value                 |
      | cnf  | {"jkt": "{pair.jkt}"} |
    When the key of writer calls the write probe
    Then it is served
    When the same call is made by the key of reader
    Then it is refused with 403 and insufficient_scope

  @bound-keys @CLP-BND-002
  Scenario: A bound key alone opens nothing
    Given an Ed25519 key pair called pair
    And an active credential called bound with:
      | part | value                 |
      | cnf  | {"jkt": "{pair.jkt}"} |
    When the key of bound calls the read probe
    Then it is served
    When the same call is made without proof
    Then it is refused with 401 and invalid_token
    When the same call is made with proof set to none, as a bearer
    Then it is refused with 401 and invalid_token

  @bound-keys @CLP-BND-003
  Scenario Outline: A proof <flaw> is none
    Given an Ed25519 key pair called pair
    And an active credential called bound with:
      | part | value                 |
      | cnf  | {"jkt": "{pair.jkt}"} |
    When the key of bound calls the read probe
    Then it is served
    When the same call is made with proof set to <flaw>
    Then it is refused with 401 and invalid_dpop_proof

    Examples:
      | flaw                               |
      | of another key pair                |
      | of another method                  |
      | of another URL                     |
      | of another key                     |
      | of another type                    |
      | from an hour ago                   |
      | from an hour ahead                 |
      | with a bit flipped                 |
      | with another key pair in its head  |
      | without an identifier              |

  @bound-keys @CLP-BND-004
  Scenario: A proof is good once
    Given an Ed25519 key pair called pair
    And an active credential called bound with:
      | part | value                 |
      | cnf  | {"jkt": "{pair.jkt}"} |
    When the key of bound calls the read probe
    Then it is served
    When the same call is made with proof set to sent before
    Then it is refused with 401 and invalid_dpop_proof

  @bound-keys @CLP-BND-005
  Scenario: A credential says what its key is bound to
    Given an Ed25519 key pair called pair
    When Ana calls credential_create with:
      | part | value                 |
      | cnf  | {"jkt": "{pair.jkt}"} |
    Then it is accepted
    And the answer has:
      | member | value                 |
      | cnf    | {"jkt": "{pair.jkt}"} |

  @bound-keys @CLP-BND-005
  Scenario: A successor is bound as its predecessor was
    Given an Ed25519 key pair called pair
    And an active credential called bound with:
      | part | value                 |
      | cnf  | {"jkt": "{pair.jkt}"} |
    When Ana calls rotation_open on bound
    Then it is accepted
    And the answer has:
      | member         | value                 |
      | credential.cnf | {"jkt": "{pair.jkt}"} |
    Given Ana reads the delivery of successor
    When the key of successor calls the read probe
    Then it is served
    When the same call is made without proof
    Then it is refused with 401 and invalid_token

  @bound-keys @CLP-BND-006
  Scenario: Only an API key is bound
    Given an Ed25519 key pair called pair
    When Ana calls credential_create with:
      | part | value                 |
      | cnf  | {"jkt": "{pair.jkt}"} |
    Then it is accepted
    When the same call is made with type set to "oauth_client"
    Then it is refused as type-mismatch

  @bound-keys @CLP-BND-007
  Scenario: Who binds keys says so
    When nobody calls manifest_read
    Then it is accepted
    And the answer has:
      | member                              | value |
      | supports_workload_bound_credentials | true  |

  @core @without-profiles @CLP-BND-007
  Scenario: Who binds no keys does not say so
    When nobody calls manifest_read
    Then it is accepted
    And the answer has:
      | member                              | value         |
      | supports_workload_bound_credentials | perhaps false |

  @bound-keys @CLP-REV-005
  Scenario: Whoever finds a bound key can end it
    Given an Ed25519 key pair called pair
    And an active credential called bound with:
      | part | value                 |
      | cnf  | {"jkt": "{pair.jkt}"} |
    When the key of bound calls credential_revoke on bound
    Then it is accepted
    And the answer has:
      | member        | value      |
      | state         | "revoked"  |
      | revocation.by | {bound.id} |
