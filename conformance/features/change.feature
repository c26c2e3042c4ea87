@approval
Feature: change
  Who asked changes what they asked for, or takes it back.

  @CLP-REQ-015
  Scenario: A request is changed as its next version
    Given a pending request
    When Ana calls request_amend with:
      | part | value                                                              |
      | body | {"lifetime_seconds": 60, "justification": "shorter is enough {mark}"} |
    Then it is accepted
    And the answer has:
      | member                     | value                         |
      | id                         | {request.id}                  |
      | version                    | 2                             |
      | state                      | "pending_approval"            |
      | submitted.lifetime_seconds | 60                            |
      | submitted.justification    | "shorter is enough {mark}"    |
      | submitted.purpose          | {request.submitted.purpose}   |
      | submitted.permissions      | {request.submitted.permissions} |
      | digest                     | not {request.digest}          |
      | user_code                  | {request.user_code}           |
      | expires_at                 | {request.expires_at}          |
    And the answer is called changed
    And the digest of changed is that of its approval document
    And the consent of changed has none of the requester's words

  @CLP-REQ-015 @needs-clock
  Scenario: What was approved is not any more once it is changed
    Given an approved request called first
    And an approved request called second
    When Ana calls credential_create with:
      | part | value                        |
      | body | {"request_id": "{first.id}"} |
    Then it is accepted
    Given Ana amends second with:
      | part | value                    |
      | body | {"lifetime_seconds": 60} |
    When the same call is made with body set to {"request_id": "{second.id}"}
    Then it is refused as request-not-approved
    And the request second has:
      | member              | value              |
      | state               | "pending_approval" |
      | version             | 2                  |
      | approvals           | 1 items            |
      | approvals.0.version | 1                  |
    Given the operator approves second
    When the same call is made with body set to {"request_id": "{second.id}"}
    Then it is accepted
    And the answer has:
      | member     | value                  |
      | expires_at | {answer.created_at+60} |

  @CLP-REQ-016
  Scenario: Nobody changes what somebody else has asked for
    Given a pending request
    When Ana calls request_amend
    Then it is accepted
    When the same call is made by Ben
    Then it is refused as forbidden
    When the same call is made by Cleo
    Then it is refused as forbidden

  @CLP-REQ-016
  Scenario: Nobody takes back what somebody else has asked for
    Given a pending request called first
    And a pending request called second
    When Ana calls request_cancel on first
    Then it is accepted
    When the same call is made on second and by Ben
    Then it is refused as forbidden
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-MOD-005
  Scenario: A stranger's request is not there to be changed
    Given a pending request
    When Ana calls request_amend
    Then it is accepted
    When the same call is made by Dov
    Then it is refused as not-found

  @CLP-REQ-017 @needs-clock
  Scenario: Who may no longer ask changes nothing
    Given a pending request
    When Ana calls request_amend
    Then it is accepted
    Given the operator restricts Ana with:
      | part    | value              |
      | actions | ["read", "create"] |
    When the same call is made again
    Then it is refused as forbidden

  @CLP-REQ-018 @needs-clock
  Scenario Outline: A request that is <state> is not changed
    Given a pending request called first
    And a <state> request called second
    When Ana calls request_amend on first
    Then it is accepted
    When the same call is made on second
    Then it is refused as request-not-pending

    Examples:
      | state  |
      | denied |
      | issued |

  @CLP-REQ-018 @needs-clock
  Scenario Outline: A request that is <state> is not taken back
    Given a pending request called first
    And a <state> request called second
    When Ana calls request_cancel on first
    Then it is accepted
    When the same call is made on second
    Then it is refused as request-not-pending

    Examples:
      | state  |
      | denied |
      | issued |

  @CLP-REQ-018 @CLP-MOD-009
  Scenario: What was taken back stays so
    Given a pending request called first
    And a pending request called second
    And Ana cancels second
    When Ana calls request_amend on first
    Then it is accepted
    When the same call is made on second
    Then it is refused as request-not-pending
    And the request second has:
      | member | value       |
      | state  | "cancelled" |

  @CLP-REQ-019
  Scenario: A request is not changed to what nobody defined
    Given a pending request
    When Ana calls request_amend with:
      | part | value                                       |
      | body | {"permissions": {probe.read_permissions}} |
    Then it is accepted
    When the same call is made with permissions.0.actions.0 set to "{mark}"
    Then it is refused as unknown-permission

  @CLP-REQ-019
  Scenario: A request is not changed to a life that no credential has
    Given a lifetime called beyond that no credential has
    And a pending request
    When Ana calls request_amend with:
      | part | value                    |
      | body | {"lifetime_seconds": 60} |
    Then it is accepted
    When the same call is made with lifetime_seconds set to {beyond}
    Then it is refused as expiry-out-of-range

  @CLP-TRN-010
  Scenario: Where a request belongs does not change
    Given a pending request
    When Ana calls request_amend
    Then it is accepted
    When the same call is made with environment set to {probe.environment}
    Then it is refused as invalid-request

  @CLP-REQ-020
  Scenario: Who asked takes it back
    Given a pending request
    When Ana calls request_cancel
    Then it is accepted
    And the answer has:
      | member | value        |
      | id     | {request.id} |
      | state  | "cancelled"  |
    And the request request has:
      | member | value       |
      | state  | "cancelled" |

  @CLP-REQ-020 @CLP-CRE-013 @needs-clock
  Scenario: Nothing is created from what was taken back
    Given an approved request called first
    And an approved request called second
    When Ana calls credential_create with:
      | part | value                        |
      | body | {"request_id": "{first.id}"} |
    Then it is accepted
    Given Ana cancels second
    When the same call is made with body set to {"request_id": "{second.id}"}
    Then it is refused as request-not-approved

  @CLP-APP-004
  Scenario: What was taken back is not decided on
    Given a pending request called first
    And a pending request called second
    And Ana cancels second
    When Ben calls challenge_open on first
    Then it is accepted
    When the same call is made on second
    Then it is refused as request-not-pending

  @CLP-AUD-001
  Scenario: The log tells what was changed and taken back
    Given a pending request
    When Ana calls request_amend with:
      | part | value                    |
      | body | {"lifetime_seconds": 60} |
    Then it is accepted
    And the answer is called changed
    When Ana calls request_cancel
    Then it is accepted
    And the log that Ana sees tells of request.amended:
      | member     | value                |
      | actor      | {ana.id}             |
      | request_id | {request.id}         |
      | version    | 2                    |
      | digest     | {changed.digest}     |
      | changed    | ["lifetime_seconds"] |
    And the log that Ana sees tells of request.cancelled:
      | member     | value        |
      | actor      | {ana.id}     |
      | request_id | {request.id} |
