@core
Feature: revoke
  Revoking ends a credential for good, and nothing stands in its way.

  @CLP-REV-001
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

  @CLP-REV-001
  Scenario: A credential that nobody has fetched is revoked
    Given a provisioned credential
    When Ana calls credential_revoke
    Then it is accepted
    And the answer has:
      | member   | value     |
      | state    | "revoked" |
      | delivery | absent    |

  @CLP-REV-002 @CLP-MOD-001
  Scenario: The first revocation stays on record
    Given an active credential
    When Ana calls credential_revoke
    Then it is accepted
    And the answer is called first
    When the same call is made with reason set to "compromise"
    Then it is accepted
    And the answer is the same as first

  @CLP-REV-003 @CLP-MOD-001 @needs-clock
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

  @CLP-MOD-001 @needs-clock
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

  @CLP-REV-004
  Scenario: A mode that the issuer does not have is refused
    Given an active credential
    When Ana calls credential_revoke
    Then it is accepted
    When the same call is made with mode set to "after_migration"
    Then it is refused as mode-not-supported

  @CLP-REV-005
  Scenario: Whoever holds a key can end it
    Given an active credential
    When the key calls credential_revoke
    Then it is accepted
    And the answer has:
      | member        | value           |
      | state         | "revoked"       |
      | revocation.by | {credential.id} |

  @CLP-TRN-013
  Scenario: A key ends itself once
    Given an active credential
    When the key calls credential_revoke
    Then it is accepted
    When the same call is made again
    Then it is refused as unauthenticated

  @CLP-MOD-008
  Scenario: A key ends no other
    Given an active credential called mine
    And an active credential called other
    When Ana calls credential_revoke on other
    Then it is accepted
    When the same call is made by the key of mine
    Then it is refused as not-found
    And the key of mine opens the read probe

  @CLP-REV-006
  Scenario: Revoking needs no key for idempotency
    Given an active credential
    When Ana calls credential_revoke
    Then it is accepted
    When the same call is made with header Idempotency-Key set to {mark}
    Then it is accepted

  @CLP-REV-007
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

  @CLP-REV-007
  Scenario: Revoking a credential leaves its neighbour
    Given an active credential called mine
    And an active credential called other
    When Ana calls credential_revoke on mine
    Then it is accepted
    And the key of other opens the read probe

  @CLP-MOD-007
  Scenario: Only who may revoke revokes
    Given an active credential
    When Ana calls credential_revoke
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden

  @CLP-MOD-005
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
