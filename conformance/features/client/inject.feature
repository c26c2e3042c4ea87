Feature: client/inject
  How a client brings a secret to where it is used.

  @inventory @CLP-INJ-006
  Scenario: A place is declared before it is changed
    Given the client was asked to create
    And a file settings.env with:
      """
      # settings of the import
      MODE=nightly
      """
    When the client is asked to inject
    Then it does so
    And the secret is in the file settings.env
    And the file settings.env was unchanged when installation_put came in with:
      | member | value      |
      | state  | "updating" |

  @inventory @CLP-INJ-008
  Scenario: Every other line of a file stays as it was
    Given the client was asked to create
    And a file settings.env with:
      """
      # settings of the import; EXAMPLE_KEY=not-this-one

      export MODE='nightly # not a comment'
      EXAMPLE_KEY=old
      TEXT="two
      lines"
        INDENTED = yes
      """
    When the client is asked to inject
    Then it does so
    And the secret is in the file settings.env
    And the file settings.env is as it was but for EXAMPLE_KEY

  @inventory @CLP-DLV-014
  Scenario: A file that holds a secret is for its user alone
    Given the client was asked to create
    And a file settings.env with:
      """
      MODE=nightly
      """
    When the client is asked to inject
    Then it does so
    And the secret is in the file settings.env
    And the file settings.env is private

  @core @CLP-INJ-009
  Scenario: A program finds the secret in its environment and not in its arguments
    Given the client was asked to create
    And a program that tells its arguments and its EXAMPLE_KEY
    When the client is asked to run
    Then it does so
    And the secret is in the file handed
    And the secret is not in the file arguments
    And the secret is not in its arguments

  @inventory @CLP-INV-006
  Scenario: Whoever uses a credential without being declared is shown
    Given the client was asked to create
    And the client was asked to call
    When the client is asked to inventory
    Then it does so
    And its result has:
      | member                | value   |
      | undeclared.0.address  | present |
