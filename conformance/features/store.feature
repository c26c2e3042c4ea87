@core
Feature: store
  A secret is handed over once, to the principal that asked for it.

  @CLP-DLV-001
  Scenario: Who created it fetches the secret
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    And the answer has:
      | member        | value                             |
      | id            | {credential.delivery.id}          |
      | credential_id | {credential.id}                   |
      | mode          | "plain"                           |
      | secret.kind   | "api_key"                         |
      | secret.value  | present                           |
      | expires_at    | {credential.delivery.expires_at}  |

  @CLP-DLV-002
  Scenario: For everybody else the delivery does not exist
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    When the same call is made by Ben
    Then it is refused as not-found
    When the same call is made by Cleo
    Then it is refused as not-found

  @CLP-MOD-005
  Scenario: A stranger's delivery looks like none at all
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    When the same call is made on "dlv_00000000000000000000"
    Then it is refused as not-found
    And the answer is called nothing
    When the same call is made by Dov
    Then it is refused as not-found
    And the answer is the same as nothing byte for byte

  @CLP-DLV-002
  Scenario: Nobody else is shown where the delivery is
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    And the answer has:
      | member      | value                    |
      | delivery.id | {credential.delivery.id} |
    When the same call is made by Cleo
    Then it is accepted
    And the answer has:
      | member   | value  |
      | delivery | absent |

  @CLP-DLV-003
  Scenario: Fetching the secret activates the credential
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    And the credential credential has:
      | member | value    |
      | state  | "active" |

  @CLP-DLV-004
  Scenario: An answer that got lost can be fetched again
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    And the answer is called first
    When the same call is made again
    Then it is accepted
    And the answer is the same as first

  @CLP-DLV-005
  Scenario: The first use closes the delivery
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    When the key of credential is used
    And the same call is made again
    Then it is refused as delivery-gone

  @CLP-DLV-006 @needs-clock
  Scenario: A quarter of an hour closes the delivery
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    When the clock advances to {credential.delivery.expires_at}
    And the same call is made again
    Then it is refused as delivery-gone
    And the key of credential opens the read probe

  @CLP-DLV-006 @needs-clock
  Scenario: A delivery can be read until its last minute
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    When the clock advances by 840 seconds
    And the same call is made again
    Then it is accepted

  @CLP-DLV-007
  Scenario: A delivery says when it closes
    When Ana calls credential_create
    Then it is accepted
    And the answer has:
      | member              | value                   |
      | delivery.expires_at | {answer.created_at+900} |

  @CLP-DLV-008 @needs-clock
  Scenario: A secret that nobody fetched ends its credential
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    And the answer has:
      | member | value         |
      | state  | "provisioned" |
    When the clock advances to {credential.delivery.expires_at}
    And the same call is made again
    Then it is accepted
    And the answer has:
      | member   | value     |
      | state    | "expired" |
      | delivery | absent    |

  @CLP-DLV-008 @CLP-DLV-009 @needs-clock
  Scenario: A secret that nobody fetched can be fetched no more
    Given a provisioned credential called first
    And a provisioned credential called second
    When Ana calls delivery_read on first
    Then it is accepted
    Given the clock advances by 901 seconds
    When the same call is made on second
    Then it is refused as delivery-gone

  @CLP-DLV-009
  Scenario: Revoking closes the delivery
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    When Ana revokes credential
    And the same call is made again
    Then it is refused as delivery-gone

  @CLP-DLV-010
  Scenario: A credential remembers who has its secret
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    And the credential credential has:
      | member                   | value       |
      | disclosed_to             | 1 items     |
      | disclosed_to.0.principal | {ana.id}    |
      | disclosed_to.0.at        | about {now} |
    When the same call is made again
    Then it is accepted
    And the credential credential has:
      | member       | value   |
      | disclosed_to | 1 items |

  @CLP-CRE-002 @CLP-SEC-003 @CLP-AUD-004
  Scenario: The secret stands in no other answer
    Given a used credential
    When Ana calls credential_read
    Then it is accepted
    When Ana calls credential_list
    Then it is accepted
    When Ana calls audit_entries
    Then it is accepted
    When Ana calls rotation_open
    Then it is accepted
    When Ana calls credential_revoke
    Then it is accepted
    When Ana calls audit_entries
    Then it is accepted
