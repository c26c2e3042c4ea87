@approval
Feature: decide
  People decide, and never on what they have asked for, with whatever account.

  @CLP-REQ-014 @needs-clock
  Scenario: A request names who asks and for whom
    Given the operator adds Eve with:
      | part     | value               |
      | kind     | "agent"             |
      | acts_for | {ana.id}            |
      | actions  | ["read", "request"] |
    When Eve calls request_open
    Then it is accepted
    And the answer has:
      | member                   | value                                                                                      |
      | requester                | {eve.id}                                                                                   |
      | approval_document.actors | [{"principal": "{eve.id}", "kind": "agent"}, {"principal": "{ana.id}", "kind": "person"}] |
    And the digest of request is that of its approval document
    When the same call is made by Ana
    Then it is accepted
    And the answer has:
      | member                   | value                                        |
      | approval_document.actors | [{"principal": "{ana.id}", "kind": "person"}] |

  @CLP-POL-001 @needs-clock
  Scenario Outline: A principal of the kind <kind> decides nothing
    Given the operator adds Eve with:
      | part    | value               |
      | kind    | "person"            |
      | actions | ["read", "approve"] |
    And the operator adds Finn with:
      | part    | value               |
      | kind    | "<kind>"            |
      | actions | ["read", "approve"] |
    And a pending request
    When Eve calls challenge_open
    Then it is accepted
    When the same call is made by Finn
    Then it is refused as separation-of-duty

    Examples:
      | kind     |
      | agent    |
      | client   |
      | workload |

  @CLP-POL-001 @needs-clock
  Scenario: Nobody simulates a decision of an agent
    Given the operator adds Finn with:
      | part    | value               |
      | kind    | "agent"             |
      | actions | ["read", "approve"] |
    And a pending request called first
    And a pending request called second
    When the operator calls control_approve with:
      | part       | value      |
      | request_id | {first.id} |
      | approver   | {ben.id}   |
    Then it is accepted
    When the same call is made with request_id set to {second.id} and with approver set to {finn.id}
    Then it is refused as separation-of-duty

  @CLP-POL-002 @needs-clock
  Scenario: A second account decides nothing that the first has asked for
    Given the operator adds Eve with:
      | part    | value               |
      | actions | ["read", "approve"] |
    And the operator adds Finn with:
      | part     | value               |
      | acts_for | {ana.id}            |
      | actions  | ["read", "approve"] |
    And a pending request
    When Eve calls challenge_open
    Then it is accepted
    When the same call is made by Finn
    Then it is refused as separation-of-duty

  @CLP-POL-002 @needs-clock
  Scenario: A first account decides nothing that the second has asked for
    Given the operator adds Eve with:
      | part    | value               |
      | actions | ["read", "approve"] |
    And the operator adds Finn with:
      | part     | value               |
      | acts_for | {eve.id}            |
      | actions  | ["read", "request"] |
    And a pending request of Finn
    When Ben calls challenge_open
    Then it is accepted
    When the same call is made by Eve
    Then it is refused as separation-of-duty

  @CLP-APP-001 @needs-clock
  Scenario: Who an agent asks for decides, where nothing real depends on it
    Given the operator adds Eve with:
      | part    | value               |
      | actions | ["read", "approve"] |
    And the operator adds Finn with:
      | part     | value               |
      | kind     | "agent"             |
      | acts_for | {eve.id}            |
      | actions  | ["read", "request"] |
    And a pending request of Finn with:
      | part        | value               |
      | environment | {probe.environment} |
    When Eve calls challenge_open
    Then it is accepted
    And the answer has:
      | member   | value    |
      | approver | {eve.id} |

  @CLP-POL-003 @needs-clock
  Scenario: Who may no longer ask creates nothing
    Given an approved request called first
    And an approved request called second
    When Ana calls credential_create with:
      | part | value                        |
      | body | {"request_id": "{first.id}"} |
    Then it is accepted
    Given the operator restricts Ana with:
      | part    | value    |
      | actions | ["read"] |
    When the same call is made with body set to {"request_id": "{second.id}"}
    Then it is refused as request-not-approved

  @CLP-CTL-021 @needs-clock
  Scenario: Who is disabled creates nothing
    Given an approved request called first
    And an approved request called second
    When Ana calls credential_create with:
      | part | value                        |
      | body | {"request_id": "{first.id}"} |
    Then it is accepted
    Given the operator restricts Ana with:
      | part     | value                         |
      | actions  | ["read", "request", "create"] |
      | disabled | true                          |
    When the same call is made with body set to {"request_id": "{second.id}"}
    Then it is refused as unauthenticated

  @CLP-POL-004 @needs-clock
  Scenario: An approval by somebody who may no longer approve counts for nothing
    Given an approved request called first
    And an approved request called second
    When Ana calls credential_create with:
      | part | value                        |
      | body | {"request_id": "{first.id}"} |
    Then it is accepted
    Given the operator restricts Ben with:
      | part    | value             |
      | actions | ["read", "audit"] |
    When the same call is made with body set to {"request_id": "{second.id}"}
    Then it is refused as request-not-approved
    And 1 credential exists

  @CLP-POL-004 @needs-clock
  Scenario: An approval by somebody who is disabled counts for nothing
    Given an approved request called first
    And an approved request called second
    When Ana calls credential_create with:
      | part | value                        |
      | body | {"request_id": "{first.id}"} |
    Then it is accepted
    Given the operator restricts Ben with:
      | part     | value               |
      | actions  | ["read", "approve"] |
      | disabled | true                |
    When the same call is made with body set to {"request_id": "{second.id}"}
    Then it is refused as request-not-approved

  @CLP-APP-033 @needs-clock
  Scenario: Nobody decides in the name of somebody who is disabled
    Given a pending request called first
    And a pending request called second
    When the operator calls control_approve with:
      | part       | value      |
      | request_id | {first.id} |
    Then it is accepted
    Given the operator restricts Ben with:
      | part     | value               |
      | actions  | ["read", "approve"] |
      | disabled | true                |
    When the same call is made with request_id set to {second.id}
    Then it is refused as not-found
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-POL-005 @needs-clock
  Scenario: A signature over what was asked before proves nothing
    Given a pending request called first
    And a pending request called second
    And a passkey of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second
    And Ana amends second with:
      | part | value                    |
      | body | {"lifetime_seconds": 60} |
    When the same call is made on second
    Then it is refused as challenge-not-usable
    And the request second has:
      | member    | value              |
      | state     | "pending_approval" |
      | approvals | []                 |

  @CLP-APP-010 @needs-clock
  Scenario: A challenge is for its own approver
    Given the operator adds Eve with:
      | part    | value               |
      | actions | ["read", "approve"] |
    And a pending request called first
    And a pending request called second
    And a passkey of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second
    When the same call is made on second and by Eve
    Then it is refused as challenge-not-usable
    And the request second has:
      | member    | value              |
      | state     | "pending_approval" |
      | approvals | []                 |

  @CLP-CRE-016 @needs-clock
  Scenario: Fifty creates from one approval mint one credential
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

  @CLP-APP-025
  Scenario: Who agrees to an end of access signs that
    Given a pending request
    When Ben calls challenge_open with:
      | part            | value        |
      | renewable_until | {now+864000} |
    Then it is accepted
    And the challenge is that of its parts
    And the answer has:
      | member                                                    | value        |
      | version                                                   | 2            |
      | approval_document.request.rotation_policy.renewable_until | {now+864000} |

  @CLP-APP-030
  Scenario: An approver cannot agree to rotations that are over
    Given a pending request
    When Ben calls challenge_open with:
      | part            | value        |
      | renewable_until | {now+864000} |
    Then it is accepted
    When the same call is made with renewable_until set to {now-60}
    Then it is refused as expiry-out-of-range

  @CLP-APP-030
  Scenario: An approver cannot agree to later rotations
    Given a pending request with:
      | part            | value                               |
      | rotation_policy | {"renewable_until": "{now+864000}"} |
    When Ben calls challenge_open with:
      | part            | value                                              |
      | renewable_until | {request.submitted.rotation_policy.renewable_until} |
    Then it is accepted
    When the same call is made with renewable_until set to {now+864060}
    Then it is refused as expiry-out-of-range

  @CLP-APP-026 @needs-clock
  Scenario: A simulated approver can agree to less
    Given a pending request with:
      | part             | value |
      | lifetime_seconds | 100   |
    When the operator calls control_approve with:
      | part             | value |
      | lifetime_seconds | 50    |
    Then it is accepted
    And the answer has:
      | member  | value |
      | version | 2     |
    And the request request has:
      | member                                     | value      |
      | state                                      | "approved" |
      | approval_document.request.lifetime_seconds | 50         |
      | submitted.lifetime_seconds                 | 100        |
    When Ana calls credential_create with:
      | part | value                          |
      | body | {"request_id": "{request.id}"} |
    Then it is accepted
    And the answer has:
      | member     | value                  |
      | expires_at | {answer.created_at+50} |
