Feature: client/approve
  How a client asks a person, and what it lets a person sign.

  @approval @CLP-REQ-010
  Scenario: A pending request is not asked about faster than the issuer wants
    Given the issuer wants to be asked every 2 seconds
    And the issuer says so on every reading
    When the client is asked to request with:
      | member       | value |
      | wait_seconds | 5     |
    Then it does so
    And between two request_read lay at least 2 seconds

  @approval @CLP-REQ-011
  Scenario: The requester's words do not steer the reader's terminal
    Given the client was asked to request with:
      | member        | value                                               |
      | justification | "please\\u001b[2J approve\\u0007 this\\u202e at once" |
    When the client is asked to show
    Then it does so
    And its result has:
      | member | value            |
      | text   | contains "please" |
    And nothing that it said has control characters

  @approval @CLP-APP-007
  Scenario: What is signed is the request that was shown
    Given the client was asked to passkey
    And a person registers the client's passkey
    And the client was asked to request
    When the client is asked to approve
    Then it does so
    And the issuer saw 1 approval_submit
    Given the client was asked to request
    And the issuer states another digest than that of the request
    When it is asked the same
    Then it refuses
    And the issuer saw no approval_submit

  @approval @CLP-APP-007
  Scenario: What is signed is the challenge of that decision
    Given the client was asked to passkey
    And a person registers the client's passkey
    And the client was asked to request
    When the client is asked to approve
    Then it does so
    Given the client was asked to request
    And the issuer has another challenge signed
    When it is asked the same
    Then it refuses
    And the issuer saw no approval_submit

  @approval @CLP-APP-021 @CLP-DIS-019
  Scenario: What is shown comes from the document that the request names
    Given the client was asked to passkey
    And a person registers the client's passkey
    And the client was asked to request
    When the client is asked to approve
    Then it does so
    Given the client was asked to request
    And the issuer serves another permission document than the one asked for
    When it is asked the same
    Then it refuses
    And the issuer saw no approval_submit

  @approval @CLP-APP-027 @CLP-APP-007
  Scenario: What is signed is the lesser request that was computed here
    Given the client was asked to passkey
    And a person registers the client's passkey
    And the client was asked to request
    When the client is asked to approve with:
      | member      | value                  |
      | permissions | {narrower_permissions} |
    Then it does so
    And the issuer saw 1 approval_submit
    Given the client was asked to request
    And the issuer makes something else of what is agreed to
    When it is asked the same
    Then it refuses
    And the issuer saw no approval_submit
