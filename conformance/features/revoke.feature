Feature: revoke
  Revoking ends a credential for good, and nothing stands in its way.

  @core @CLP-REV-001
  Scenario: A credential is revoked
    Given an active credential
    When Ana calls credential_revoke with:
      | part   | value         |
      | reason | "compromise"  |
      | note   | "note-{mark}" |
    Then it is accepted
    And the answer does not hold note-{mark}
    And the answer has:
      | member            | value           |
      | id                | {credential.id} |
      | state             | "revoked"       |
      | revocation.mode   | "immediate"     |
      | revocation.reason | "compromise"    |
      | revocation.by     | {ana.id}        |
      | revocation.at     | about {now}     |
    And the credential credential has:
      | member            | value        |
      | state             | "revoked"    |
      | revocation.reason | "compromise" |

  @core @CLP-REV-001 @needs-clock
  Scenario: A revocation has the time at which it was made
    Given an active credential
    And the clock advances by 300 seconds
    When Ana calls credential_revoke
    Then it is accepted
    And the answer has:
      | member        | value       |
      | revocation.at | about {now} |

  @core @CLP-REV-001
  Scenario: A credential that nobody has fetched is revoked
    Given a provisioned credential
    When Ana calls credential_revoke
    Then it is accepted
    And the answer has:
      | member   | value     |
      | state    | "revoked" |
      | delivery | absent    |

  @core @CLP-REV-002 @CLP-MOD-001
  Scenario: The first revocation stays on record
    Given an active credential
    When Ana calls credential_revoke
    Then it is accepted
    And the answer is called first
    When the same call is made with reason set to "compromise"
    Then it is accepted
    And the answer is the same as first

  @core @CLP-TRN-043 @CLP-REV-002
  Scenario: Of fifty that revoke at once one is on record
    Given an active credential called first
    And an active credential called second
    When Ana calls credential_revoke on first
    Then it is accepted
    When the same call is made on second and 50 times at once
    Then every answer is accepted
    And every accepted answer has the same revocation

  @core @CLP-REV-003 @CLP-MOD-001 @needs-clock
  Scenario: An expired credential stays expired
    Given an active credential with:
      | part       | value     |
      | expires_at | {now+600} |
    And the clock advances by 601 seconds
    When Ana calls credential_revoke
    Then it is accepted
    And the answer has:
      | member     | value     |
      | state      | "expired" |
      | revocation | absent    |

  @core @CLP-MOD-001 @needs-clock
  Scenario: A revoked credential does not expire
    Given an active credential with:
      | part       | value     |
      | expires_at | {now+600} |
    When Ana calls credential_revoke
    Then it is accepted
    Given the clock advances by 601 seconds
    Then the credential credential has:
      | member | value     |
      | state  | "revoked" |

  @core @CLP-REV-004 @without-inventory
  Scenario: A mode that the issuer does not have is refused
    Given an active credential
    When Ana calls credential_revoke
    Then it is accepted
    When the same call is made with mode set to "after_migration"
    Then it is refused as mode-not-supported

  @core @CLP-REV-005
  Scenario: Whoever holds a key can end it
    Given an active credential
    When the key calls credential_revoke
    Then it is accepted
    And the answer has:
      | member        | value           |
      | state         | "revoked"       |
      | revocation.by | {credential.id} |

  @core @CLP-TRN-013
  Scenario: A key ends itself once
    Given an active credential
    When the key calls credential_revoke
    Then it is accepted
    When the same call is made again
    Then it is refused as unauthenticated

  @core @CLP-MOD-008
  Scenario: A key ends no other
    Given an active credential called mine
    And an active credential called other
    When Ana calls credential_revoke on other
    Then it is accepted
    When the same call is made by the key of mine
    Then it is refused as not-found
    And the key of mine opens the read probe

  @core @CLP-REV-006
  Scenario: Revoking needs no key for idempotency
    Given an active credential
    When Ana calls credential_revoke
    Then it is accepted
    When the same call is made with header Idempotency-Key set to {mark}
    Then it is accepted
    Given a provisioned credential called leaked
    When Ana calls credential_revoke on leaked with:
      | part   | value        |
      | reason | "compromise" |
    Then it is accepted

  @core @CLP-REV-007
  Scenario: Revoking the predecessor leaves the successor
    Given a used credential called old
    And Ana rotates old
    And Ana reads the delivery of successor
    When Ana calls credential_revoke on old with:
      | part   | value        |
      | reason | "superseded" |
    Then it is accepted
    And the key of old does not open the read probe
    And the key of successor opens the read probe
    And the credential successor has:
      | member | value    |
      | state  | "active" |

  @core @CLP-REV-007
  Scenario: Revoking a credential leaves its neighbour
    Given an active credential called mine
    And an active credential called other
    When Ana calls credential_revoke on mine
    Then it is accepted
    And the key of other opens the read probe

  @core @CLP-MOD-007
  Scenario: Only who may revoke revokes
    Given an active credential
    When Ana calls credential_revoke
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden

  @core @CLP-MOD-005
  Scenario: A stranger's credential is not there to be revoked
    Given an active credential
    When Ana calls credential_revoke
    Then it is accepted
    When the same call is made by Dov
    Then it is refused as not-found
    And the answer is called foreign
    When the same call is made on "cred_00000000000000000000"
    Then it is refused as not-found
    And the answer is the same as foreign byte for byte

  @lifecycle @CLP-REV-001
  Scenario: A suspended credential is revoked
    Given an active credential
    And Ana suspends credential
    When Ana calls credential_revoke
    Then it is accepted
    And the answer has:
      | member     | value     |
      | state      | "revoked" |
      | suspension | absent    |

  @inventory @CLP-REV-008
  Scenario: A predecessor goes once everybody has moved
    Given an active credential called old
    And Ana rotates old
    And Ana reads the delivery of successor
    When Ana calls credential_revoke on old with:
      | part   | value             |
      | mode   | "after_migration" |
      | reason | "superseded"      |
    Then it is accepted
    And the answer has:
      | member            | value             |
      | state             | "revoked"         |
      | revocation.mode   | "after_migration" |
      | revocation.reason | "superseded"      |
      | revocation.by     | {ana.id}          |
    And the rotation rotation has:
      | member | value       |
      | state  | "completed" |
    And the key of old does not open the read probe
    And the key of successor opens the read probe

  @inventory @CLP-REV-009
  Scenario: A predecessor does not go before its successor has arrived
    Given an active credential called first
    And Ana rotates first
    And Ana reads the delivery of successor
    And an active credential called second
    And an installed installation called place of second
    And Ana rotates second
    When Ana calls credential_revoke on first with:
      | part | value             |
      | mode | "after_migration" |
    Then it is accepted
    When the same call is made on second
    Then it is refused as gate-unmet
    And the answer has:
      | member | value                                      |
      | gates  | ["successor", "installations", "health"]   |
    And the key of second opens the read probe
    And the rotation rotation has:
      | member | value     |
      | state  | "created" |

  @inventory @CLP-REV-010
  Scenario: What nothing replaces has nothing to wait for
    Given an active credential called first
    And an active credential called second
    And Ana rotates first
    And Ana reads the delivery of successor
    When Ana calls credential_revoke on first with:
      | part | value             |
      | mode | "after_migration" |
    Then it is accepted
    When the same call is made on second
    Then it is refused as rotation-not-open
    When the same call is made on successor
    Then it is refused as rotation-not-open
    And the key of second opens the read probe

  @inventory @CLP-REV-002
  Scenario: What is revoked is revoked, in whatever mode
    Given a revoked credential
    When Ana calls credential_revoke with:
      | part | value             |
      | mode | "after_migration" |
    Then it is accepted
    And the answer has:
      | member          | value       |
      | revocation.mode | "immediate" |

  @lifecycle @CLP-REV-011
  Scenario: A credential is suspended
    Given an active credential
    When Ana calls credential_suspend with:
      | part   | value         |
      | reason | "compromise"  |
      | note   | "note-{mark}" |
    Then it is accepted
    And the answer does not hold note-{mark}
    And the answer has:
      | member            | value        |
      | state             | "suspended"  |
      | suspension.reason | "compromise" |
      | suspension.by     | {ana.id}     |
      | suspension.at     | about {now}  |
    And the credential credential has:
      | member            | value        |
      | state             | "suspended"  |
      | suspension.reason | "compromise" |

  @lifecycle @CLP-REV-011
  Scenario: A credential that is being replaced is suspended
    Given an active credential called old
    And Ana rotates old
    When Ana calls credential_suspend on old
    Then it is accepted
    And the answer has:
      | member | value       |
      | state  | "suspended" |

  @lifecycle @CLP-REV-012
  Scenario: The first suspension stays on record
    Given an active credential
    When Ana calls credential_suspend
    Then it is accepted
    And the answer is called first
    When the same call is made with reason set to "compromise"
    Then it is accepted
    And the answer is the same as first

  @lifecycle @CLP-REV-013
  Scenario: What is not in use is not suspended
    Given an active credential called first
    And a provisioned credential called second
    And a revoked credential called third
    When Ana calls credential_suspend on first
    Then it is accepted
    When the same call is made on second
    Then it is refused as credential-not-active
    When the same call is made on third
    Then it is refused as credential-not-active

  @lifecycle @CLP-REV-013
  Scenario: What is not in use is not resumed
    Given an active credential called first
    And a provisioned credential called second
    And a revoked credential called third
    When Ana calls credential_resume on first
    Then it is accepted
    When the same call is made on second
    Then it is refused as credential-not-active
    When the same call is made on third
    Then it is refused as credential-not-active

  @lifecycle @CLP-REV-013 @needs-clock
  Scenario: What expires while it is suspended stays expired
    Given an active credential called first with:
      | part       | value     |
      | expires_at | {now+600} |
    And an active credential called second with:
      | part       | value     |
      | expires_at | {now+600} |
    And Ana suspends first
    And Ana suspends second
    When Ana calls credential_resume on first
    Then it is accepted
    Given the clock advances to {second.expires_at}
    When the same call is made on second
    Then it is refused as credential-not-active

  @lifecycle @CLP-REV-014
  Scenario: A credential works again
    Given an active credential
    And Ana suspends credential
    When Ana calls credential_resume
    Then it is accepted
    And the answer has:
      | member     | value    |
      | state      | "active" |
      | suspension | absent   |
    And the key of credential opens the read probe

  @lifecycle @CLP-REV-014
  Scenario: A credential that is being replaced works again as such
    Given an active credential called old
    And Ana rotates old
    And Ana suspends old
    When Ana calls credential_resume on old
    Then it is accepted
    And the answer has:
      | member | value      |
      | state  | "retiring" |
    And the key of old opens the read probe
    And the credential old has:
      | member | value      |
      | state  | "retiring" |

  @lifecycle @CLP-REV-014
  Scenario: What works is resumed without a change
    Given an active credential
    When Ana calls credential_read
    Then it is accepted
    And the answer is called before
    When Ana calls credential_resume
    Then it is accepted
    And the answer is the same as before

  @lifecycle @CLP-TRN-036
  Scenario: Who lets something work again has to have seen why it was stopped
    Given an active credential
    And Ana suspends credential
    When Ana calls credential_resume
    Then it is accepted
    Given Ana suspends credential
    When the same call is made without header If-Match
    Then it is refused as precondition-required
    And the key of credential does not open the read probe

  @lifecycle @CLP-TRN-037
  Scenario: What was stopped since is not resumed by an old picture
    Given an active credential
    And Ana suspends credential
    When Ana calls credential_resume
    Then it is accepted
    And the answer is called before
    Given Ana suspends credential
    When the same call is made with header If-Match set to {before_tag}
    Then it is refused as precondition-failed
    And the key of credential does not open the read probe

  @lifecycle @CLP-MOD-007
  Scenario: Only who may revoke suspends
    Given an active credential
    When Ana calls credential_suspend
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden

  @lifecycle @CLP-MOD-007
  Scenario: Only who may revoke resumes
    Given an active credential
    When Ana calls credential_resume
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden

  @lifecycle @CLP-MOD-008
  Scenario: A key does not suspend itself
    Given an active credential called mine
    And an active credential called other
    When Ana calls credential_suspend on other
    Then it is accepted
    When the same call is made on mine and by the key of mine
    Then it is refused as not-found
    And the key of mine opens the read probe
