@core
Feature: discover
  A client learns from one document what an issuer can do and where.

  @CLP-DIS-001
  Scenario: Anybody reads where credentials are
    When nobody calls manifest_read
    Then it is accepted
    And the answer has:
      | member                     | value   |
      | credential_issuer_endpoint | present |
    When the same call is made by a stranger
    Then it is accepted
    When the same call is made without header CLP-Version
    Then it is accepted

  @CLP-DIS-002
  Scenario: Where credentials are is an address without more
    When nobody calls manifest_read
    Then it is accepted
    And the answer has:
      | member                     | value                           |
      | credential_issuer_endpoint | matches ^https?://[^?#]*[^?#/]$ |

  @CLP-DIS-003
  Scenario: An issuer names itself as it is found
    When nobody calls manifest_read
    Then it is accepted
    And the answer has:
      | member            | value            |
      | issuer_identifier | perhaps {issuer} |

  @CLP-DIS-004 @CLP-DIS-005
  Scenario: A manifest does not contradict itself
    When nobody calls manifest_read
    Then it is accepted
    And the answer is a manifest without contradictions

  @CLP-DIS-006
  Scenario: What is not declared is not there
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    And no undeclared operation answers

  @CLP-DIS-020
  Scenario: The credential endpoint describes itself as a protected resource
    When nobody calls resource_metadata_read
    Then it is accepted
    And the answer has:
      | member                   | value             |
      | resource                 | {endpoint}        |
      | bearer_methods_supported | contains "header" |

  @CLP-TRN-002
  Scenario: The description of the endpoint is read in one version
    When nobody calls resource_metadata_read
    Then it is accepted
    When the same call is made with header CLP-Version set to 2.0
    Then it is refused as version-not-supported

  @CLP-TRN-034
  Scenario: A manifest cannot be written
    When nobody calls manifest_read
    Then it is accepted
    When the same call is made with HTTP method set to DELETE
    Then it is refused as method-not-allowed
    And the answer has the headers:
      | name  | value          |
      | Allow | contains "GET" |

  @without-profiles @CLP-DIS-006
  Scenario: What belongs to a profile that is not claimed is not there
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    And no undeclared operation answers

  @without-inventory @CLP-DIS-006
  Scenario: What belongs to an inventory that is not kept is not there
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    And no undeclared operation answers

  @without-profiles @CLP-FLT-010
  Scenario Outline: An issuer without faults knows no <field>: <value>
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with header <field> set to <value>
    Then it is accepted
    And 2 credentials exist

    Examples:
      | field        | value           |
      | CLP-Fault    | {"status": 503} |
      | CLP-Fault    | nonsense        |
      | CLP-Test-Run | a b             |
