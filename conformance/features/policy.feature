@approval-policy
Feature: policy
  An organisation says how many people decide, who they can be, and what needs nobody.

  @CLP-POL-011 @needs-clock
  Scenario: A request says what the policy comes to
    Given the operator sets the policy with:
      | part               | value    |
      | approvals_required | 2        |
      | separation_of_duty | "client" |
    When Ana calls request_open
    Then it is accepted
    And the answer has:
      | member                             | value    |
      | approval_policy.approvals_required | 2        |
      | approval_policy.separation_of_duty | "client" |
    Given the operator sets the policy with:
      | part               | value    |
      | separation_of_duty | "person" |
    When Ana calls request_read
    Then it is accepted
    And the answer has:
      | member                             | value    |
      | approval_policy.approvals_required | 1        |
      | approval_policy.separation_of_duty | "person" |

  @CLP-CTL-023 @needs-clock
  Scenario: The policy that was set last is in force
    Given the operator sets the policy with:
      | part               | value |
      | approvals_required | 2     |
    And the operator sets the policy with:
      | part               | value |
      | approvals_required | 4     |
    When Ana calls request_open
    Then it is accepted
    And the answer has:
      | member                             | value |
      | approval_policy.approvals_required | 4     |

  @CLP-POL-006 @needs-clock
  Scenario: Who it is asked for does not decide where another person has to
    Given the operator sets the policy with:
      | part               | value    |
      | separation_of_duty | "person" |
    And the operator adds Eve with:
      | part    | value               |
      | actions | ["read", "approve"] |
    And the operator adds Finn with:
      | part     | value               |
      | kind     | "agent"             |
      | acts_for | {eve.id}            |
      | actions  | ["read", "request"] |
    And a pending request of Finn
    When Ben calls challenge_open
    Then it is accepted
    When the same call is made by Eve
    Then it is refused as separation-of-duty

  @CLP-POL-006 @needs-clock
  Scenario: Who acts for a program of their own is the same person
    Given the operator sets the policy with:
      | part               | value    |
      | separation_of_duty | "person" |
    And the operator adds Gus with:
      | part    | value    |
      | kind    | "client" |
      | actions | []       |
    And the operator adds Eve with:
      | part     | value               |
      | acts_for | {gus.id}            |
      | actions  | ["read", "approve"] |
    And the operator adds Finn with:
      | part     | value               |
      | kind     | "agent"             |
      | acts_for | {eve.id}            |
      | actions  | ["read", "request"] |
    And a pending request of Finn
    When Ben calls challenge_open
    Then it is accepted
    When the same call is made by Eve
    Then it is refused as separation-of-duty

  @CLP-POL-007 @needs-clock
  Scenario: In production another person has to decide, unless the policy says otherwise
    Given an environment called live that is production
    When Ana calls request_open with:
      | part        | value  |
      | environment | {live} |
    Then it is accepted
    And the answer has:
      | member                             | value    |
      | approval_policy.separation_of_duty | "person" |
    Given the operator sets the policy with:
      | part               | value    |
      | separation_of_duty | "client" |
    When Ana calls request_read
    Then it is accepted
    And the answer has:
      | member                             | value    |
      | approval_policy.separation_of_duty | "client" |

  @CLP-POL-022 @needs-clock
  Scenario: Where two have to agree, one is not enough
    Given the operator sets the policy with:
      | part               | value |
      | approvals_required | 2     |
    And the operator adds Eve with:
      | part    | value               |
      | actions | ["read", "approve"] |
    And a pending request
    When the operator calls control_approve
    Then it is accepted
    And the request request has:
      | member    | value              |
      | state     | "pending_approval" |
      | approvals | 1 items            |
    When the operator calls control_approve with:
      | part     | value    |
      | approver | {eve.id} |
    Then it is accepted
    And the request request has:
      | member    | value      |
      | state     | "approved" |
      | approvals | 2 items    |

  @CLP-POL-022 @CLP-APP-018 @needs-clock
  Scenario: Where two have to agree, one who denies is enough
    Given the operator sets the policy with:
      | part               | value |
      | approvals_required | 2     |
    And the operator adds Eve with:
      | part    | value               |
      | actions | ["read", "approve"] |
    And a pending request
    And Ben approves request
    When the operator calls control_approve with:
      | part     | value    |
      | approver | {eve.id} |
      | decision | "deny"   |
    Then it is accepted
    And the request request has:
      | member | value    |
      | state  | "denied" |

  @CLP-POL-008 @needs-clock
  Scenario: The same person agrees once, with whatever account
    Given the operator sets the policy with:
      | part               | value |
      | approvals_required | 3     |
    And the operator adds Eve with:
      | part    | value               |
      | actions | ["read", "approve"] |
    And the operator adds Finn with:
      | part     | value               |
      | acts_for | {eve.id}            |
      | actions  | ["read", "approve"] |
    And a pending request
    And Eve approves request
    When Ben calls challenge_open
    Then it is accepted
    When the same call is made by Eve
    Then it is refused as separation-of-duty
    When the same call is made by Finn
    Then it is refused as separation-of-duty
    When the same call is made by Eve and with decision set to "deny"
    Then it is accepted

  @CLP-POL-023 @needs-clock
  Scenario: Who agrees to less is the first who agrees to that
    Given the operator sets the policy with:
      | part               | value |
      | approvals_required | 2     |
    And the operator adds Eve with:
      | part    | value               |
      | actions | ["read", "approve"] |
    And a pending request with:
      | part             | value |
      | lifetime_seconds | 100   |
    And Ben approves request
    When the operator calls control_approve with:
      | part             | value    |
      | approver         | {eve.id} |
      | lifetime_seconds | 50       |
    Then it is accepted
    And the request request has:
      | member    | value              |
      | state     | "pending_approval" |
      | version   | 2                  |
      | approvals | 2 items            |
    When the operator calls control_approve
    Then it is accepted
    And the request request has:
      | member | value      |
      | state  | "approved" |

  @CLP-POL-009 @needs-clock
  Scenario: A method that the policy does not take is not enough
    Given a pending request called first
    And a pending request called second
    And a passkey of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second
    And the operator sets the policy with:
      | part    | value            |
      | methods | ["hardware_key"] |
    When the same call is made on second
    Then it is refused as insufficient-user-authentication
    And the request second has:
      | member    | value              |
      | state     | "pending_approval" |
      | approvals | []                 |

  @CLP-POL-009 @with-method-hardware_key @needs-clock
  Scenario: Whoever is refused for the method is told which are taken
    Given a pending request called first
    And a pending request called second
    And a passkey of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second
    And the operator sets the policy with:
      | part    | value            |
      | methods | ["hardware_key"] |
    When the same call is made on second
    Then it is refused as insufficient-user-authentication
    And the answer has:
      | member  | value            |
      | methods | ["hardware_key"] |

  @CLP-APP-074 @with-method-oidc @needs-clock
  Scenario: Who decides is told of no provider whose method the policy does not take
    Given a pending request
    And an identity provider of Ben for oidc
    When Ben calls challenge_open
    Then it is accepted
    And the answer has:
      | member             | value   |
      | identity_providers | 1 items |
    Given the operator sets the policy with:
      | part    | value       |
      | methods | ["passkey"] |
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member             | value       |
      | methods            | ["passkey"] |
      | identity_providers | absent      |

  @CLP-POL-013 @CLP-POL-012 @needs-clock
  Scenario: What is within bounds needs nobody, and what is beyond does
    Given the operator sets the policy with:
      | part      | value                                                                                                |
      | automatic | {"max_lifetime_seconds": 600, "max_risk": "medium", "environments": ["{probe.environment}"]} |
    When Ana calls request_open with:
      | part             | value               |
      | environment      | {probe.environment} |
      | lifetime_seconds | 600                 |
    Then it is accepted
    And the answer has:
      | member               | value                            |
      | state                | "approved"                       |
      | approvals            | 1 items                          |
      | approvals.0.method   | "policy"                         |
      | approvals.0.approver | absent                           |
      | approvals.0.policy   | matches ^sha256:[0-9a-f]{64}$    |
    When the same call is made with lifetime_seconds set to 601
    Then it is accepted
    And the answer has:
      | member    | value              |
      | state     | "pending_approval" |
      | approvals | []                 |

  @CLP-POL-012 @needs-clock
  Scenario: What needs nobody can be created at once, and the log says by what
    Given the operator sets the policy with:
      | part      | value                                                                                                |
      | automatic | {"max_lifetime_seconds": 600, "max_risk": "medium", "environments": ["{probe.environment}"]} |
    When Ana calls request_open with:
      | part             | value               |
      | environment      | {probe.environment} |
      | lifetime_seconds | 600                 |
    Then it is accepted
    When Ana calls credential_create with:
      | part | value                          |
      | body | {"request_id": "{request.id}"} |
    Then it is accepted
    And the log that Ana sees tells of request.approved:
      | member     | value                        |
      | request_id | {request.id}                 |
      | method     | "policy"                     |
      | policy     | {request.approvals.0.policy} |
      | actor      | absent                       |

  @CLP-APP-100 @CLP-APP-103 @needs-clock
  Scenario: What policy decided can be read, and has no evidence
    Given a pending request called first
    When the operator calls control_approve
    Then it is accepted
    When Ana calls approval_read on first/approval
    Then it is accepted
    Given the operator sets the policy with:
      | part      | value                                                                                                |
      | automatic | {"max_lifetime_seconds": 600, "max_risk": "medium", "environments": ["{probe.environment}"]} |
    And a pending request called second with:
      | part             | value               |
      | environment      | {probe.environment} |
      | lifetime_seconds | 600                 |
    When Ana calls approval_read on second/approval with:
      | part             | value                   |
      | path approval_id | {second.approvals.0.id} |
    Then it is accepted
    And the answer has:
      | member            | value                      |
      | approval          | {second.approvals.0}       |
      | approval_document | {second.approval_document} |
      | challenge         | absent                     |
      | evidence          | absent                     |

  @CLP-APP-031 @needs-clock
  Scenario: What needs nobody is not renewed beyond its bound
    Given the operator sets the policy with:
      | part      | value                                                                                                |
      | automatic | {"max_lifetime_seconds": 600, "max_risk": "medium", "environments": ["{probe.environment}"]} |
    When Ana calls request_open with:
      | part             | value               |
      | environment      | {probe.environment} |
      | lifetime_seconds | 600                 |
    Then it is accepted
    When Ana calls credential_create with:
      | part | value                          |
      | body | {"request_id": "{request.id}"} |
    Then it is accepted
    And the answer has:
      | member                          | value                   |
      | rotation_policy.renewable_until | {credential.expires_at} |

  @CLP-APP-031 @needs-clock
  Scenario: An emergency is not renewed beyond its bound
    Given the operator sets the policy with:
      | part      | value                                                 |
      | emergency | {"max_lifetime_seconds": 600, "methods": ["passkey"]} |
    And an approved request with:
      | part             | value                             |
      | emergency        | "the data {mark} is gone"         |
      | lifetime_seconds | 600                               |
      | rotation_policy  | {"renewable_until": "{now+6000}"} |
    When Ana calls credential_create with:
      | part | value                          |
      | body | {"request_id": "{request.id}"} |
    Then it is accepted
    And the answer has:
      | member                          | value                   |
      | rotation_policy.renewable_until | {credential.expires_at} |

  @CLP-POL-012 @CLP-REQ-015 @needs-clock
  Scenario: A request is changed to what needs nobody
    Given the operator sets the policy with:
      | part      | value                                                                                                |
      | automatic | {"max_lifetime_seconds": 600, "max_risk": "medium", "environments": ["{probe.environment}"]} |
    And a pending request with:
      | part             | value               |
      | environment      | {probe.environment} |
      | lifetime_seconds | 601                 |
    When Ana calls request_amend with:
      | part | value                     |
      | body | {"lifetime_seconds": 600} |
    Then it is accepted
    And the answer has:
      | member               | value      |
      | state                | "approved" |
      | version              | 2          |
      | approvals.0.method   | "policy"   |
      | approvals.0.approver | absent     |

  @CLP-POL-013 @needs-clock
  Scenario: Policy approves nothing where it names no environment, and nothing that cannot wait
    Given the operator sets the policy with:
      | part      | value                                                                                                |
      | automatic | {"max_lifetime_seconds": 600, "max_risk": "medium", "environments": ["{probe.environment}"]} |
      | emergency | {"max_lifetime_seconds": 600, "methods": ["passkey"]} |
    When Ana calls request_open with:
      | part             | value               |
      | environment      | {probe.environment} |
      | lifetime_seconds | 600                 |
    Then it is accepted
    And the answer has:
      | member | value      |
      | state  | "approved" |
    When the same call is made with emergency set to "the data {mark} is gone"
    Then it is accepted
    And the answer has:
      | member | value              |
      | state  | "pending_approval" |
    Given the operator sets the policy with:
      | part      | value                                                                         |
      | automatic | {"max_lifetime_seconds": 600, "max_risk": "medium", "environments": []} |
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-POL-010 @needs-clock
  Scenario: Policy approves nothing in production
    Given an environment called live that is production
    And the operator sets the policy with:
      | part      | value                                                                                                          |
      | automatic | {"max_lifetime_seconds": 600, "max_risk": "medium", "environments": ["{live}", "{probe.environment}"]} |
    When Ana calls request_open with:
      | part             | value               |
      | environment      | {probe.environment} |
      | lifetime_seconds | 600                 |
    Then it is accepted
    And the answer has:
      | member | value      |
      | state  | "approved" |
    When the same call is made with environment set to {live}
    Then it is accepted
    And the answer has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-POL-014 @needs-clock
  Scenario: There is no emergency where the policy provides for none
    Given the operator sets the policy with:
      | part      | value                                                 |
      | emergency | {"max_lifetime_seconds": 600, "methods": ["passkey"]} |
    When Ana calls request_open with:
      | part             | value                     |
      | emergency        | "the data {mark} is gone" |
      | lifetime_seconds | 600                       |
    Then it is accepted
    Given the operator sets the policy with:
      | part               | value |
      | approvals_required | 1     |
    When the same call is made again
    Then it is refused as forbidden

  @CLP-POL-015 @needs-clock
  Scenario: An emergency is over soon
    Given the operator sets the policy with:
      | part      | value                                                 |
      | emergency | {"max_lifetime_seconds": 600, "methods": ["passkey"]} |
    When Ana calls request_open with:
      | part             | value                     |
      | emergency        | "the data {mark} is gone" |
      | lifetime_seconds | 600                       |
    Then it is accepted
    When the same call is made with lifetime_seconds set to 601
    Then it is refused as expiry-out-of-range

  @CLP-POL-016 @needs-clock
  Scenario: In an emergency one approval is enough, and the log says why
    Given the operator sets the policy with:
      | part               | value                                                 |
      | approvals_required | 2                                                     |
      | methods            | ["hardware_key"]                                      |
      | emergency          | {"max_lifetime_seconds": 600, "methods": ["passkey"]} |
    And a passkey of Ben
    And a pending request with:
      | part             | value                     |
      | emergency        | "the data {mark} is gone" |
      | lifetime_seconds | 600                       |
    And Ben signs a challenge for request
    When Ben calls approval_submit
    Then it is accepted
    And the request request has:
      | member                             | value      |
      | state                              | "approved" |
      | approval_policy.approvals_required | 1          |
    And the log that Ana sees tells of request.approved:
      | member     | value                     |
      | request_id | {request.id}              |
      | emergency  | "the data {mark} is gone" |

  @CLP-POL-009 @needs-clock
  Scenario: In an emergency it takes the method of emergencies
    Given the operator sets the policy with:
      | part      | value                                                      |
      | emergency | {"max_lifetime_seconds": 600, "methods": ["hardware_key"]} |
    And a passkey of Ben
    And a pending request called first
    And a pending request called second with:
      | part      | value                     |
      | emergency | "the data {mark} is gone" |
      | lifetime_seconds | 600                |
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second
    When the same call is made on second
    Then it is refused as insufficient-user-authentication

  @CLP-POL-016 @CLP-APP-003 @needs-clock
  Scenario: In an emergency it is still somebody else who decides
    Given the operator sets the policy with:
      | part      | value                                                 |
      | emergency | {"max_lifetime_seconds": 600, "methods": ["passkey"]} |
    And a pending request with:
      | part             | value                     |
      | emergency        | "the data {mark} is gone" |
      | lifetime_seconds | 600                       |
    When Ben calls challenge_open
    Then it is accepted
    When the same call is made by Ana
    Then it is refused as separation-of-duty

  @CLP-POL-017 @needs-clock
  Scenario: An approval counts for nothing once another person has to approve
    Given the operator sets the policy with:
      | part               | value    |
      | separation_of_duty | "client" |
    And the operator adds Eve with:
      | part    | value               |
      | actions | ["read", "approve"] |
    And the operator adds Finn with:
      | part     | value               |
      | kind     | "agent"             |
      | acts_for | {eve.id}            |
      | actions  | ["read", "request"] |
    And a pending request called first of Finn
    And a pending request called second of Finn
    And Eve approves first
    And Eve approves second
    When Finn calls credential_create with:
      | part | value                        |
      | body | {"request_id": "{first.id}"} |
    Then it is accepted
    Given the operator sets the policy with:
      | part               | value    |
      | separation_of_duty | "person" |
    When the same call is made with body set to {"request_id": "{second.id}"}
    Then it is refused as request-not-approved

  @CLP-POL-018 @needs-clock
  Scenario: An approval counts for nothing once its method is not taken
    Given a passkey of Ben
    And a pending request called first
    And a pending request called second
    And Ben approves first
    And Ben approves second
    When Ana calls credential_create with:
      | part | value                        |
      | body | {"request_id": "{first.id}"} |
    Then it is accepted
    Given the operator sets the policy with:
      | part    | value            |
      | methods | ["hardware_key"] |
    When the same call is made with body set to {"request_id": "{second.id}"}
    Then it is refused as request-not-approved

  @CLP-POL-019 @needs-clock
  Scenario: One approval is not enough once it takes two
    Given an approved request called first
    And an approved request called second
    When Ana calls credential_create with:
      | part | value                        |
      | body | {"request_id": "{first.id}"} |
    Then it is accepted
    Given the operator sets the policy with:
      | part               | value |
      | approvals_required | 2     |
    When the same call is made with body set to {"request_id": "{second.id}"}
    Then it is refused as request-not-approved
    And 1 credential exists

  @CLP-POL-020 @needs-clock
  Scenario: Policy is asked again
    Given the operator sets the policy with:
      | part      | value                                                                                                |
      | automatic | {"max_lifetime_seconds": 600, "max_risk": "medium", "environments": ["{probe.environment}"]} |
    And a pending request called first with:
      | part             | value               |
      | environment      | {probe.environment} |
      | lifetime_seconds | 600                 |
    And a pending request called second with:
      | part             | value               |
      | environment      | {probe.environment} |
      | lifetime_seconds | 600                 |
    When Ana calls credential_create with:
      | part | value                        |
      | body | {"request_id": "{first.id}"} |
    Then it is accepted
    Given the operator sets the policy with:
      | part      | value                                                                                                |
      | automatic | {"max_lifetime_seconds": 599, "max_risk": "medium", "environments": ["{probe.environment}"]} |
    When the same call is made with body set to {"request_id": "{second.id}"}
    Then it is refused as request-not-approved

  @CLP-POL-021 @needs-clock
  Scenario: An emergency is over when the policy says so
    Given the operator sets the policy with:
      | part      | value                                                 |
      | emergency | {"max_lifetime_seconds": 600, "methods": ["passkey"]} |
    And an approved request called first with:
      | part             | value                     |
      | emergency        | "the data {mark} is gone" |
      | lifetime_seconds | 600                       |
    And an approved request called second with:
      | part             | value                     |
      | emergency        | "the data {mark} is gone" |
      | lifetime_seconds | 600                       |
    When Ana calls credential_create with:
      | part | value                        |
      | body | {"request_id": "{first.id}"} |
    Then it is accepted
    Given the operator sets the policy with:
      | part               | value |
      | approvals_required | 1     |
    When the same call is made with body set to {"request_id": "{second.id}"}
    Then it is refused as request-not-approved

  @CLP-APP-104 @needs-clock
  Scenario: The record of an approval by policy holds the policy
    Given the operator sets the policy with:
      | part      | value                                                                                                |
      | automatic | {"max_lifetime_seconds": 600, "max_risk": "medium", "environments": ["{probe.environment}"]} |
    When Ana calls request_open with:
      | part             | value               |
      | environment      | {probe.environment} |
      | lifetime_seconds | 600                 |
    Then it is accepted
    When Ana calls approval_read on request/"{request.approvals.0.id}"
    Then it is accepted
    And the answer has:
      | member          | value                        |
      | approval        | {request.approvals.0}        |
      | challenge       | absent                       |
      | evidence        | absent                       |
    And the record proves the decision
