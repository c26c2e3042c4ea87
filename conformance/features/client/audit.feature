Feature: client/audit
  What a client remembers of a log, and what a verifier believes of a file.

  @audit-proofs @CLP-AUD-023
  Scenario: A log that shrank is noticed
    When the client is asked to checkpoint
    Then it does so
    Given the client was asked to create
    When the client is asked to checkpoint
    Then it does so
    Given the issuer takes entries of its log back
    When it is asked the same
    Then it refuses

  @audit-proofs @CLP-AUD-012
  Scenario: A value that does not fit its hash is refused
    Given the file of the vector aud-bundle-redacted
    When the client is asked to verify
    Then it does so
    And its result has:
      | member   | value                       |
      | redacted | ["credential_id","project"] |
    Given the file of the vector aud-bundle-whole
    When it is asked the same
    Then it does so
    And its result has:
      | member        | value |
      | authenticated | true  |
      | redacted      | []    |
    Given the file of the vector aud-bundle-value
    When it is asked the same
    Then it refuses

  @audit-proofs @CLP-AUD-012
  Scenario: A leaf in another spelling is refused
    Given the file of the vector aud-bundle-redacted
    When the client is asked to verify
    Then it does so
    And its result has:
      | member   | value                       |
      | redacted | ["credential_id","project"] |
    Given the file of the vector aud-bundle-whole
    When it is asked the same
    Then it does so
    And its result has:
      | member        | value |
      | authenticated | true  |
      | redacted      | []    |
    Given the file of the vector aud-bundle-leaf-stray
    When it is asked the same
    Then it refuses

  @audit-proofs @CLP-AUD-019
  Scenario: A checkpoint of another key is refused
    Given the file of the vector aud-bundle-redacted
    When the client is asked to verify
    Then it does so
    And its result has:
      | member   | value                       |
      | redacted | ["credential_id","project"] |
    Given the file of the vector aud-bundle-whole
    When it is asked the same
    Then it does so
    And its result has:
      | member        | value |
      | authenticated | true  |
      | redacted      | []    |
    Given the file of the vector aud-bundle-other-key
    When it is asked the same
    Then it refuses

  @audit-proofs @CLP-AUD-020
  Scenario: An entry that was never in the log is refused
    Given the file of the vector aud-bundle-redacted
    When the client is asked to verify
    Then it does so
    And its result has:
      | member   | value                       |
      | redacted | ["credential_id","project"] |
    Given the file of the vector aud-bundle-whole
    When it is asked the same
    Then it does so
    And its result has:
      | member        | value |
      | authenticated | true  |
      | redacted      | []    |
    Given the file of the vector aud-bundle-forged-leaf
    When it is asked the same
    Then it refuses

  @audit-proofs @CLP-AUD-020
  Scenario: A log that was rewritten is refused
    Given the file of the vector aud-bundle-redacted
    When the client is asked to verify
    Then it does so
    And its result has:
      | member   | value                       |
      | redacted | ["credential_id","project"] |
    Given the file of the vector aud-bundle-whole
    When it is asked the same
    Then it does so
    And its result has:
      | member        | value |
      | authenticated | true  |
      | redacted      | []    |
    Given the file of the vector aud-bundle-rewritten
    When it is asked the same
    Then it refuses

  @audit-proofs @CLP-AUD-021
  Scenario: A file of two entries is refused
    Given the file of the vector aud-bundle-redacted
    When the client is asked to verify
    Then it does so
    And its result has:
      | member   | value                       |
      | redacted | ["credential_id","project"] |
    Given the file of the vector aud-bundle-whole
    When it is asked the same
    Then it does so
    And its result has:
      | member        | value |
      | authenticated | true  |
      | redacted      | []    |
    Given the file of the vector aud-bundle-proof-index
    When it is asked the same
    Then it refuses

  @audit-proofs @CLP-AUD-021
  Scenario: A file of two logs is refused
    Given the file of the vector aud-bundle-redacted
    When the client is asked to verify
    Then it does so
    And its result has:
      | member   | value                       |
      | redacted | ["credential_id","project"] |
    Given the file of the vector aud-bundle-whole
    When it is asked the same
    Then it does so
    And its result has:
      | member        | value |
      | authenticated | true  |
      | redacted      | []    |
    Given the file of the vector aud-bundle-other-origin
    When it is asked the same
    Then it refuses

  @audit-proofs @CLP-AUD-022
  Scenario: What is redacted is said, and what rests on the issuer's word
    Given the file of the vector aud-bundle-redacted
    When the client is asked to verify
    Then it does so
    And its result has:
      | member              | value                       |
      | redacted            | ["credential_id","project"] |
      | authenticated       | true                        |
      | vouched_by_issuer.0 | present                     |
    Given the file of the vector aud-bundle-no-key
    When it is asked the same
    Then it does so
    And its result has:
      | member        | value |
      | authenticated | false |
