Feature: client/permissions
  What a client takes for narrower than what.

  @core @CLP-PRM-013
  Scenario: A set stays within another only where that is shown
    Given the client was asked to create with:
      | member      | value                  |
      | permissions | {narrower_permissions} |
    When the client is asked to compare with:
      | member      | value                  |
      | permissions | {narrower_permissions} |
    Then it does so
    And its result has:
      | member  | value   |
      | verdict | "equal" |
    When it is asked the same with:
      | member      | value                    |
      | permissions | {probe.read_permissions} |
    Then it does so
    And its result has:
      | member  | value     |
      | verdict | "broader" |

  @core @CLP-PRM-014
  Scenario: What the document does not define is comparable with nothing
    Given the client was asked to create
    When the client is asked to compare
    Then it does so
    And its result has:
      | member  | value   |
      | verdict | "equal" |
    When it is asked the same with:
      | member      | value                                                                   |
      | permissions | [{"resource_type": "of_nobody", "selector": "*", "actions": ["read"]}] |
    Then it does so
    And its result has:
      | member  | value          |
      | verdict | "incomparable" |
