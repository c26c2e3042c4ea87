@approval
Feature: identity
  Somebody decides by what an identity provider signs for this decision and for nothing else.

  @CLP-APP-073 @CLP-APP-018 @with-method-oidc @needs-clock
  Scenario: An ID token approves
    Given a pending request
    And an identity provider of Ben
    And Ben signs a challenge for request by oidc
    When Ben calls approval_submit
    Then it is accepted
    And the answer has:
      | member   | value     |
      | method   | "oidc" |
      | decision | "approve" |
      | approver | {ben.id}  |
    And the request request has:
      | member | value      |
      | state  | "approved" |

  @CLP-APP-073 @CLP-APP-018 @with-method-sso @needs-clock
  Scenario: The organisation's own provider approves
    Given a pending request
    And an identity provider of Ben
    And Ben signs a challenge for request by sso
    When Ben calls approval_submit
    Then it is accepted
    And the answer has:
      | member   | value     |
      | method   | "sso" |
      | decision | "approve" |
      | approver | {ben.id}  |
    And the request request has:
      | member | value      |
      | state  | "approved" |

  @CLP-APP-073 @CLP-APP-018 @with-method-oauth @needs-clock
  Scenario: A token that was granted for one decision approves
    Given a pending request
    And an identity provider of Ben
    And Ben signs a challenge for request by oauth
    When Ben calls approval_submit
    Then it is accepted
    And the answer has:
      | member   | value     |
      | method   | "oauth" |
      | decision | "approve" |
      | approver | {ben.id}  |
    And the request request has:
      | member | value      |
      | state  | "approved" |

  @CLP-APP-073 @CLP-APP-018 @with-method-oidc @needs-clock
  Scenario: An ID token denies
    Given a pending request
    And an identity provider of Ben
    And Ben signs a challenge for request to deny by oidc
    When Ben calls approval_submit
    Then it is accepted
    And the request request has:
      | member | value    |
      | state  | "denied" |

  @CLP-APP-073 @CLP-APP-018 @with-method-oauth @needs-clock
  Scenario: A token that was granted for one decision denies
    Given a pending request
    And an identity provider of Ben
    And Ben signs a challenge for request to deny by oauth
    When Ben calls approval_submit
    Then it is accepted
    And the request request has:
      | member | value    |
      | state  | "denied" |

  @CLP-APP-074 @with-method-oidc
  Scenario: Who decides is told where they can prove who they are
    Given a pending request
    And an identity provider of Ben for oidc
    When Ben calls challenge_open
    Then it is accepted
    And the answer has:
      | member                         | value                |
      | methods                        | contains "oidc"      |
      | identity_providers             | 1 items              |
      | identity_providers.0.issuer    | {provider.issuer}    |
      | identity_providers.0.client_id | {provider.client_id} |
      | identity_providers.0.methods   | ["oidc"]             |
    Given an identity provider of Ana
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member             | value   |
      | identity_providers | 1 items |

  @CLP-APP-073 @with-method-oidc @needs-clock
  Scenario: What an ID token may say besides does not matter
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oidc with two audiences
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oidc with a name for its type
    When the same call is made on second
    Then it is accepted

  @CLP-APP-060 @with-method-oidc @needs-clock
  Scenario: An ID token that the provider did not sign proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oidc
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oidc with no signature
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oidc with a shared secret
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oidc with another key
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oidc with a bit flipped
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-061 @with-method-oidc @needs-clock
  Scenario: An ID token that wants more to be understood proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oidc
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oidc with a critical word
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-062 @with-method-oidc @needs-clock
  Scenario: An ID token of another provider proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oidc
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oidc with another issuer
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-063 @with-method-oidc @needs-clock
  Scenario: An ID token of another type proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oidc
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oidc with another type
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-064 @with-method-oidc @needs-clock
  Scenario: An ID token for somebody else proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oidc
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oidc with another audience
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oidc with two audiences for another
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oidc with two audiences and no party
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-065 @with-method-oidc @needs-clock
  Scenario: An ID token of another time proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oidc
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oidc with an end that is past
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oidc with no end
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oidc with a beginning that is to come
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oidc with an old beginning
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-069 @with-method-oidc @needs-clock
  Scenario: An ID token about another account proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oidc
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oidc with another account
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oidc with the account of a colleague
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-060 @with-method-oauth @needs-clock
  Scenario: An introspection that the provider did not sign proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oauth
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oauth with no signature
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oauth with a shared secret
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oauth with another key
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oauth with a bit flipped
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-061 @with-method-oauth @needs-clock
  Scenario: An introspection that wants more to be understood proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oauth
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oauth with a critical word
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-062 @with-method-oauth @needs-clock
  Scenario: An introspection of another provider proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oauth
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oauth with another issuer
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-063 @with-method-oauth @needs-clock
  Scenario: An introspection of another type proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oauth
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oauth with another type
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-064 @with-method-oauth @needs-clock
  Scenario: An introspection for somebody else proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oauth
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oauth with another audience
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-065 @with-method-oauth @needs-clock
  Scenario: An introspection of another time proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oauth
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oauth with a beginning that is to come
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oauth with an old beginning
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-069 @with-method-oauth @needs-clock
  Scenario: An introspection about another account proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oauth
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oauth with another account
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oauth with the account of a colleague
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-066 @with-method-oidc @needs-clock
  Scenario: An ID token of a log-in proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oidc
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oidc with another nonce
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oidc with no nonce
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-067 @with-method-oidc @needs-clock
  Scenario: Somebody who logged in before has not decided
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oidc
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oidc with an old log-in
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oidc with no time of a log-in
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-068 @with-method-sso @needs-clock
  Scenario: A weaker log-in is not the organisation's
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by sso
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by sso with another class
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by sso with no class
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-070 @with-method-oauth @needs-clock
  Scenario: A token that has ended proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oauth
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oauth with a token that has ended
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-071 @with-method-oauth @needs-clock
  Scenario: A token of another client proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oauth
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oauth with another client
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-072 @with-method-oauth @needs-clock
  Scenario: A token for another decision proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oauth
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oauth with another request
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oauth with another version
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oauth with another digest
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oauth with the other decision
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oauth with another challenge
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oauth with another place
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oauth with another kind of detail
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-072 @with-method-oauth @needs-clock
  Scenario: A token for more than this decision proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oauth
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oauth with two details
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oauth with no details
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given Ben signs a challenge for second by oauth with a word more
    When the same call is made on second
    Then it is refused as evidence-invalid
    And the request second has:
      | member | value              |
      | state  | "pending_approval" |

  @CLP-APP-060 @with-method-oidc @needs-clock
  Scenario: What is no token proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oidc
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oidc
    When the same call is made on second and with evidence set to {"id_token": "e30.e30"}
    Then it is refused as evidence-invalid

  @CLP-APP-062 @with-method-sso @needs-clock
  Scenario: A provider for something else proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben for sso
    And Ben signs a challenge for first by sso
    When Ben calls approval_submit on first
    Then it is accepted
    Given an identity provider of Ben for oidc
    And Ben signs a challenge for second by sso
    When the same call is made on second
    Then it is refused as evidence-invalid

  @CLP-APP-062 @with-method-oidc @needs-clock
  Scenario: A provider that nobody has named proves nothing
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oidc
    When Ben calls approval_submit on first
    Then it is accepted
    Given an identity provider for Ben
    And Ben signs a challenge for second by oidc
    When the same call is made on second
    Then it is refused as evidence-invalid

  @CLP-APP-028 @with-method-oauth @needs-clock
  Scenario: The evidence of one method is none of another
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oauth
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oauth
    When the same call is made on second and with method set to "oidc"
    Then it is refused as evidence-invalid

  @CLP-APP-010 @with-method-oidc @needs-clock
  Scenario: An ID token is for its own request
    Given a pending request called first
    And a pending request called second
    And an identity provider of Ben
    And Ben signs a challenge for first by oidc
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second by oidc
    When the same call is made on second and with challenge_id set to "chl_00000000000000000000"
    Then it is refused as challenge-not-usable
