@core
Feature: rotate
  A successor is minted while the predecessor keeps working.

  @CLP-ROT-001
  Scenario: A rotation mints a successor
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    And the answer has:
      | member                 | value                             |
      | id                     | matches ^rot_[0-9A-Za-z]{20,40}$  |
      | state                  | "created"                         |
      | reason                 | "scheduled"                       |
      | predecessor            | {credential.id}                   |
      | successor              | {answer.credential.id}            |
      | credential.state       | "provisioned"                     |
      | credential.delivery.id | matches ^dlv_[0-9A-Za-z]{20,40}$  |

  @CLP-ROT-002 @CLP-SCO-001
  Scenario: The predecessor works on
    Given a used credential called old
    When Ana calls rotation_open on old
    Then it is accepted
    And the credential old has:
      | member | value      |
      | state  | "retiring" |
    And the key of old opens the read probe
    Given Ana reads the delivery of successor
    Then the key of successor opens the read probe
    And the key of old opens the read probe

  @CLP-ROT-003 @CLP-CRE-020
  Scenario: The successor is the predecessor with another key
    Given an active credential called old with:
      | part            | value                                                   |
      | subject         | {"kind": "workload", "id": "{mark}"}                    |
      | rotation_policy | {"rotate_every_seconds": 300, "max_overlap_seconds": 0} |
      | labels          | {"team": "{mark}"}                                      |
    When Ana calls rotation_open on old
    Then it is accepted
    And the answer has:
      | member                              | value                          |
      | credential.type                     | {old.type}                     |
      | credential.permissions              | {old.permissions}              |
      | credential.permission_schema_digest | {old.permission_schema_digest} |
      | credential.purpose                  | {old.purpose}                  |
      | credential.owner                    | {old.owner}                    |
      | credential.project                  | {old.project}                  |
      | credential.environment              | {old.environment}              |
      | credential.subject                  | {old.subject}                  |
      | credential.rotation_policy          | {old.rotation_policy}          |
      | credential.labels                   | {old.labels}                   |

  @CLP-ROT-004
  Scenario: The successor has a key of its own
    Given an active credential called old
    When Ana calls rotation_open on old
    Then it is accepted
    And the answer has:
      | member            | value            |
      | credential.key_id | not {old.key_id} |
    Given Ana reads the delivery of successor
    Then the keys of old and successor differ

  @CLP-ROT-005 @CLP-CRE-021
  Scenario: Predecessor and successor name each other
    Given an active credential called old
    When Ana calls rotation_open on old
    Then it is accepted
    And the answer has:
      | member                 | value                                             |
      | credential.predecessor | {old.id}                                          |
      | credential.created_by  | {ana.id}                                          |
      | credential.created_via | {"kind": "rotation", "rotation_id": "{answer.id}"} |
    And the credential old has:
      | member    | value          |
      | successor | {successor.id} |

  @CLP-ROT-006
  Scenario: One rotation at a time
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    When the same call is made again
    Then it is refused as rotation-in-progress
    And 2 credentials exist

  @CLP-ROT-007
  Scenario: A predecessor carries on when its successor is revoked
    Given a used credential called old
    When Ana calls rotation_open on old
    Then it is accepted
    Given Ana revokes successor
    Then the credential old has:
      | member | value    |
      | state  | "active" |
    And the key of old opens the read probe
    When the same call is made again
    Then it is accepted

  @CLP-ROT-007 @CLP-DLV-008 @needs-clock
  Scenario: A predecessor carries on when nobody fetched its successor
    Given a used credential called old
    When Ana calls rotation_open on old
    Then it is accepted
    Given the clock advances by 901 seconds
    Then the credential old has:
      | member | value    |
      | state  | "active" |
    When the same call is made again
    Then it is accepted

  @CLP-ROT-008
  Scenario: A credential that is not in use is not rotated
    Given an active credential called first
    And a provisioned credential called second
    And a revoked credential called third
    When Ana calls rotation_open on first
    Then it is accepted
    When the same call is made on second
    Then it is refused as credential-not-active
    When the same call is made on third
    Then it is refused as credential-not-active
    And 4 credentials exist

  @CLP-ROT-008 @needs-clock
  Scenario: An expired credential is not rotated
    Given an active credential called first
    And an active credential called second with:
      | part       | value     |
      | expires_at | {now+600} |
    When Ana calls rotation_open on first
    Then it is accepted
    Given the clock advances by 601 seconds
    When the same call is made on second
    Then it is refused as credential-not-active

  @CLP-ROT-009 @needs-clock
  Scenario: A successor lives as long as its predecessor was meant to
    Given an active credential with:
      | part       | value      |
      | expires_at | {now+3600} |
    And the clock advances by 1800 seconds
    When Ana calls rotation_open
    Then it is accepted
    And the answer has:
      | member                | value            |
      | credential.expires_at | about {now+3600} |

  @CLP-ROT-009
  Scenario: No successor outlives the policy by default
    Given an active credential with:
      | part            | value                             |
      | expires_at      | {now+3600}                        |
      | rotation_policy | {"renewable_until": "{now+1800}"} |
    When Ana calls rotation_open
    Then it is accepted
    And the answer has:
      | member                | value                                        |
      | credential.expires_at | {credential.rotation_policy.renewable_until} |

  @CLP-ROT-010
  Scenario: A rotation does not stretch a life
    Given an active credential with:
      | part       | value      |
      | expires_at | {now+3600} |
    When Ana calls rotation_open with:
      | part       | value      |
      | expires_at | {now+1800} |
    Then it is accepted
    Given Ana revokes successor
    When the same call is made with expires_at set to {now+7200}
    Then it is refused as expiry-out-of-range
    When the same call is made with expires_at set to {now-60}
    Then it is refused as expiry-out-of-range

  @CLP-ROT-010
  Scenario: A rotation does not stretch the policy
    Given an active credential with:
      | part            | value                             |
      | rotation_policy | {"renewable_until": "{now+1800}"} |
    When Ana calls rotation_open with:
      | part       | value     |
      | expires_at | {now+900} |
    Then it is accepted
    Given Ana revokes successor
    When the same call is made with expires_at set to {now+2700}
    Then it is refused as expiry-out-of-range

  @CLP-ROT-009 @CLP-ROT-010 @needs-clock
  Scenario: Nothing is renewed after the policy has ended
    Given an active credential called first
    And an active credential called second with:
      | part            | value                             |
      | rotation_policy | {"renewable_until": "{now+1800}"} |
    When Ana calls rotation_open on first
    Then it is accepted
    Given the clock advances to {second.rotation_policy.renewable_until}
    When the same call is made on second
    Then it is refused as expiry-out-of-range

  @CLP-ROT-011 @needs-clock
  Scenario: No overlap is so long that the issuer ends it
    Given a used credential called old with:
      | part            | value                       |
      | rotation_policy | {"max_overlap_seconds": 60} |
    When Ana calls rotation_open on old
    Then it is accepted
    Given Ana reads the delivery of successor
    And the clock advances by 600 seconds
    Then the key of old opens the read probe
    And the credential old has:
      | member | value      |
      | state  | "retiring" |

  @CLP-MOD-007
  Scenario: Only who may rotate rotates
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden

  @CLP-MOD-005
  Scenario: A stranger's credential is not there to be rotated
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    When the same call is made by Dov
    Then it is refused as not-found
