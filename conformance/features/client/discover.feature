Feature: client/discover
  What a client believes of an issuer, where it goes, and where it does not.

  @core @CLP-DIS-007
  Scenario: A manifest without an endpoint is of something else
    When the client is asked to create
    Then it does so
    Given the issuer leaves `credential_issuer_endpoint` out of its manifest
    When it is asked the same
    Then it refuses
    And the issuer saw no credential_create

  @core @CLP-DIS-008
  Scenario: A manifest of another issuer is not believed
    When the client is asked to create
    Then it does so
    Given the issuer states the identifier of another issuer
    When it is asked the same
    Then it refuses
    And the issuer saw no credential_create

  @core @CLP-DIS-009
  Scenario: A manifest that contradicts itself is not believed
    When the client is asked to create
    Then it does so
    Given the issuer contradicts itself about revocation
    When it is asked the same
    Then it refuses
    And the issuer saw no credential_create

  @core @CLP-DIS-010
  Scenario: A manifest that two readers could read apart is not believed
    When the client is asked to create
    Then it does so
    Given the issuer states a member of its manifest twice
    When it is asked the same
    Then it refuses
    And the issuer saw no credential_create

  @core @CLP-DIS-010
  Scenario: A manifest that is too large is not read
    When the client is asked to create
    Then it does so
    Given the issuer serves a manifest of more than 262144 bytes
    When it is asked the same
    Then it refuses
    And the issuer saw no credential_create

  @core @CLP-DIS-010
  Scenario: Garbage is no manifest
    When the client is asked to create
    Then it does so
    Given the issuer serves garbage in place of its manifest
    When it is asked the same
    Then it refuses
    And the issuer saw no credential_create

  @core @CLP-DIS-011
  Scenario: A redirect leads to no other origin
    When the client is asked to discover
    Then it does so
    Given the issuer redirects its manifest to another origin
    When it is asked the same
    Then it refuses
    And the other origin saw nothing

  @core @CLP-DIS-012
  Scenario: A name that leads to this machine is not called unless it was said to
    When the client is asked to discover with:
      | member | value             |
      | issuer | {elsewhere_https} |
    Then the other origin saw a connection
    When it is asked the same with:
      | member | value |
      | local  | false |
    Then it refuses
    And the other origin saw nothing

  @core @CLP-DIS-013
  Scenario: The credentials of an issuer are at its own origin
    When the client is asked to create
    Then it does so
    Given the issuer keeps its credentials at another origin
    When it is asked the same
    Then it refuses
    And the other origin saw nothing

  @core @CLP-DIS-015
  Scenario: A test issuer is used by those alone who mean to
    When the client is asked to create
    Then it does so
    When it is asked the same with:
      | member | value |
      | test   | false |
    Then it refuses
    And the issuer saw no credential_create

  @core @CLP-DIS-016
  Scenario: What a manifest leaves out has a default
    Given the issuer serves a manifest of one member
    When the client is asked to create
    Then it does so
    And the issuer saw 1 credential_create
    And the issuer saw 1 delivery_read

  @core @CLP-DIS-021
  Scenario: An older manifest does not come back
    Given the issuer is at version 7 of its manifest
    When the client is asked to create
    Then it does so
    Given the issuer goes back to version 6 of its manifest
    When it is asked the same
    Then it refuses
    And the issuer saw no credential_create

  @core @CLP-SEC-005
  Scenario: An issuer is called over TLS
    When the client is asked to discover
    Then it does so
    When it is asked the same with:
      | member | value               |
      | issuer | "http://192.0.2.1" |
    Then it refuses

  @core @CLP-DIS-019
  Scenario: A permission document is the one that was asked for
    Given the client was asked to create
    When the client is asked to permissions with:
      | member | value                                 |
      | digest | {credential.permission_schema_digest} |
    Then it does so
    Given the issuer serves another permission document than the one asked for
    When it is asked the same
    Then it refuses

  @core @CLP-PRM-004
  Scenario: A permission document that goes round in circles means nothing
    When the client is asked to permissions
    Then it does so
    Given the issuer serves a permission document that goes round in circles
    When it is asked the same
    Then it refuses

  @core @CLP-PRM-004
  Scenario: A permission document with an unknown member could mean anything
    When the client is asked to permissions
    Then it does so
    Given the issuer adds an unknown member to its permission document
    When it is asked the same
    Then it refuses
