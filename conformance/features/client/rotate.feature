Feature: client/rotate
  How a client replaces a credential without breaking what uses it.

  @lifecycle @CLP-DLV-012
  Scenario: The first call is made with a secret that is stored
    Given the client was asked to create
    And the issuer goes silent at the first call of its API
    When the client is asked to rotate
    Then it was stopped there
    Given the issuer is honest again
    When the client is asked to call with:
      | member        | value       |
      | credential_id | {minted.id} |
    Then it does so

  @lifecycle @CLP-ROT-014
  Scenario: The predecessor is not revoked before the successor is there
    Given the client was asked to create
    And the issuer goes silent at delivery_read
    When the client is asked to rotate
    Then it was stopped there
    And the issuer saw 1 rotation_open
    And the issuer saw no credential_revoke
    And the issuer saw no rotation_advance
    Given the issuer is honest again
    When the client is asked to call
    Then it does so

  @inventory @CLP-ROT-034
  Scenario: A rotation goes no further after a failed health check
    Given the client was asked to create
    And a file settings.env with:
      """
      MODE=nightly
      """
    And the client was asked to inject
    When the client is asked to rotate
    Then it does so
    And the issuer saw some rotation_advance
    Given the client was asked to create
    And a file other.env with:
      """
      MODE=nightly
      """
    And the client was asked to inject
    And the issuer serves no key any more
    When the client is asked to rotate
    Then the issuer saw 1 rotation_open
    And the issuer saw no rotation_advance
    And the issuer saw no credential_revoke

  @inventory @CLP-INJ-007
  Scenario: A place that was not seen to work is not reported as verified
    Given the client was asked to create
    And a file settings.env with:
      """
      MODE=nightly
      """
    And the client was asked to inject
    When the client is asked to rotate
    Then it does so
    And the issuer saw 1 installation_put with:
      | member | value      |
      | state  | "verified" |
    Given the client was asked to create
    And a file other.env with:
      """
      MODE=nightly
      """
    And the client was asked to inject
    And the issuer serves no key any more
    When the client is asked to rotate
    Then the issuer saw some installation_put with:
      | member | value       |
      | state  | "installed" |
    And the issuer saw no installation_put with:
      | member | value      |
      | state  | "verified" |

  @inventory @CLP-ROT-035
  Scenario: A value that is never valid is put nowhere
    Given the client was asked to create
    And a file settings.env with:
      """
      MODE=nightly
      """
    And the client was asked to inject
    When the client is asked to rotate
    Then it does so
    And the secret is in the file settings.env
    And the probe value is not in any file
    And the probe value is not in the file settings.env

  @lifecycle @CLP-ROT-040
  Scenario: Nothing is rotated of which nobody knows a place, unless there is none
    Given the client was asked to create
    When the client is asked to rotate
    Then it does so
    And the issuer saw 1 rotation_open
    Given the client was asked to create
    When it is asked the same with:
      | member    | value |
      | no_places | false |
    Then it refuses
    And the issuer saw no rotation_open

  @lifecycle @CLP-ROT-041
  Scenario: Where there is room for one key only, a gap has to be accepted
    Given the client was asked to create
    And the issuer has room for one key only
    When the client is asked to rotate with:
      | member     | value |
      | accept_gap | true  |
    Then it does so
    And the issuer saw 1 rotation_open
    Given the client was asked to create
    When it is asked the same with:
      | member     | value |
      | accept_gap | false |
    Then it refuses
    And the issuer saw no rotation_open

  @core @CLP-ROT-042
  Scenario: What expires soon is due, and what does not is not
    Given the client was asked to create
    And the client was asked to call
    When the client is asked to due
    Then it does so
    And its result has:
      | member | value         |
      | due.0  | {minted.id}   |
    When it is asked the same with:
      | member         | value |
      | within_seconds | 60    |
    Then it does so
    And its result has:
      | member | value  |
      | due.0  | absent |

  @lifecycle @CLP-SCO-014
  Scenario: A credential is not replaced by one that would have refused what was done
    Given the client was asked to create with:
      | member      | value              |
      | permissions | {both_permissions} |
    And the client was asked to call
    When the client is asked to narrow
    Then it does so
    And the issuer saw 1 rotation_open
    Given the client was asked to create with:
      | member      | value              |
      | permissions | {both_permissions} |
    And the client was asked to call
    And the issuer recommends less than was used
    When it is asked the same
    Then it refuses
    And the issuer saw no rotation_open

  @inventory @CLP-ROT-053
  Scenario Outline: A statement that says nothing is refused: <what>
    Given the file of the vector rot-statement-unknown
    When the client is asked to verify_statement
    Then it does so
    And its result has:
      | member   | value         |
      | safe     | false         |
      | unknowns | ["consumers"] |
    Given the file of the vector rot-statement-safe
    When it is asked the same
    Then it does so
    And its result has:
      | member   | value |
      | safe     | true  |
      | unknowns | []    |
    Given the file of the vector <vector>
    When it is asked the same
    Then it refuses

    Examples:
      | what                                      | vector                       |
      | it has lapsed                             | rot-statement-lapsed         |
      | it was signed for something else          | rot-statement-typ            |
      | the key is not trusted                    | rot-statement-other-key      |
      | it is signed in the name of a trusted key | rot-statement-borrowed-kid   |
      | a gate was altered                        | rot-statement-forged         |
      | nobody signed it                          | rot-statement-none           |
      | it contradicts itself                     | rot-statement-safe-unmet     |
      | it hides what cannot be told              | rot-statement-hidden-unknown |
      | it is good for too long                   | rot-statement-long           |
