Feature: store
  A secret is handed over once, to the principal that asked for it.

  @core @CLP-DLV-001
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

  @core @CLP-DLV-002
  Scenario: For everybody else the delivery does not exist
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    When the same call is made by Ben
    Then it is refused as not-found
    When the same call is made by Cleo
    Then it is refused as not-found

  @core @CLP-MOD-005
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

  @core @CLP-DLV-002
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

  @core @CLP-DLV-003
  Scenario: Fetching the secret activates the credential
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    And the credential credential has:
      | member | value    |
      | state  | "active" |

  @core @CLP-DLV-004
  Scenario: An answer that got lost can be fetched again
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    And the answer is called first
    When the same call is made again
    Then it is accepted
    And the answer is the same as first

  @core @CLP-DLV-005
  Scenario: The first use closes the delivery
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    When the key of credential is used
    And the same call is made again
    Then it is refused as delivery-gone

  @core @CLP-DLV-006 @needs-clock
  Scenario: A quarter of an hour closes the delivery
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    When the clock advances to {credential.delivery.expires_at}
    And the same call is made again
    Then it is refused as delivery-gone
    And the key of credential opens the read probe

  @core @CLP-DLV-006 @needs-clock
  Scenario: A delivery can be read until its last minute
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    When the clock advances by 840 seconds
    And the same call is made again
    Then it is accepted

  @core @CLP-DLV-007
  Scenario: A delivery says when it closes
    When Ana calls credential_create
    Then it is accepted
    And the answer has:
      | member              | value                   |
      | delivery.expires_at | {answer.created_at+900} |

  @core @CLP-DLV-008 @needs-clock
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

  @core @CLP-DLV-008 @CLP-DLV-009 @needs-clock
  Scenario: A secret that nobody fetched can be fetched no more
    Given a provisioned credential called first
    And a provisioned credential called second
    When Ana calls delivery_read on first
    Then it is accepted
    Given the clock advances by 901 seconds
    When the same call is made on second
    Then it is refused as delivery-gone

  @core @CLP-DLV-009
  Scenario: Revoking closes the delivery
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    When Ana revokes credential
    And the same call is made again
    Then it is refused as delivery-gone

  @core @CLP-DLV-010
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

  @core @CLP-DLV-010 @needs-clock
  Scenario: A credential remembers when somebody had its secret
    Given a provisioned credential
    And the clock advances by 300 seconds
    When Ana calls delivery_read
    Then it is accepted
    And the credential credential has:
      | member            | value       |
      | disclosed_to.0.at | about {now} |

  @core @CLP-MOD-008
  Scenario: A key reads no delivery
    Given an active credential called mine
    And a provisioned credential called fresh
    When Ana calls delivery_read on fresh
    Then it is accepted
    When the same call is made by the key of mine
    Then it is refused as not-found

  @core @CLP-TRN-040
  Scenario: To ask for the head of a delivery is not to read it
    Given a provisioned credential
    And the entries of credential.delivered that Ana sees are counted
    When Ana calls delivery_read with:
      | part        | value |
      | HTTP method | HEAD  |
    Then it is accepted
    And Ana sees 0 more entries of credential.delivered
    And the credential credential has:
      | member       | value         |
      | state        | "provisioned" |
      | disclosed_to | perhaps []    |

  @core @CLP-CRE-002 @CLP-SEC-003 @CLP-AUD-004
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

  @lifecycle @CLP-DLV-015
  Scenario: A secret that has arrived is acknowledged
    Given an active credential
    When Ana calls delivery_ack
    Then it is accepted
    And the answer has:
      | member          | value                    |
      | id              | {credential.delivery.id} |
      | credential_id   | {credential.id}          |
      | acknowledged_at | about {now}              |
      | store_id        | absent                   |
    And the credential credential has:
      | member   | value    |
      | delivery | absent   |
      | state    | "active" |

  @lifecycle @CLP-DLV-015
  Scenario: The first receipt stays
    Given an active credential
    When Ana calls delivery_ack
    Then it is accepted
    And the answer is called first
    When the same call is made again
    Then it is accepted
    And the answer is the same as first

  @lifecycle @CLP-DLV-016
  Scenario: What was acknowledged is not handed out again
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    When Ana acknowledges the delivery of credential
    And the same call is made again
    Then it is refused as delivery-gone
    And the key of credential opens the read probe

  @lifecycle @CLP-DLV-017
  Scenario: What nobody has read has not arrived
    Given an active credential called first
    And a provisioned credential called second
    When Ana calls delivery_ack on first
    Then it is accepted
    When the same call is made on second
    Then it is refused as delivery-not-read

  @lifecycle @CLP-DLV-015 @needs-clock
  Scenario: A delivery that is over is not acknowledged
    Given an active credential called first
    And an active credential called second
    And a used credential called third
    When Ana calls delivery_ack on first
    Then it is accepted
    When the same call is made on third
    Then it is refused as delivery-gone
    Given the clock advances by 901 seconds
    When the same call is made on second
    Then it is refused as delivery-gone

  @lifecycle @CLP-DLV-002
  Scenario: Nobody else acknowledges a delivery
    Given an active credential called first
    When Ana calls delivery_ack on first
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as not-found
    When the same call is made by Dov
    Then it is refused as not-found
    When the same call is made on "dlv_00000000000000000000"
    Then it is refused as not-found

  @inventory @CLP-DLV-018
  Scenario: A store is named
    When Ana calls store_register
    Then it is accepted
    And the answer repeats everything that was sent
    And the answer has:
      | member        | value                            |
      | id            | matches ^sto_[0-9A-Za-z]{20,40}$ |
      | registered_by | {ana.id}                         |
      | registered_at | about {now}                      |

  @inventory @CLP-DLV-018
  Scenario: Whoever may read sees which stores there are
    When Ana calls store_register
    Then it is accepted
    And the answer is called first
    When Ana calls store_register with:
      | part        | value                          |
      | environment | "{probe.approval_environment}" |
    Then it is accepted
    And the answer is called second
    When Cleo calls store_list
    Then it is accepted
    And the items are first, second in any order
    When the same call is made with query environment set to {probe.approval_environment}
    Then it is accepted
    And the items are second
    When the same call is made with query project set to {mark}
    Then it is accepted
    And the items are none
    When the same call is made by Dov
    Then it is accepted
    And the items are none
    When the same call is made with query limit set to 1
    Then it is accepted
    And the pages of the same call hold first, second in any order

  @inventory @CLP-TRN-027
  Scenario: Stores are listed by what is defined
    When Ana calls store_list with:
      | part        | value |
      | query limit | 1     |
    Then it is accepted
    When the same call is made with query limit set to 0
    Then it is refused as invalid-query

  @inventory @CLP-MOD-007
  Scenario: Only who keeps the inventory names stores
    When Ana calls store_register
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden
    When the same call is made with project set to "{mark}"
    Then it is refused as forbidden

  @inventory @CLP-ERR-002
  Scenario: A store is of an environment that is there
    When Ana calls store_register
    Then it is accepted
    When the same call is made with environment set to "mars"
    Then it is refused as unknown-environment

  @inventory @CLP-TRN-017
  Scenario: A store is not named without a key for idempotency
    When Ana calls store_register
    Then it is accepted
    When the same call is made without header Idempotency-Key
    Then it is refused as idempotency-key-missing

  @inventory @CLP-TRN-019 @CLP-TRN-020
  Scenario: A store that is named again by the same key is the same
    When Ana calls store_register
    Then it is accepted
    And the answer is called first
    When the same call is repeated
    Then it is accepted
    And the answer is the same as first byte for byte
    When Ana calls store_list
    Then it is accepted
    And the items are first

  @inventory @CLP-DLV-019
  Scenario: A secret is in a store of its own environment
    Given an active credential called first
    And an active credential called second
    When Ana calls store_register
    Then it is accepted
    And the answer is called here
    When Ana calls store_register with:
      | part        | value                          |
      | environment | "{probe.approval_environment}" |
    Then it is accepted
    And the answer is called there
    When Ana calls delivery_ack on first with:
      | part     | value       |
      | store_id | "{here.id}" |
    Then it is accepted
    When the same call is made on second and with store_id set to "{there.id}"
    Then it is refused as unknown-store
    When the same call is made on second and with store_id set to "sto_00000000000000000000"
    Then it is refused as unknown-store

  @inventory @CLP-DLV-020
  Scenario: A credential remembers in which store it is
    Given an active credential
    When Ana calls store_register
    Then it is accepted
    And the answer is called vault
    When Ana calls delivery_ack with:
      | part     | value        |
      | store_id | "{vault.id}" |
    Then it is accepted
    And the answer has:
      | member   | value      |
      | store_id | {vault.id} |
    And the credential credential has:
      | member               | value       |
      | stored_in            | 1 items     |
      | stored_in.0.store_id | {vault.id}  |
      | stored_in.0.by       | {ana.id}    |
      | stored_in.0.at       | about {now} |
