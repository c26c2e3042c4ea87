Feature: client/create
  What a client sends to get a credential, what it holds the answer against, and where the
  secret goes.

  @core @CLP-TRN-003
  Scenario: Every request names the version
    When the client is asked to create
    Then it does so
    And every request below E has CLP-Version: 1.0

  @core @CLP-TRN-012
  Scenario: Members of a later version are passed over
    Given the issuer adds members of a later version to its answers
    When the client is asked to create
    Then it does so
    When the client is asked to call
    Then it does so

  @core @CLP-CRE-025
  Scenario: A credential that opens more than was asked for is a failure
    When the client is asked to create
    Then it does so
    Given the issuer opens more than was asked for
    When it is asked the same
    Then it refuses

  @core @CLP-TRN-026
  Scenario: A create whose answer is lost is repeated as it was
    Given the issuer loses its answer to credential_create
    When the client is asked to create
    Then it does so
    And each credential_create had the same key and body
    When the client is asked to call
    Then it does so

  @core @CLP-TRN-026
  Scenario: Two creates are two
    Given the client was asked to create
    And the issuer loses its answer to credential_create
    When the client is asked to create
    Then it does so
    And each credential_create had the same key and body

  @core @CLP-TRN-033
  Scenario: Patience that is asked for is had
    Given the issuer asks for a second of patience
    When the client is asked to create
    Then between two credential_create lay at least 1 second
    Given the issuer is honest again
    When it is asked the same
    Then it does so

  @core @CLP-ERR-006
  Scenario: A refusal means what its type says, whatever its title
    When the client is asked to create
    Then it does so
    Given the issuer refuses for good and speaks of haste
    When it is asked the same
    Then it refuses
    And the issuer saw 1 credential_create

  @core @CLP-SEC-006
  Scenario: The token goes to the issuer and to nobody else
    When the client is asked to create
    Then it does so
    Given the issuer links its deliveries at another origin
    When it is asked the same
    Then it refuses
    And the other origin saw nothing

  @core @CLP-SEC-007
  Scenario: Nothing secret stands in the arguments of a process
    When the client is asked to create
    Then it does so
    And the token is not in its arguments
    And the secret is not in its arguments
    When the client is asked to call
    Then it does so
    And the secret is not in its arguments

  @core @CLP-DLV-013 @CLP-DLV-014
  Scenario: A secret is not printed
    When the client is asked to create
    Then it does so
    And the secret is not in its output

  @core @CLP-DLV-022
  Scenario: A secret that is delivered twice is of one credential
    When the client is asked to create
    Then it does so
    Given the issuer delivers the secret of the first credential once more
    When it is asked the same
    Then it refuses

  @core @CLP-DLV-022
  Scenario: A delivery whose answer is lost does not stand in the way of the next
    Given the issuer loses its answer to delivery_read
    When the client is asked to create
    Given the issuer is honest again
    When it is asked the same
    Then it does so
    When the client is asked to call
    Then it does so

  @lifecycle @CLP-DLV-021
  Scenario: A delivery is acknowledged when the secret is safe
    Given the issuer goes silent at delivery_ack
    When the client is asked to create
    Then it was stopped there
    Given the issuer is honest again
    When the client is asked to call
    Then it does so

  @lifecycle @CLP-TRN-038
  Scenario: A change names the state that it was decided on
    Given the client was asked to create
    When the client is asked to amend
    Then it does so
    And each credential_amend named the tag that credential_read had answered
