@test-control
Feature: control
  A suite gets fresh tenants, a clock and simulated approvals, where nothing is real.

  @CLP-CTL-001
  Scenario: Control is for who holds its token
    When the operator calls sandbox_open
    Then it is accepted
    When the same call is made by Ana
    Then it is refused as unauthenticated
    When the same call is made by nobody
    Then it is refused as unauthenticated
    When the same call is made by a stranger
    Then it is refused as unauthenticated

  @CLP-CTL-001
  Scenario: The token of control is none of a principal
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    When the same call is made by the operator
    Then it is refused as unauthenticated

  @CLP-CTL-002
  Scenario: Who lists test control is no production
    When nobody calls manifest_read
    Then it is accepted
    And the answer has:
      | member      | value  |
      | environment | "test" |

  @CLP-CTL-003
  Scenario: A sandbox is a tenant of its own
    When the operator calls sandbox_open
    Then it is accepted
    And the answer has:
      | member                     | value                            |
      | tenant_id                  | matches ^ten_[0-9A-Za-z]{20,40}$ |
      | tenant_id                  | not {tenant.id}                  |
      | issuer_identifier          | {issuer}                         |
      | credential_issuer_endpoint | {endpoint}                       |
      | principals.owner.id        | not {ana.id}                     |
      | principals.approver.token  | present                          |
      | principals.bystander.token | present                          |
      | principals.outsider.token  | present                          |
      | probe.project              | {probe.project}                  |

  @CLP-CTL-003
  Scenario: An approver creates nothing
    When Ana calls credential_create
    Then it is accepted
    When the same call is made by Ben
    Then it is refused as forbidden

  @CLP-CTL-003
  Scenario: An approver asks for nothing
    Given a pending request
    When Ana calls request_open
    Then it is accepted
    When the same call is made by Ben
    Then it is refused as forbidden

  @CLP-CTL-003
  Scenario: An approver replaces nothing
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    When the same call is made by Ben
    Then it is refused as forbidden

  @CLP-CTL-003
  Scenario: An approver ends nothing
    Given an active credential
    When Ana calls credential_revoke
    Then it is accepted
    When the same call is made by Ben
    Then it is refused as forbidden

  @CLP-CTL-003
  Scenario: A sandbox begins empty
    When the operator calls state_dump
    Then it is accepted
    And the answer has:
      | member      | value |
      | credentials | []    |
      | requests    | []    |
      | rotations   | []    |
      | audit_size  | 0     |

  @CLP-CTL-003
  Scenario: A sandbox of an issuer that is not there is refused
    When the operator calls sandbox_open
    Then it is accepted
    When the same call is made with issuer_identifier set to "https://{mark}.example"
    Then it is refused as not-found

  @CLP-CTL-004
  Scenario: One environment wants an approval and one does not
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with environment set to {probe.approval_environment}
    Then it is refused as approval-required

  @CLP-CTL-005
  Scenario: The clock moves forward
    When the operator calls clock_advance with:
      | part            | value |
      | advance_seconds | 86400 |
    Then it is accepted
    And the answer has:
      | member | value             |
      | now    | about {now+86400} |
    Given a provisioned credential
    Then the credential credential has:
      | member     | value              |
      | created_at | about {answer.now} |

  @CLP-CTL-005
  Scenario: A clock moves no other tenant's
    When Dov calls credential_create
    Then it is accepted
    And the answer is called before
    Given the clock advances by 86400 seconds
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member     | value                     |
      | created_at | about {before.created_at} |

  @CLP-CTL-005
  Scenario: A clock does not move back
    When the operator calls clock_advance
    Then it is accepted
    When the same call is made with advance_seconds set to -1
    Then it is refused as invalid-request

  @CLP-CTL-006
  Scenario: A sandbox is emptied
    Given a provisioned credential
    When the operator calls sandbox_reset
    Then it is accepted

  @CLP-CTL-006
  Scenario: A reset leaves nothing
    Given a used credential
    And Ana rotates credential
    And a pending request
    When the operator calls sandbox_reset
    Then it is accepted
    When the operator calls state_dump
    Then it is accepted
    And the answer has:
      | member      | value |
      | credentials | []    |
      | requests    | []    |
      | rotations   | []    |
      | audit_size  | 0     |
    And the key of credential does not open the read probe
    And 0 credentials exist

  @CLP-CTL-007
  Scenario: A simulated decision says that it is one
    Given a pending request
    When the operator calls control_approve
    Then it is accepted
    And the answer has:
      | member     | value        |
      | method     | "test"       |
      | decision   | "approve"    |
      | request_id | {request.id} |
      | approver   | {ben.id}     |
    And the request request has:
      | member             | value      |
      | state              | "approved" |
      | approvals.0.method | "test"     |

  @CLP-CTL-007 @CLP-APP-018
  Scenario: A simulated denial is one
    Given a pending request
    When the operator calls control_approve with:
      | part     | value  |
      | decision | "deny" |
    Then it is accepted
    And the request request has:
      | member | value    |
      | state  | "denied" |

  @CLP-APP-003
  Scenario: A simulated decision is not the requester's
    Given a pending request
    When the operator calls control_approve with:
      | part     | value    |
      | approver | {ben.id} |
    Then it is accepted
    Given a pending request
    When the same call is made with approver set to {ana.id}
    Then it is refused as separation-of-duty

  @CLP-APP-004
  Scenario: A simulated decision comes once
    Given a pending request
    When the operator calls control_approve
    Then it is accepted
    When the same call is made again
    Then it is refused as request-not-pending

  @CLP-MOD-005
  Scenario: A simulated decision is on a request of the tenant
    Given a pending request
    When the operator calls control_approve
    Then it is accepted
    Given a pending request of Dov
    When the same call is made again
    Then it is refused as not-found

  @CLP-CTL-008
  Scenario: Nobody else simulates
    Given a pending request called first
    And a pending request called second
    And a passkey of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second
    When the same call is made on second and with method set to "test"
    Then it is refused as method-not-supported
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-CTL-009
  Scenario: An authenticator is registered
    Given a pending request
    And a passkey that nobody has registered
    When the operator calls authenticator_register
    Then it is accepted
    Given Ben uses that passkey
    And Ben signs a challenge for request
    When Ben calls approval_submit
    Then it is accepted

  @CLP-CTL-009
  Scenario: A key is taken for an approver
    Given a passkey that nobody has registered
    When the operator calls authenticator_register
    Then it is accepted

  @CLP-CTL-009
  Scenario: What is no key is not registered
    Given a passkey that nobody has registered
    When the operator calls authenticator_register
    Then it is accepted
    When the same call is made with public_key set to "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    Then it is refused as evidence-invalid

  @CLP-APP-080
  Scenario: A provider is trusted
    Given a pending request
    And an identity provider for Ben
    When the operator calls control_identity_provider
    Then it is accepted
    When Ben calls challenge_open
    Then it is accepted
    And the answer has:
      | member                      | value             |
      | identity_providers.0.issuer | {provider.issuer} |

  @CLP-APP-080 @with-method-oidc
  Scenario: What a provider signs is taken once it is trusted
    Given a pending request
    And an identity provider for Ben
    When the operator calls control_identity_provider
    Then it is accepted
    Given Ben signs a challenge for request by oidc
    When Ben calls approval_submit
    Then it is accepted

  @CLP-APP-081
  Scenario: A provider whose keys are no keys is not trusted
    Given an identity provider for Ben
    When the operator calls control_identity_provider
    Then it is accepted
    When the same call is made with jwks set to {"keys": []}
    Then it is refused as key-not-usable

  @CLP-APP-081
  Scenario: A provider whose keys are secret is not trusted
    Given an identity provider for Ben
    When the operator calls control_identity_provider
    Then it is accepted
    When the same call is made with jwks.keys.0 set to {"kty": "oct", "k": "c2VjcmV0"}
    Then it is refused as key-not-usable

  @CLP-APP-082
  Scenario: An account is nobody else's
    Given an identity provider for Ben
    When the operator calls control_identity_provider with:
      | part     | value                                                                                        |
      | accounts | [{"subject": "b", "principal": "{ben.id}"}, {"subject": "c", "principal": "{ana.id}"}] |
    Then it is accepted
    When the same call is made with accounts.1.subject set to "b"
    Then it is refused as invalid-request

  @CLP-CTL-012
  Scenario: A tenant that was never opened trusts nobody
    Given an identity provider for Ben
    When the operator calls control_identity_provider
    Then it is accepted
    When the same call is made on "ten_00000000000000000000"
    Then it is refused as not-found

  @CLP-CTL-010
  Scenario: What reached a tenant is on its list
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    When the same call is made on "cred_00000000000000000000"
    Then it is refused as not-found
    When the operator calls request_log
    Then it is accepted
    And an item of the answer has:
      | member  | value                      |
      | method  | "GET"                      |
      | path    | contains "{credential.id}" |
      | status  | 200                        |
      | time    | about {now}                |
      | problem | absent                     |
    And an item of the answer has:
      | member  | value                               |
      | method  | "GET"                               |
      | path    | contains "cred_00000000000000000000" |
      | status  | 404                                 |
      | problem | "not-found"                         |
    And an item of the answer has:
      | member | value  |
      | method | "POST" |
      | status | 201    |

  @CLP-CTL-010
  Scenario: A reset empties the list of requests
    Given a provisioned credential
    When the operator calls sandbox_reset
    Then it is accepted
    When the operator calls request_log
    Then it is accepted
    And the answer has:
      | member | value |
      | items  | []    |

  @CLP-CTL-011
  Scenario: A list of requests shows where, and not what
    Given a used credential
    When Ana calls credential_list with:
      | part        | value  |
      | query owner | {mark} |
    Then it is accepted
    When the operator calls request_log
    Then it is accepted
    And the answer does not hold {mark}
    When the operator calls state_dump
    Then it is accepted
    And the answer does not hold {mark}

  @CLP-ROT-013
  Scenario: A rotation is completed when its predecessor ends
    Given an active credential
    And Ana rotates credential
    When the operator calls state_dump
    Then it is accepted
    And the answer has:
      | member    | value                                            |
      | rotations | [{"id": "{rotation.id}", "state": "created"}]    |
    Given Ana revokes credential
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member    | value                                            |
      | rotations | [{"id": "{rotation.id}", "state": "completed"}]  |

  @CLP-ROT-013
  Scenario: A rotation is rolled back when its successor ends first
    Given an active credential
    And Ana rotates credential
    And Ana revokes successor
    When the operator calls state_dump
    Then it is accepted
    And the answer has:
      | member    | value                                             |
      | rotations | [{"id": "{rotation.id}", "state": "rolled_back"}] |
    Given Ana revokes credential
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member    | value                                             |
      | rotations | [{"id": "{rotation.id}", "state": "rolled_back"}] |

  @CLP-CTL-012
  Scenario: A tenant that was never opened has no clock to move
    When the operator calls clock_advance
    Then it is accepted
    When the same call is made on "ten_00000000000000000000"
    Then it is refused as not-found

  @CLP-CTL-012
  Scenario: A tenant that was never opened is not emptied
    When the operator calls sandbox_reset
    Then it is accepted
    When the same call is made on "ten_00000000000000000000"
    Then it is refused as not-found

  @CLP-CTL-012
  Scenario: A tenant that was never opened does not show what it holds
    When the operator calls state_dump
    Then it is accepted
    When the same call is made on "ten_00000000000000000000"
    Then it is refused as not-found

  @CLP-CTL-012
  Scenario: A tenant that was never opened does not show what reached it
    When the operator calls request_log
    Then it is accepted
    When the same call is made on "ten_00000000000000000000"
    Then it is refused as not-found

  @CLP-CTL-012
  Scenario: A tenant that was never opened takes no authenticator
    Given a passkey that nobody has registered
    When the operator calls authenticator_register
    Then it is accepted
    When the same call is made on "ten_00000000000000000000"
    Then it is refused as not-found

  @CLP-CTL-020
  Scenario: Somebody is added to a sandbox
    When the operator calls control_principal_add with:
      | part         | value                   |
      | environments | ["{probe.environment}"] |
    Then it is accepted
    And the answer has:
      | member | value                             |
      | id     | matches ^prin_[0-9A-Za-z]{20,40}$ |
      | token  | present                           |
    When the same call is made with environments set to ["mars"]
    Then it is refused as unknown-environment

  @CLP-CTL-020
  Scenario: Who is added is what was said, and may do what was said
    Given the operator adds Finn with:
      | part    | value               |
      | kind    | "agent"             |
      | actions | ["read", "request"] |
    And a pending request of Finn
    When Finn calls request_read
    Then it is accepted
    And the answer has:
      | member                   | value                                         |
      | approval_document.actors | [{"principal": "{finn.id}", "kind": "agent"}] |

  @CLP-CTL-020
  Scenario: Nobody acts for somebody who is not there
    When the operator calls control_principal_add with:
      | part     | value    |
      | acts_for | {ana.id} |
    Then it is accepted
    When the same call is made with acts_for set to {dov.id}
    Then it is refused as not-found

  @CLP-CTL-021
  Scenario: The token of who is disabled opens nothing
    When Cleo calls credential_list
    Then it is accepted
    Given the operator restricts Cleo with:
      | part     | value    |
      | actions  | ["read"] |
      | disabled | true     |
    When the same call is made again
    Then it is refused as unauthenticated

  @CLP-CTL-025
  Scenario: Whoever acts for somebody disabled is out too
    Given the operator adds Eve with:
      | part     | value     |
      | kind     | "client"  |
      | acts_for | {cleo.id} |
      | actions  | ["read"]  |
    And the operator adds Finn with:
      | part     | value    |
      | kind     | "agent"  |
      | acts_for | {eve.id} |
      | actions  | ["read"] |
    When Finn calls credential_list
    Then it is accepted
    Given the operator restricts Cleo with:
      | part     | value    |
      | actions  | ["read"] |
      | disabled | true     |
    When the same call is made again
    Then it is refused as unauthenticated

  @CLP-CTL-022
  Scenario: Who is restricted may no longer do the rest
    When Ana calls credential_create
    Then it is accepted
    Given the operator restricts Ana with:
      | part    | value               |
      | actions | ["read", "request"] |
    When the same call is made again
    Then it is refused as forbidden

  @CLP-CTL-024
  Scenario: Who was added is gone after a reset
    Given the operator adds Eve with:
      | part    | value    |
      | actions | ["read"] |
    And the operator restricts Ana with:
      | part    | value    |
      | actions | ["read"] |
    When Eve calls credential_list
    Then it is accepted
    When the operator calls sandbox_reset
    Then it is accepted
    When Ana calls credential_create
    Then it is accepted
    When the same call is made by Ben
    Then it is refused as forbidden
    When Ben calls credential_list
    Then it is accepted
    When the same call is made by Eve
    Then it is refused as unauthenticated
