Feature: client/inventory
  What a client says of where a credential is used, and what it leaves out.

  @inventory @CLP-INV-007
  Scenario: What an issuer does not keep is not known
    Given the client was asked to create
    When the client is asked to inventory
    Then it does so
    And its result has:
      | member     | value |
      | undeclared | []    |
    Given the issuer keeps no inventory
    When it is asked the same
    Then it does so
    And its result has:
      | member  | value                   |
      | unknown | contains "no_inventory" |

  @inventory @CLP-INV-008
  Scenario: A consumer that could be either of two places is neither
    Given the client was asked to create
    And the client was asked to call
    And the issuer says of each consumer that it fits two places
    When the client is asked to inventory
    Then it does so
    And its result has:
      | member  | value                |
      | unknown | contains "ambiguous" |

  @inventory @CLP-INV-009
  Scenario: An inventory names no secret, wherever it stood
    Given the client was asked to create
    And the issuer tells the secret in place of a purpose
    When the client is asked to inventory
    Then it does so
    And the secret is not in its output

  @inventory @CLP-INV-009
  Scenario: A handoff names no secret, wherever it stood
    Given the client was asked to create
    And the issuer lists the secret in place of a purpose
    When the client is asked to handoff
    Then it does so
    And the secret is not in its output
