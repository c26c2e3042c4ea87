@approval
Feature: page
  The page on which a person decides tells nothing to who has not signed in, and stands in no other page.

  @CLP-PAG-001
  Scenario: Who has not signed in learns nothing about a request
    Given a pending request
    When nobody calls approval_page on request
    Then it is served
    And the answer does not hold {mark}
    And the answer does not hold {request.digest}
    And the answer does not hold {request.requester}
    And the answer is called there
    When the same call is made with path request_id set to "req_0000000000000000000000"
    Then the answer is the same as there

  @CLP-PAG-002
  Scenario: The page stands in no other page
    Given a pending request
    When nobody calls approval_page on request
    Then it is served
    And the answer has the headers:
      | header                  | value                                                                                                                    |
      | content-security-policy | matches (?i)(^\|[;,])\\s*frame-ancestors\\s+'(none\|self)'\\s*($\|[;,])                                                      |

  @CLP-PAG-003
  Scenario: The page runs no script of another origin
    Given a pending request
    When nobody calls approval_page on request
    Then it is served
    And the answer has the headers:
      | header                  | value |
      | content-security-policy | matches (?i)(^\|[;,])\\s*(script-src\|default-src)(\\s+'(self\|none\|strict-dynamic\|(nonce\|sha256\|sha384\|sha512)-[^']+)')+\\s*($\|[;,]) |

  @CLP-PAG-004
  Scenario: The page is kept nowhere
    Given a pending request
    When nobody calls approval_page on request
    Then it is served
    And the answer has the headers:
      | header        | value            |
      | cache-control | matches no-store |
