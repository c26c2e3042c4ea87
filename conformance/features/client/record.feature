Feature: client/record
  What a verifier believes of a record of a decision.

  @approval @CLP-APP-110
  Scenario: A document that was altered is refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-passkey
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "passkey" |
    Given the file of the vector app-record-document
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-110
  Scenario: A signature over another document is refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-passkey
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "passkey" |
    Given the file of the vector app-record-digest
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-110
  Scenario: A decision that was turned round is refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-passkey
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "passkey" |
    Given the file of the vector app-record-flipped
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-110
  Scenario: A challenge of another purpose is refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-passkey
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "passkey" |
    Given the file of the vector app-record-context
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-111
  Scenario: A record of two requests is refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-passkey
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "passkey" |
    Given the file of the vector app-record-request
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-111
  Scenario: A record of two versions is refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-passkey
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "passkey" |
    Given the file of the vector app-record-version
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-111
  Scenario: A record of two people is refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-passkey
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "passkey" |
    Given the file of the vector app-record-approver
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-111
  Scenario: A decision by who asked is refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-passkey
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "passkey" |
    Given the file of the vector app-record-own
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-111
  Scenario: A decision on a challenge that had lapsed is refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-passkey
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "passkey" |
    Given the file of the vector app-record-late
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-112
  Scenario: A signature that does not verify is refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-passkey
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "passkey" |
    Given the file of the vector app-record-signature
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-112
  Scenario: A signature made on another site is refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-passkey
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "passkey" |
    Given the file of the vector app-record-origin
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-112
  Scenario: A signature without a person is refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-passkey
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "passkey" |
    Given the file of the vector app-record-verified
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-112
  Scenario: A decision without evidence is refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-passkey
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "passkey" |
    Given the file of the vector app-record-no-evidence
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-113
  Scenario: A passkey is no hardware key
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-hardware
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "hardware_key" |
    Given the file of the vector app-record-method
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-113
  Scenario: A key that attests itself is no hardware key
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-hardware
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "hardware_key" |
    Given the file of the vector app-record-self
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-113
  Scenario: A certificate that leads to another root is refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-hardware
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "hardware_key" |
    Given the file of the vector app-record-root
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-113
  Scenario: A registration of another key is refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-hardware
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "hardware_key" |
    Given the file of the vector app-record-other-key
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-113
  Scenario: A key that can be copied is no hardware key
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-hardware
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "hardware_key" |
    Given the file of the vector app-record-copied
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-115
  Scenario: A member that nobody knows is refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-passkey
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "passkey" |
    Given the file of the vector app-record-unknown-member
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-115
  Scenario: Two equal members are refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-passkey
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "passkey" |
    Given the file of the vector app-record-twice
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-115
  Scenario: A time in another spelling is refused
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member   | value  |
      | decision | "deny" |
    Given the file of the vector app-record-passkey
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value     |
      | decision | "approve" |
      | method   | "passkey" |
    Given the file of the vector app-record-time
    When it is asked the same
    Then it refuses

  @approval @CLP-APP-114
  Scenario: What rests on the issuer's word is said
    Given the file of the vector app-record-denial
    When the client is asked to verify_approval
    Then it does so
    And its result has:
      | member              | value   |
      | decision            | "deny"  |
      | vouched_by_issuer.0 | present |
    Given the file of the vector app-record-hardware
    When it is asked the same
    Then it does so
    And its result has:
      | member              | value          |
      | method              | "hardware_key" |
      | vouched_by_issuer.0 | present        |
