Feature: rotate
  A successor is minted while the predecessor keeps working.

  @core @CLP-ROT-001
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

  @core @CLP-ROT-002 @CLP-SCO-001
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

  @core @CLP-ROT-003 @CLP-CRE-020
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

  @core @CLP-ROT-004
  Scenario: The successor has a key of its own
    Given an active credential called old
    When Ana calls rotation_open on old with:
      | part   | value        |
      | reason | "compromise" |
    Then it is accepted
    And the answer has:
      | member            | value            |
      | credential.key_id | not {old.key_id} |
    Given Ana reads the delivery of successor
    Then the keys of old and successor differ

  @core @CLP-ROT-005 @CLP-CRE-021
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

  @core @CLP-ROT-006
  Scenario: One rotation at a time
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    When the same call is made again
    Then it is refused as rotation-in-progress
    And 2 credentials exist

  @core @CLP-TRN-043 @CLP-ROT-006
  Scenario: Of fifty that rotate at once one does
    Given an active credential called first
    And an active credential called second
    When Ana calls rotation_open on first
    Then it is accepted
    When the same call is made on second and 50 times at once
    Then one answer is accepted, and every other is refused as rotation-in-progress
    And 4 credentials exist

  @core @CLP-ROT-007
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

  @core @CLP-ROT-007 @CLP-DLV-008 @needs-clock
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

  @core @CLP-ROT-008
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

  @core @CLP-ROT-008 @needs-clock
  Scenario: An expired credential is not rotated
    Given an active credential called first with:
      | part       | value     |
      | expires_at | {now+600} |
    And an active credential called second with:
      | part       | value     |
      | expires_at | {now+600} |
    When Ana calls rotation_open on first
    Then it is accepted
    Given the clock advances by 601 seconds
    When the same call is made on second
    Then it is refused as credential-not-active

  @core @CLP-ROT-009 @needs-clock
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

  @core @CLP-ROT-009
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

  @core @CLP-ROT-010
  Scenario: A rotation does not stretch a life
    Given an active credential called first with:
      | part       | value      |
      | expires_at | {now+3600} |
    And an active credential called second with:
      | part       | value      |
      | expires_at | {now+3600} |
    When Ana calls rotation_open on first with:
      | part       | value      |
      | expires_at | {now+1800} |
    Then it is accepted
    When the same call is made on second and with expires_at set to {now+7200}
    Then it is refused as expiry-out-of-range
    When the same call is made on second and with expires_at set to {now-60}
    Then it is refused as expiry-out-of-range

  @core @CLP-ROT-010
  Scenario: A rotation does not stretch the policy
    Given an active credential called first with:
      | part            | value                             |
      | rotation_policy | {"renewable_until": "{now+1800}"} |
    And an active credential called second with:
      | part            | value                             |
      | rotation_policy | {"renewable_until": "{now+1800}"} |
    When Ana calls rotation_open on first with:
      | part       | value     |
      | expires_at | {now+900} |
    Then it is accepted
    When the same call is made on second and with expires_at set to {now+2700}
    Then it is refused as expiry-out-of-range

  @core @CLP-ROT-009 @CLP-ROT-010 @needs-clock
  Scenario: Nothing is renewed after the policy has ended
    Given an active credential called first with:
      | part            | value                             |
      | rotation_policy | {"renewable_until": "{now+1800}"} |
    And an active credential called second with:
      | part            | value                             |
      | rotation_policy | {"renewable_until": "{now+1800}"} |
    When Ana calls rotation_open on first
    Then it is accepted
    Given the clock advances to {second.rotation_policy.renewable_until}
    When the same call is made on second
    Then it is refused as expiry-out-of-range

  @core @CLP-ROT-011 @needs-clock
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

  @core @CLP-MOD-007
  Scenario: Only who may rotate rotates
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden

  @core @CLP-MOD-005
  Scenario: A stranger's credential is not there to be rotated
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    When the same call is made by Dov
    Then it is refused as not-found

  @lifecycle @CLP-ROT-015
  Scenario: A rotation goes on once its secret was fetched
    Given an active credential called old
    When Ana calls rotation_open on old with:
      | part | value                                |
      | plan | {"quiet_period_seconds": 60}         |
    Then it is accepted
    And the answer is called rotation
    When Ana calls rotation_read on rotation
    Then it is accepted
    And the answer has:
      | member                    | value           |
      | id                        | {rotation.id}   |
      | state                     | "created"       |
      | predecessor               | {old.id}        |
      | plan.quiet_period_seconds | 60              |
      | plan.min_overlap_seconds  | 0               |
      | plan.least_basis          | "reported"      |
      | ended_at                  | absent          |
    Given Ana reads the delivery of successor
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member           | value          |
      | state            | "distributing" |
      | credential.state | "active"       |

  @lifecycle @CLP-ROT-016
  Scenario: No rotation opens more
    Given permissions called implying that imply those for reading
    And an active credential called first
    And an active credential called second
    When Ana calls rotation_open on first with:
      | part        | value                    |
      | permissions | {probe.read_permissions} |
    Then it is accepted
    When the same call is made on second and with permissions set to {implying}
    Then it is refused as scope-broader
    When the same call is made on second and with permissions.0.selector set to "*"
    Then it is refused as scope-broader
    When the same call is made on second and with permissions.0.selector set to "{mark}/*"
    Then it is refused as scope-incomparable
    And the credential second has:
      | member | value    |
      | state  | "active" |

  @lifecycle @CLP-ERR-008
  Scenario: Who asks for more is told what is more
    Given permissions called implying that imply those for reading
    And an active credential called first with:
      | part        | value      |
      | permissions | {implying} |
    And an active credential called second
    When Ana calls rotation_open on first with:
      | part        | value                                               |
      | permissions | [{probe.read_permissions.0}, {implying.0}] |
    Then it is accepted
    When the same call is made on second
    Then it is refused as scope-broader
    And the answer has:
      | member                       | value                      |
      | counterexample.pointer       | "/permissions/1"           |
      | counterexample.resource_type | {implying.0.resource_type} |
      | counterexample.action        | {implying.0.actions.0}     |
      | counterexample.text          | present                    |

  @lifecycle @CLP-ROT-003 @CLP-MOD-003
  Scenario: A rotation can open less
    Given permissions called implying that imply those for reading
    And an active credential called old with:
      | part        | value      |
      | permissions | {implying} |
    When Ana calls rotation_open on old with:
      | part        | value                    |
      | permissions | {probe.read_permissions} |
    Then it is accepted
    And the answer has:
      | member                 | value                    |
      | credential.permissions | {probe.read_permissions} |
    And the credential old has:
      | member      | value      |
      | permissions | {implying} |
    Given Ana reads the delivery of successor
    Then the key of successor opens the read probe

  @lifecycle @CLP-CRE-005
  Scenario: A rotation opens nothing that nobody defined
    Given an active credential called first
    And an active credential called second
    When Ana calls rotation_open on first with:
      | part        | value                    |
      | permissions | {probe.read_permissions} |
    Then it is accepted
    When the same call is made on second and with permissions.0.actions.0 set to "{mark}"
    Then it is refused as unknown-permission

  @lifecycle @CLP-ROT-017
  Scenario: A plan has to fit into the overlap
    Given an active credential called first with:
      | part            | value                        |
      | rotation_policy | {"max_overlap_seconds": 600} |
    And an active credential called second with:
      | part            | value                        |
      | rotation_policy | {"max_overlap_seconds": 600} |
    When Ana calls rotation_open on first with:
      | part | value                         |
      | plan | {"quiet_period_seconds": 600} |
    Then it is accepted
    And the answer has:
      | member        | value                   |
      | plan.deadline | {answer.created_at+600} |
    When the same call is made on second and with plan set to {"quiet_period_seconds": 601}
    Then it is refused as plan-impossible
    When the same call is made on second and with plan set to {"min_overlap_seconds": 601}
    Then it is refused as plan-impossible

  @lifecycle @CLP-ROT-018 @needs-clock
  Scenario: A rotation that is open at its deadline is blocked, and nothing ends
    Given an active credential called old with:
      | part            | value                        |
      | rotation_policy | {"max_overlap_seconds": 600} |
    And Ana rotates old
    And Ana reads the delivery of successor
    When Ana calls rotation_read
    Then it is accepted
    And the answer is called before
    Given the clock advances to {before.plan.deadline}
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member   | value     |
      | state    | "blocked" |
      | ended_at | absent    |
    And the key of old opens the read probe
    And the key of successor opens the read probe
    And the credential old has:
      | member | value      |
      | state  | "retiring" |

  @lifecycle @CLP-ROT-018 @needs-clock
  Scenario: A rotation that has ended is not blocked
    Given an active credential called old with:
      | part            | value                        |
      | rotation_policy | {"max_overlap_seconds": 600} |
    And Ana rotates old
    And Ana reads the delivery of successor
    And Ana revokes old
    When Ana calls rotation_read
    Then it is accepted
    Given the clock advances by 601 seconds
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member   | value       |
      | state    | "completed" |
      | ended_at | present     |

  @inventory @CLP-ROT-019
  Scenario: It is safe once every gate is met
    Given an active credential called old
    And an installed installation called place of old with:
      | part  | value                      |
      | match | {"user_agent": "nightly/"} |
    And the key of old is used as nightly/1.0
    And Ana rotates old
    When Ana calls rotation_gates
    Then it is accepted
    And the answer has:
      | member              | value         |
      | rotation_id         | {rotation.id} |
      | state               | "created"     |
      | gates               | 6 items       |
      | issuer_gates        | absent        |
      | safe_to_revoke.safe | false         |
      | safe_to_revoke.missing | {"successor": "unmet", "installations": "unmet", "health": "unmet"} |
      | usage_as_of         | about {now}   |
    Given Ana reads the delivery of successor
    And place is verified below successor with:
      | part   | value                                                                    |
      | health | {"credential": "accepted", "probe": "refused", "checked_at": "{now}"} |
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member                 | value          |
      | state                  | "distributing" |
      | safe_to_revoke.safe    | true           |
      | safe_to_revoke.missing | {}             |

  @inventory @CLP-ROT-050 @CLP-ROT-051 @CLP-ROT-052
  Scenario: What the gates say can be shown to somebody else
    Given an active credential called old
    And an installed installation called place of old with:
      | part  | value                      |
      | match | {"user_agent": "nightly/"} |
    And the key of old is used as nightly/1.0
    And Ana rotates old
    When Ana calls rotation_gates
    Then it is accepted
    And the answer has:
      | member              | value |
      | safe_to_revoke.safe | false |
    And the statement is signed by the key of the manifest
    Given Ana reads the delivery of successor
    And place is verified below successor with:
      | part   | value                                                                    |
      | health | {"credential": "accepted", "probe": "refused", "checked_at": "{now}"} |
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member              | value |
      | safe_to_revoke.safe | true  |
    And the statement is signed by the key of the manifest

  @inventory @CLP-ROT-019 @CLP-ROT-024
  Scenario: Where nothing is declared, what is seen still counts
    Given an active credential called old
    And the key of old is used as nightly/1.0
    And Ana rotates old
    And Ana reads the delivery of successor
    When Ana calls rotation_gates
    Then it is accepted
    And the gates of rotation are:
      | gate          | stands |
      | installations | met    |
      | health        | met    |
      | consumers     | unmet on observed |
      | safe          | false  |

  @lifecycle @without-inventory @CLP-ROT-020
  Scenario: Who keeps no inventory judges half of the gates
    Given an active credential called old
    And Ana rotates old
    When Ana calls rotation_gates
    Then it is accepted
    And the answer has:
      | member               | value       |
      | issuer_gates         | 3 items     |
      | issuer_gates.0.state | "unmet"     |
      | gates                | absent      |
      | safe_to_revoke       | absent      |
    Given Ana reads the delivery of successor
    Then the gates of rotation are:
      | gate      | stands          |
      | successor | met on observed |
      | overlap   | met on observed |

  @inventory @CLP-ROT-021
  Scenario: A place that has not moved holds a rotation up
    Given an active credential called old
    And a verified installation called place of old
    And a verified installation called optional of old with:
      | part     | value |
      | required | false |
    And Ana rotates old
    And Ana reads the delivery of successor
    When Ana calls rotation_gates
    Then it is accepted
    And the gates of rotation are:
      | gate          | stands |
      | installations | unmet  |
    Given place is installed below successor
    Then the gates of rotation are:
      | gate          | stands |
      | installations | unmet  |
    Given place is verified below successor
    Then the gates of rotation are:
      | gate          | stands          |
      | installations | met on reported |

  @inventory @CLP-ROT-022
  Scenario: Health is what passes, and what does not
    Given an active credential called old
    And an installed installation called place of old
    And Ana rotates old
    And Ana reads the delivery of successor
    When Ana calls rotation_gates
    Then it is accepted
    Given place is verified below successor
    Then the gates of rotation are:
      | gate   | stands |
      | health | unmet  |
    Given place is verified below successor with:
      | part   | value                                               |
      | health | {"credential": "accepted", "checked_at": "{now}"} |
    Then the gates of rotation are:
      | gate   | stands |
      | health | unmet  |
    Given place is verified below successor with:
      | part   | value                                                                    |
      | health | {"credential": "accepted", "probe": "accepted", "checked_at": "{now}"} |
    Then the gates of rotation are:
      | gate   | stands |
      | health | unmet  |
    Given place is verified below successor with:
      | part   | value                                                                   |
      | health | {"credential": "accepted", "probe": "refused", "checked_at": "{now}"} |
    Then the gates of rotation are:
      | gate   | stands          |
      | health | met on reported |
      | safe   | true            |

  @inventory @CLP-ROT-022 @CLP-ROT-026
  Scenario: Health that the issuer has seen itself
    Given an active credential called old
    And an installed installation called place of old with:
      | part  | value                      |
      | match | {"user_agent": "nightly/"} |
    And Ana rotates old with:
      | part | value                       |
      | plan | {"least_basis": "observed"} |
    And Ana reads the delivery of successor
    And place is verified below successor
    When the key of successor calls the read probe with:
      | part              | value       |
      | header User-Agent | nightly/1.0 |
    Then it is served
    And the gates of rotation are:
      | gate   | stands |
      | health | unmet  |
    When the same call is made with header Authorization set to Bearer {rotation.probe_value}
    Then it is refused with 401 and invalid_token
    And the gates of rotation are:
      | gate          | stands          |
      | installations | met on observed |
      | health        | met on observed |

  @lifecycle @CLP-ROT-026
  Scenario: A probe value has the form of a key, and opens nothing
    Given an active credential called old
    And Ana rotates old
    When the key of old calls the read probe
    Then it is served
    When the same call is made with header Authorization set to Bearer {rotation.probe_value}
    Then it is refused with 401 and invalid_token

  @inventory @CLP-ROT-023 @needs-clock
  Scenario: A predecessor has to fall silent
    Given an active credential called old
    And an installed installation called place of old with:
      | part  | value                      |
      | match | {"user_agent": "nightly/"} |
    And Ana rotates old with:
      | part | value                         |
      | plan | {"quiet_period_seconds": 600} |
    And Ana reads the delivery of successor
    When Ana calls rotation_gates
    Then it is accepted
    And the gates of rotation are:
      | gate  | stands            |
      | quiet | unmet on observed |
    Given the clock advances by 590 seconds
    And the key of old is used as nightly/1.0
    And the clock advances by 590 seconds
    Then the gates of rotation are:
      | gate  | stands |
      | quiet | unmet  |
    Given the clock advances by 11 seconds
    Then the gates of rotation are:
      | gate  | stands          |
      | quiet | met on observed |
    Given the key of old is used as nightly/1.0
    Then the gates of rotation are:
      | gate  | stands |
      | quiet | unmet  |

  @inventory @CLP-ROT-023 @needs-clock
  Scenario: What runs once a month is waited for
    Given an active credential called old
    And an installed installation called place of old with:
      | part                 | value                      |
      | match                | {"user_agent": "monthly/"} |
      | use_interval_seconds | 2678400                    |
    And Ana rotates old
    And Ana reads the delivery of successor
    When Ana calls rotation_gates
    Then it is accepted
    Given the clock advances by 604800 seconds
    Then the gates of rotation are:
      | gate  | stands |
      | quiet | unmet  |
    Given the clock advances by 2073601 seconds
    Then the gates of rotation are:
      | gate  | stands |
      | quiet | met    |

  @inventory @CLP-ROT-023
  Scenario: What was seen with the successor is not waited for
    Given an active credential called old
    And an installed installation called place of old with:
      | part                 | value                      |
      | match                | {"user_agent": "monthly/"} |
      | use_interval_seconds | 2678400                    |
    And Ana rotates old
    And Ana reads the delivery of successor
    When Ana calls rotation_gates
    Then it is accepted
    And the gates of rotation are:
      | gate  | stands |
      | quiet | unmet  |
    Given place is installed below successor
    And the key of successor is used as monthly/1.0
    Then the gates of rotation are:
      | gate  | stands |
      | quiet | met    |

  @inventory @CLP-ROT-024
  Scenario: A consumer that nobody declared holds a rotation up
    Given an active credential called old
    And the key of old is used as stranger/1.0
    And Ana rotates old
    And Ana reads the delivery of successor
    When Ana calls rotation_gates
    Then it is accepted
    And the gates of rotation are:
      | gate      | stands            |
      | consumers | unmet on observed |
    Given an installed installation called found of old with:
      | part  | value                       |
      | match | {"user_agent": "stranger/"} |
    Then the gates of rotation are:
      | gate      | stands          |
      | consumers | met on observed |

  @inventory @CLP-ROT-024
  Scenario: Two places that cannot be told apart are not known
    Given an active credential called old
    And an installed installation called first of old with:
      | part  | value                   |
      | match | {"user_agent": "twin/"} |
    And an installed installation called second of old with:
      | part  | value                   |
      | match | {"user_agent": "twin/"} |
    And the key of old is used as twin/1.0
    And Ana rotates old
    When Ana calls rotation_gates
    Then it is accepted
    And the gates of rotation are:
      | gate      | stands  |
      | consumers | unknown |
      | safe      | false   |

  @inventory @CLP-ROT-025
  Scenario: What only a client says is not enough where more is asked for
    Given an active credential called old
    And an installed installation called place of old with:
      | part  | value                      |
      | match | {"user_agent": "nightly/"} |
    And Ana rotates old with:
      | part | value                       |
      | plan | {"least_basis": "observed"} |
    And Ana reads the delivery of successor
    And place is verified below successor with:
      | part   | value                                                                   |
      | health | {"credential": "accepted", "probe": "refused", "checked_at": "{now}"} |
    When Ana calls rotation_gates
    Then it is accepted
    And the gates of rotation are:
      | gate          | stands  |
      | installations | unknown |
      | health        | unknown |
    Given the key of successor is used as nightly/1.0
    Then the gates of rotation are:
      | gate          | stands          |
      | installations | met on observed |

  @lifecycle @CLP-ROT-027
  Scenario: A rotation is taken to its end stage by stage
    Given an active credential called old
    And Ana rotates old
    And Ana reads the delivery of successor
    When Ana calls rotation_advance
    Then it is accepted
    And the answer has:
      | member   | value      |
      | state    | "draining" |
      | ended_at | absent     |
    And the key of old opens the read probe
    And the credential old has:
      | member | value      |
      | state  | "retiring" |

  @lifecycle @CLP-ROT-030 @CLP-ROT-027 @needs-clock
  Scenario: The last stage ends the predecessor
    Given an active credential called old
    And Ana rotates old with:
      | part | value                       |
      | plan | {"min_overlap_seconds": 60} |
    And Ana reads the delivery of successor
    And Ana advances rotation
    And the clock advances by 61 seconds
    When Ana calls rotation_advance
    Then it is accepted
    And the answer has:
      | member   | value       |
      | state    | "completed" |
      | ended_at | about {now} |
    And the credential old has:
      | member            | value             |
      | state             | "revoked"         |
      | revocation.mode   | "after_migration" |
      | revocation.reason | "superseded"      |
      | revocation.by     | {ana.id}          |
    And the key of successor opens the read probe

  @inventory @CLP-ROT-028
  Scenario: A rotation does not go on while a place is behind
    Given an active credential called first
    And Ana rotates first as one
    And Ana reads the delivery of one_successor
    And an active credential called second
    And an installed installation called place of second
    And Ana rotates second as two
    And Ana reads the delivery of two_successor
    When Ana calls rotation_advance on one
    Then it is accepted
    When the same call is made on two
    Then it is refused as gate-unmet
    And the answer has:
      | member | value                       |
      | gates  | ["installations", "health"] |
    And the rotation two has:
      | member | value          |
      | state  | "distributing" |

  @inventory @CLP-ROT-028
  Scenario: A rotation does not end while somebody nobody knows uses the predecessor
    Given an active credential called old
    And Ana rotates old
    And Ana reads the delivery of successor
    When Ana calls rotation_advance
    Then it is accepted
    When the key of old is used as stranger/1.0
    And the same call is made again
    Then it is refused as gate-unmet
    And the answer has:
      | member | value         |
      | gates  | ["consumers"] |
    And the key of old opens the read probe

  @lifecycle @CLP-ROT-028 @needs-clock
  Scenario: A rotation does not end before its time
    Given an active credential called old
    And Ana rotates old with:
      | part | value                        |
      | plan | {"min_overlap_seconds": 600} |
    And Ana reads the delivery of successor
    When Ana calls rotation_advance
    Then it is accepted
    When the same call is made again
    Then it is refused as gate-unmet
    And the answer has:
      | member | value       |
      | gates  | ["overlap"] |
    Given the clock advances by 601 seconds
    When the same call is made again
    Then it is accepted

  @lifecycle @CLP-ROT-029
  Scenario: A rotation whose secret nobody fetched goes nowhere
    Given an active credential called first
    And Ana rotates first as one
    And Ana reads the delivery of one_successor
    And an active credential called second
    And Ana rotates second as two
    When Ana calls rotation_advance on one
    Then it is accepted
    When the same call is made on two
    Then it is refused as rotation-not-open

  @lifecycle @CLP-ROT-029 @needs-clock
  Scenario: A rotation that is blocked goes nowhere
    Given an active credential called first
    And Ana rotates first as one
    And Ana reads the delivery of one_successor
    And an active credential called second with:
      | part            | value                        |
      | rotation_policy | {"max_overlap_seconds": 600} |
    And Ana rotates second as two
    And Ana reads the delivery of two_successor
    When Ana calls rotation_advance on one
    Then it is accepted
    Given the clock advances by 601 seconds
    When the same call is made on two
    Then it is refused as rotation-not-open

  @lifecycle @CLP-ROT-029
  Scenario: A rotation that has ended goes nowhere
    Given an active credential called old
    And Ana rotates old
    And Ana reads the delivery of successor
    And Ana advances rotation
    When Ana calls rotation_advance
    Then it is accepted
    When the same call is made again
    Then it is refused as rotation-not-open

  @lifecycle @CLP-ROT-031
  Scenario: A rotation is rolled back
    Given an active credential called old
    And Ana rotates old
    And Ana reads the delivery of successor
    When Ana calls rotation_rollback
    Then it is accepted
    And the answer has:
      | member                       | value         |
      | state                        | "rolled_back" |
      | ended_at                     | about {now}   |
      | credential.state             | "revoked"     |
      | credential.revocation.reason | "other"       |
    And the credential old has:
      | member | value    |
      | state  | "active" |
    And the key of old opens the read probe
    And the key of successor does not open the read probe

  @lifecycle @CLP-ROT-031 @needs-clock
  Scenario: A rotation that is blocked can be rolled back
    Given an active credential called old with:
      | part            | value                        |
      | rotation_policy | {"max_overlap_seconds": 600} |
    And Ana rotates old
    And Ana reads the delivery of successor
    And the clock advances by 601 seconds
    When Ana calls rotation_rollback
    Then it is accepted
    And the answer has:
      | member | value         |
      | state  | "rolled_back" |

  @lifecycle @CLP-ROT-031
  Scenario: A rotation that has ended is not rolled back
    Given an active credential called old
    And Ana rotates old
    When Ana calls rotation_rollback
    Then it is accepted
    When the same call is made again
    Then it is refused as rotation-not-open

  @lifecycle @CLP-ROT-032
  Scenario: After a compromise nobody gives the predecessor back
    Given an active credential called first
    And Ana rotates first as one
    And an active credential called second
    And Ana rotates second as two with:
      | part   | value        |
      | reason | "compromise" |
    When Ana calls rotation_rollback on one
    Then it is accepted
    When the same call is made on two
    Then it is refused as no-rollback-after-compromise
    And the credential second has:
      | member | value      |
      | state  | "retiring" |

  @inventory @CLP-ROT-033
  Scenario: The places go back first
    Given an active credential called first
    And Ana rotates first as one
    And an active credential called second
    And an installed installation called place of second
    And Ana rotates second as two
    And Ana reads the delivery of two_successor
    And place is installed below two_successor
    When Ana calls rotation_rollback on one
    Then it is accepted
    When the same call is made on two
    Then it is refused as gate-unmet
    And the answer has:
      | member | value             |
      | gates  | ["installations"] |
    Given place is installed below second
    When the same call is made on two
    Then it is accepted

  @lifecycle @CLP-ROT-037 @needs-clock
  Scenario: Where both end in the same second, nothing is rolled back
    Given an active credential called old with:
      | part       | value     |
      | expires_at | {now+600} |
    And Ana rotates old as rotation with:
      | part       | value            |
      | expires_at | {old.expires_at} |
    And Ana reads the delivery of rotation_successor
    And the clock advances by 601 seconds
    When Ana calls rotation_read on rotation
    Then it is accepted
    And the answer has:
      | member           | value       |
      | state            | "completed" |
      | credential.state | "expired"   |
    And the credential old has:
      | member    | value                   |
      | state     | "expired"               |
      | successor | {rotation_successor.id} |

  @inventory @CLP-ROT-036
  Scenario: Nothing is rolled back while a place is between the two
    Given an active credential called first
    And Ana rotates first as one
    And an active credential called second
    And an installed installation called place of second
    And Ana rotates second as two
    And Ana reads the delivery of two_successor
    And place is installed below two_successor
    And place is updating below second
    When Ana calls rotation_rollback on one
    Then it is accepted
    When the same call is made on two
    Then it is refused as gate-unmet
    And the answer has:
      | member | value             |
      | gates  | ["installations"] |
    Given place is installed below second
    When the same call is made on two
    Then it is accepted

  @lifecycle @CLP-TRN-036
  Scenario: Who takes a rotation further has to say what was seen
    Given an active credential called first
    And Ana rotates first as one
    And Ana reads the delivery of one_successor
    And an active credential called second
    And Ana rotates second as two
    And Ana reads the delivery of two_successor
    When Ana calls rotation_advance on one
    Then it is accepted
    When the same call is made on two and without header If-Match
    Then it is refused as precondition-required
    When the same call is made on two and with header If-Match set to ""stale""
    Then it is refused as precondition-failed

  @lifecycle @CLP-TRN-037
  Scenario: A rotation that has moved on is not rolled back by an old picture
    Given an active credential called first
    And Ana rotates first as one
    And an active credential called second
    And Ana rotates second as two
    When Ana calls rotation_read on two
    Then it is accepted
    And the answer is called before
    Given Ana reads the delivery of one_successor
    And Ana reads the delivery of two_successor
    When Ana calls rotation_rollback on one
    Then it is accepted
    When the same call is made on two and with header If-Match set to {before_tag}
    Then it is refused as precondition-failed
    When the same call is made on two and without header If-Match
    Then it is refused as precondition-required

  @lifecycle @CLP-MOD-007
  Scenario: Only who may rotate takes a rotation further
    Given an active credential called old
    And Ana rotates old
    And Ana reads the delivery of successor
    When Ana calls rotation_advance
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden

  @lifecycle @CLP-MOD-007
  Scenario: Only who may rotate rolls back
    Given an active credential called old
    And Ana rotates old
    When Ana calls rotation_rollback
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden

  @lifecycle @CLP-MOD-005
  Scenario: A stranger's rotation looks like none at all
    Given an active credential called old
    And Ana rotates old
    When Ana calls rotation_read
    Then it is accepted
    When the same call is made on "rot_00000000000000000000"
    Then it is refused as not-found
    And the answer is called nothing
    When the same call is made by Dov
    Then it is refused as not-found
    And the answer is the same as nothing byte for byte

  @lifecycle @CLP-MOD-005
  Scenario: A stranger's gates are not there
    Given an active credential called old
    And Ana rotates old
    When Ana calls rotation_gates
    Then it is accepted
    When the same call is made by Dov
    Then it is refused as not-found

  @lifecycle @CLP-DLV-002
  Scenario: Nobody else sees in a rotation where its delivery is
    Given an active credential called old
    And Ana rotates old
    When Ana calls rotation_read
    Then it is accepted
    And the answer has:
      | member              | value   |
      | credential.delivery | present |
    When the same call is made by Cleo
    Then it is accepted
    And the answer has:
      | member              | value  |
      | credential.delivery | absent |

  @core @without-profiles @CLP-TRN-039
  Scenario: A plan is nothing to who has no gates
    Given an active credential called first
    And an active credential called second
    When Ana calls rotation_open on first
    Then it is accepted
    And the answer has:
      | member      | value     |
      | state       | "created" |
      | plan        | absent    |
      | probe_value | absent    |
    When the same call is made on second and with plan set to {"quiet_period_seconds": 60}
    Then it is refused as invalid-request
