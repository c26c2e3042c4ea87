@approval
Feature: approve
  Somebody who did not ask decides, and leaves evidence that can be checked later.

  @CLP-APP-001 @CLP-APP-006 @CLP-APP-008
  Scenario: A challenge is bound to one decision
    Given a pending request
    When Ben calls challenge_open
    Then it is accepted
    And the answer has:
      | member     | value                            |
      | id         | matches ^chl_[0-9A-Za-z]{20,40}$ |
      | request_id | {request.id}                     |
      | version    | {request.version}                |
      | digest     | {request.digest}                 |
      | approver   | {ben.id}                         |
      | decision   | "approve"                        |
      | expires_at | about {now+300}                  |
    And the challenge is that of its parts
    And the answer is called first
    When the same call is made with decision set to "deny"
    Then it is accepted
    And the answer has:
      | member   | value             |
      | nonce    | not {first.nonce} |
      | decision | "deny"            |
      | approver | {ben.id}          |
    And the challenge is that of its parts

  @CLP-APP-002
  Scenario: Only who may approve is challenged
    Given a pending request
    When Ben calls challenge_open
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden

  @CLP-APP-003 @CLP-TRN-016
  Scenario: Who asked is told that somebody else decides, though they may not approve
    Given a pending request
    When Ben calls challenge_open
    Then it is accepted
    When the same call is made by Ana
    Then it is refused as separation-of-duty

  @CLP-APP-003
  Scenario: Nobody decides on what they asked for
    Given a pending request called first
    And a pending request called theirs of Dov
    When Ben calls challenge_open on first
    Then it is accepted
    When the same call is made by Dov
    Then it is refused as not-found
    When the same call is made by Dov and on theirs
    Then it is refused as separation-of-duty

  @CLP-MOD-005
  Scenario: A stranger's request is not there to be decided on
    Given a pending request
    When Ben calls challenge_open
    Then it is accepted
    When the same call is made by Dov
    Then it is refused as not-found

  @CLP-APP-004 @needs-clock
  Scenario: What is decided is not challenged again
    Given a pending request
    When Ben calls challenge_open
    Then it is accepted
    When Ben approves request
    And the same call is made again
    Then it is refused as request-not-pending

  @CLP-APP-018 @CLP-APP-019 @CLP-CTL-009 @needs-clock
  Scenario: A passkey approves
    Given a pending request
    And a passkey of Ben
    And Ben signs a challenge for request
    When Ben calls approval_submit with:
      | part   | value             |
      | reason | "looks {mark} ok" |
    Then it is accepted
    And the answer has:
      | member      | value                            |
      | id          | matches ^apr_[0-9A-Za-z]{20,40}$ |
      | request_id  | {request.id}                     |
      | version     | {request.version}                |
      | decision    | "approve"                        |
      | approver    | {ben.id}                         |
      | method      | "passkey"                        |
      | approved_at | about {now}                      |
      | expires_at  | {answer.approved_at+3600}        |
      | reason      | "looks {mark} ok"                |
    And the request request has:
      | member    | value      |
      | state     | "approved" |
      | approvals | 1 items    |

  @CLP-APP-018 @needs-clock
  Scenario: A passkey denies
    Given a pending request
    And a passkey of Ben
    And Ben signs a challenge for request to deny
    When Ben calls approval_submit
    Then it is accepted
    And the answer has:
      | member   | value  |
      | decision | "deny" |
    And the request request has:
      | member | value    |
      | state  | "denied" |

  @CLP-APP-004 @needs-clock
  Scenario: What is decided is not decided again
    Given a pending request called first
    And a pending request called second
    And a passkey of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second
    And the operator approves second
    When the same call is made on second
    Then it is refused as request-not-pending

  @CLP-APP-008 @needs-clock
  Scenario: A challenge lapses after five minutes
    Given a pending request called first
    And a pending request called second
    And a passkey of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second
    And the clock advances to {challenge.expires_at}
    When the same call is made on second
    Then it is refused as challenge-not-usable
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-009 @needs-clock
  Scenario: There is one try for each challenge
    Given a pending request called first
    And a pending request called second
    And a passkey of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second with a bit flipped
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs the same challenge for second again
    When the same call is made on second
    Then it is refused as challenge-not-usable

  @CLP-APP-010 @needs-clock
  Scenario: A challenge is for its own request
    Given a pending request called first
    And a pending request called second
    And a pending request called third
    And a passkey of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second
    When the same call is made on third
    Then it is refused as challenge-not-usable
    And the request third has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-002 @needs-clock
  Scenario: Only who may approve submits
    Given a pending request
    And a passkey of Ben
    And Ben signs a challenge for request
    When Ben calls approval_submit
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden

  @CLP-APP-011 @without-profiles @without-method-sso @needs-clock
  Scenario: A method that the issuer does not take is refused
    Given a pending request called first
    And a pending request called second
    And a passkey of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second
    When the same call is made on second and with method set to "sso"
    Then it is refused as method-not-supported

  @CLP-APP-028 @needs-clock
  Scenario: Evidence of another form than the method's proves nothing
    Given a pending request called first
    And a pending request called second
    And a passkey of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second
    When the same call is made on second and with evidence set to {"id_token": "e30.e30.e30"}
    Then it is refused as evidence-invalid

  @CLP-APP-012 @needs-clock
  Scenario: A signature by another key proves nothing
    Given a pending request called first
    And a pending request called second
    And a passkey of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second with another key
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second with a bit flipped
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given a passkey of Ana
    And Ben signs a challenge for second with the passkey of Ana
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-013 @needs-clock
  Scenario: A signature over something else proves nothing
    Given a pending request called first
    And a pending request called second
    And a passkey of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second with the other decision
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second with another nonce
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second with another request
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second with another type
    When the same call is made on second
    Then it is refused as evidence-invalid

  @CLP-APP-014 @needs-clock
  Scenario: A signature made on another site proves nothing
    Given a pending request called first
    And a pending request called second
    And a passkey of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second with another origin
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second with a foreign frame
    When the same call is made on second
    Then it is refused as evidence-invalid

  @CLP-APP-015 @needs-clock
  Scenario: A signature for another relying party proves nothing
    Given a pending request called first
    And a pending request called second
    And a passkey of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second with another relying party
    When the same call is made on second
    Then it is refused as evidence-invalid

  @CLP-APP-016 @needs-clock
  Scenario: A signature without a person proves nothing
    Given a pending request called first
    And a pending request called second
    And a passkey of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second with nobody present
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second with nobody verified
    When the same call is made on second
    Then it is refused as evidence-invalid

  @CLP-APP-017 @needs-clock
  Scenario: An authenticator that does not count is taken
    Given a pending request called first
    And a pending request called second
    And a passkey of Ben that does not count
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second
    When the same call is made on second
    Then it is accepted

  @CLP-APP-017 @needs-clock
  Scenario: A copied authenticator shows
    Given a pending request called first
    And a pending request called second
    And a passkey of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second with an old counter
    When the same call is made on second
    Then it is refused as evidence-invalid

  @CLP-APP-025 @CLP-APP-006
  Scenario: Who agrees to less signs that
    Given permissions called implying that imply those for reading
    And a pending request with:
      | part        | value      |
      | permissions | {implying} |
    When Ben calls challenge_open with:
      | part             | value                    |
      | permissions      | {probe.read_permissions} |
      | lifetime_seconds | 5                        |
    Then it is accepted
    And the challenge is that of its parts
    And the answer has:
      | member                                     | value                                                |
      | version                                    | 2                                                    |
      | digest                                     | not {request.digest}                                 |
      | approval_document.version                  | 2                                                    |
      | approval_document.request_id               | {request.id}                                         |
      | approval_document.requester                | {ana.id}                                             |
      | approval_document.permission_schema_digest | {request.approval_document.permission_schema_digest} |
      | approval_document.request.permissions      | {probe.read_permissions}                             |
      | approval_document.request.lifetime_seconds | 5                                                    |
      | approval_document.request.purpose          | {request.submitted.purpose}                          |
    And the request request has:
      | member  | value            |
      | version | 1                |
      | digest  | {request.digest} |

  @CLP-APP-026 @CLP-CRE-017 @needs-clock
  Scenario: What is created is what was agreed to, and no more
    Given permissions called implying that imply those for reading
    And a pending request with:
      | part        | value      |
      | permissions | {implying} |
    And a passkey of Ben
    When Ben calls challenge_open with:
      | part             | value                    |
      | permissions      | {probe.read_permissions} |
      | lifetime_seconds | 50                       |
    Then it is accepted
    And the answer is called signed
    Given Ben signs the same challenge for request
    When Ben calls approval_submit
    Then it is accepted
    And the answer has:
      | member  | value |
      | version | 2     |
    And the request request has:
      | member            | value                      |
      | state             | "approved"                 |
      | version           | 2                          |
      | digest            | {signed.digest}            |
      | approval_document | {signed.approval_document} |
      | submitted         | {request.submitted}        |
    When Ana calls request_read on request
    Then it is accepted
    And the answer is called agreed
    And the digest of agreed is that of its approval document
    When Ana calls credential_create with:
      | part | value                          |
      | body | {"request_id": "{request.id}"} |
    Then it is accepted
    And the answer has:
      | member      | value                    |
      | permissions | {probe.read_permissions} |
      | purpose     | {request.submitted.purpose} |
      | expires_at  | {answer.created_at+50}   |

  @CLP-APP-022 @CLP-ERR-008
  Scenario: An approver cannot agree to more
    Given permissions called implying that imply those for reading
    And a pending request
    When Ben calls challenge_open with:
      | part        | value                           |
      | permissions | {request.submitted.permissions} |
    Then it is accepted
    When the same call is made with permissions set to {implying}
    Then it is refused as scope-broader
    And the answer has:
      | member                 | value                  |
      | counterexample.pointer | "/permissions/0"       |
      | counterexample.action  | {implying.0.actions.0} |

  @CLP-APP-022
  Scenario: An approver cannot agree to something else
    Given a pending request
    When Ben calls challenge_open with:
      | part        | value                           |
      | permissions | {request.submitted.permissions} |
    Then it is accepted
    When the same call is made with permissions.0.selector set to "{mark}/*"
    Then it is refused as scope-incomparable

  @CLP-APP-023
  Scenario: An approver cannot agree to a longer life
    Given a pending request with:
      | part             | value |
      | lifetime_seconds | 100   |
    When Ben calls challenge_open with:
      | part             | value |
      | lifetime_seconds | 100   |
    Then it is accepted
    When the same call is made with lifetime_seconds set to 101
    Then it is refused as expiry-out-of-range

  @CLP-APP-024
  Scenario: A refusal is of the whole
    Given a pending request
    When Ben calls challenge_open with:
      | part        | value                           |
      | permissions | {request.submitted.permissions} |
    Then it is accepted
    When the same call is made with decision set to "deny"
    Then it is refused as invalid-request

  @CLP-CRE-005
  Scenario: An approver cannot agree to what nobody defined
    Given a pending request
    When Ben calls challenge_open with:
      | part        | value                           |
      | permissions | {request.submitted.permissions} |
    Then it is accepted
    When the same call is made with permissions.0.actions.0 set to "{mark}"
    Then it is refused as unknown-permission

  @CLP-MOD-008
  Scenario: A key is not challenged
    Given an active credential
    And a pending request
    When Ben calls challenge_open
    Then it is accepted
    When the same call is made by the key
    Then it is refused as not-found

  @CLP-MOD-008 @needs-clock
  Scenario: A key decides nothing
    Given an active credential
    And a pending request
    And a passkey of Ben
    And Ben signs a challenge for request
    When Ben calls approval_submit
    Then it is accepted
    When the same call is made by the key
    Then it is refused as not-found
