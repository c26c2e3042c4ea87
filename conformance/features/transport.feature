@core
Feature: transport
  What is the same for every endpoint.

  @CLP-TRN-001 @CLP-TRN-031 @CLP-TRN-011
  Scenario: Every answer says its version and stays out of caches
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    And the answer has the headers:
      | name          | value               |
      | CLP-Version   | "1.0"               |
      | Cache-Control | contains "no-store" |

  @CLP-TRN-002 @CLP-ERR-001 @CLP-ERR-002
  Scenario: Another version is refused
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    When the same call is made with header CLP-Version set to 2.0
    Then it is refused as version-not-supported
    When the same call is made with header CLP-Version set to {mark}
    Then it is refused as version-not-supported

  @CLP-TRN-002
  Scenario: A request without a version is read as the first
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    When the same call is made without header CLP-Version
    Then it is accepted

  @CLP-TRN-002
  Scenario: The manifest is read in one version too
    When nobody calls manifest_read
    Then it is accepted
    When the same call is made with header CLP-Version set to 2.0
    Then it is refused as version-not-supported

  @CLP-TRN-004
  Scenario: A body has a largest size
    Given an active credential
    When Ana calls credential_revoke
    Then it is accepted
    When the same call is made with a body that is 262144 bytes long
    Then it is accepted
    When the same call is made again
    Then it is accepted
    When the same call is made with a body that is 262145 bytes long
    Then it is refused as body-too-large

  @CLP-TRN-005
  Scenario: A body is JSON by its media type
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with header Content-Type set to text/plain
    Then it is refused as unsupported-media-type
    When the same call is made without header Content-Type
    Then it is refused as unsupported-media-type

  @CLP-TRN-005
  Scenario: A character set makes no other media type
    When Ana calls credential_create with:
      | part                | value                           |
      | header Content-Type | application/json; charset=utf-8 |
    Then it is accepted

  @CLP-TRN-006 @CLP-ERR-004
  Scenario: A body is JSON by its bytes
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with a body that is empty
    Then it is refused as invalid-json
    When the same call is made with a body that is cut short
    Then it is refused as invalid-json
    When the same call is made with a body that goes on after its end
    Then it is refused as invalid-json
    When the same call is made with a body that begins with a byte order mark
    Then it is refused as invalid-json
    When the same call is made with a body that has half a character
    Then it is refused as invalid-json
    When the same call is made with a body that has a comma too many
    Then it is refused as invalid-json
    When the same call is made with a body that is not UTF-8
    Then it is refused as invalid-json
    And 1 credential exists

  @CLP-TRN-007
  Scenario: A member stands in a body once
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with a body that has a member twice
    Then it is refused as duplicate-member
    When the same call is made with a body that has a member twice, once escaped
    Then it is refused as duplicate-member
    When the same call is made with a body that has a member twice inside
    Then it is refused as duplicate-member
    And 1 credential exists

  @CLP-TRN-008
  Scenario: An integer is one that every reader keeps
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with a body that holds 2^53 + 1
    Then it is refused as integer-out-of-range
    When the same call is made with a body that holds -2^53 - 1
    Then it is refused as integer-out-of-range
    When the same call is made with a body that holds 2^53 + 1 inside
    Then it is refused as integer-out-of-range
    When the same call is made with a body that holds a number beyond all bounds
    Then it is refused as integer-out-of-range

  @CLP-TRN-009 @CLP-ERR-004
  Scenario: A body is not deeper than any reader goes
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with a body that is 33 levels deep
    Then it is refused as too-deep
    When the same call is made with a body that is 100000 levels deep
    Then it is refused as too-deep
    When the same call is made with a body that is 32 levels deep
    Then it is refused as invalid-request

  @CLP-TRN-010 @CLP-ERR-005
  Scenario: A body fits the published schema
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with purpose set to ""
    Then it is refused as invalid-request
    And the problem points at /purpose
    When the same call is made with project set to "Not A Name {mark}"
    Then it is refused as invalid-request
    And the problem points at /project
    When the same call is made with type set to "password {mark}"
    Then it is refused as invalid-request
    And the problem points at /type
    When the same call is made without owner
    Then it is refused as invalid-request
    When the same call is made with a body that is an array
    Then it is refused as invalid-request
    And 1 credential exists

  @CLP-TRN-010 @CLP-ERR-003
  Scenario: A member that nobody defined is refused, unnamed
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with {mark} set to "{mark}"
    Then it is refused as invalid-request
    When the same call is made with subject set to {"kind": "user", "id": "x", "{mark}": true}
    Then it is refused as invalid-request
    When the same call is made with labels set to {"{mark}": 1}
    Then it is refused as invalid-request
    And 1 credential exists

  @CLP-TRN-010
  Scenario: Null stands nowhere
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with subject set to null
    Then it is refused as invalid-request
    When the same call is made with expires_at set to null
    Then it is refused as invalid-request

  @CLP-TRN-010
  Scenario: A time has one spelling
    When Ana calls credential_create with:
      | part       | value     |
      | expires_at | {now+600} |
    Then it is accepted
    When the same call is made with expires_at set to "2099-01-01T00:00:00.5Z"
    Then it is refused as invalid-request
    When the same call is made with expires_at set to "2099-01-01T00:00:00+00:00"
    Then it is refused as invalid-request
    When the same call is made with expires_at set to "2099-02-30T00:00:00Z"
    Then it is refused as invalid-request

  @CLP-TRN-013 @CLP-TRN-014
  Scenario: Who is not known is told where to look
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    When the same call is made by nobody
    Then it is refused as unauthenticated
    And the answer has the headers:
      | name             | value                                                    |
      | WWW-Authenticate | matches resource_metadata="https?://[^"]+/.well-known/oauth-protected-resource |
    When the same call is made by a stranger
    Then it is refused as unauthenticated
    And the answer has the headers:
      | name             | value                            |
      | WWW-Authenticate | contains "error=\\"invalid_token\\"" |

  @CLP-TRN-013
  Scenario: Another scheme is no bearer token
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    When the same call is made with header Authorization set to Basic {mark}
    Then it is refused as unauthenticated
    When the same call is made with the token under the scheme Basic
    Then it is refused as unauthenticated

  @CLP-TRN-013
  Scenario: Nobody creates unknown
    When Ana calls credential_create
    Then it is accepted
    When the same call is made by nobody
    Then it is refused as unauthenticated
    And 1 credential exists

  @CLP-TRN-015
  Scenario: A token in the query is none
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    When the same call is made with the token in the query
    Then it is refused as unauthenticated

  @CLP-TRN-016
  Scenario: Whose object it is comes before what state it is in
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    When the same call is made again
    Then it is refused as rotation-in-progress
    When the same call is made by nobody
    Then it is refused as unauthenticated
    When the same call is made by Dov
    Then it is refused as not-found
    When the same call is made by Cleo
    Then it is refused as forbidden
    When the same call is made with reason set to "{mark}"
    Then it is refused as invalid-request
    When the same call is made without header Idempotency-Key
    Then it is refused as idempotency-key-missing

  @CLP-TRN-016
  Scenario: Who calls comes before what is sent
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    When the same call is made with a body that is cut short
    Then it is refused as invalid-json
    When the same call is made by nobody and with a body that is cut short
    Then it is refused as unauthenticated
    When the same call is made by Dov and with a body that is cut short
    Then it is refused as not-found
    When the same call is made by Cleo and with a body that is cut short
    Then it is refused as forbidden

  @CLP-TRN-016
  Scenario: Who calls comes before the schema
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    When the same call is made with reason set to "{mark}"
    Then it is refused as invalid-request
    When the same call is made by Dov and with reason set to "{mark}"
    Then it is refused as not-found
    When the same call is made by Cleo and with reason set to "{mark}"
    Then it is refused as forbidden

  @CLP-TRN-016
  Scenario: Whose credential it is comes before how it is to be revoked
    Given an active credential
    When Ana calls credential_revoke
    Then it is accepted
    When the same call is made with reason set to "{mark}"
    Then it is refused as invalid-request
    When the same call is made by Dov and with reason set to "{mark}"
    Then it is refused as not-found
    When the same call is made by Cleo and with reason set to "{mark}"
    Then it is refused as forbidden

  @CLP-TRN-016
  Scenario: Who may create comes before the key
    When Ana calls credential_create
    Then it is accepted
    When the same call is made without header Idempotency-Key
    Then it is refused as idempotency-key-missing
    When the same call is made by Cleo and without header Idempotency-Key
    Then it is refused as forbidden

  @CLP-TRN-016
  Scenario: Who calls comes before the media type
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    When the same call is made with header Content-Type set to text/plain
    Then it is refused as unsupported-media-type
    When the same call is made by Cleo and with header Content-Type set to text/plain
    Then it is refused as forbidden

  @CLP-TRN-016
  Scenario: Who calls comes before the key
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    When the same call is made without header Idempotency-Key
    Then it is refused as idempotency-key-missing
    When the same call is made by Cleo and without header Idempotency-Key
    Then it is refused as forbidden

  @CLP-TRN-016
  Scenario: Form comes before state
    Given an active credential called first
    And a revoked credential called second
    When Ana calls rotation_open on first
    Then it is accepted
    When the same call is made on second
    Then it is refused as credential-not-active
    When the same call is made on second and with reason set to "{mark}"
    Then it is refused as invalid-request

  @CLP-TRN-016
  Scenario: The fault that stands first in the bytes is the one that is named
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with a body that has a member twice but no end
    Then it is refused as duplicate-member

  @CLP-TRN-016
  Scenario: Meaning comes before policy
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with environment set to {probe.approval_environment}
    Then it is refused as approval-required
    When the same call is made with environment set to {probe.approval_environment} and with permissions.0.actions.0 set to "{mark}"
    Then it is refused as unknown-permission

  @CLP-TRN-016
  Scenario: The version comes before everything
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    When the same call is made by nobody
    Then it is refused as unauthenticated
    When the same call is made by nobody and with header CLP-Version set to 2.0
    Then it is refused as version-not-supported

  @CLP-TRN-016
  Scenario: The version comes before the size, and the size before the caller
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    When the same call is made by nobody
    Then it is refused as unauthenticated
    When the same call is made by nobody and with a body that is 262145 bytes long
    Then it is refused as body-too-large
    When the same call is made with a body that is 262145 bytes long
    Then it is refused as body-too-large
    When the same call is made with header CLP-Version set to 2.0 and with a body that is 262145 bytes long
    Then it is refused as version-not-supported

  @CLP-TRN-016
  Scenario: Form comes before the key
    When Ana calls credential_create
    Then it is accepted
    When the same call is made without header Idempotency-Key
    Then it is refused as idempotency-key-missing
    When the same call is made with purpose set to "" and without header Idempotency-Key
    Then it is refused as invalid-request

  @CLP-TRN-016
  Scenario: The key comes before the meaning
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with environment set to "mars"
    Then it is refused as unknown-environment
    When the same call is made with environment set to "mars" and without header Idempotency-Key
    Then it is refused as idempotency-key-missing

  @CLP-TRN-016
  Scenario: Who may create comes before what it means
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with environment set to "mars"
    Then it is refused as unknown-environment
    When the same call is made by Cleo and with environment set to "mars"
    Then it is refused as forbidden

  @CLP-TRN-016
  Scenario: A body is read before it is said who may create
    When Ana calls credential_create
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden
    When the same call is made by Cleo and with purpose set to ""
    Then it is refused as invalid-request

  @CLP-TRN-017
  Scenario: A create without a key is refused
    When Ana calls credential_create
    Then it is accepted
    When the same call is made without header Idempotency-Key
    Then it is refused as idempotency-key-missing
    And 1 credential exists

  @CLP-TRN-017
  Scenario: A rotation without a key is refused
    Given an active credential called first
    And an active credential called second
    When Ana calls rotation_open on first
    Then it is accepted
    When the same call is made on second and without header Idempotency-Key
    Then it is refused as idempotency-key-missing

  @CLP-TRN-018
  Scenario: A key of another form is refused
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with header Idempotency-Key set to a b
    Then it is refused as idempotency-key-invalid
    When the same call is made with header Idempotency-Key set to back\slash
    Then it is refused as idempotency-key-invalid
    When the same call is made with header Idempotency-Key set to {letters_256}
    Then it is refused as idempotency-key-invalid
    When the same call is made with header Idempotency-Key set to ""
    Then it is refused as idempotency-key-invalid
    When the same call is made with two keys
    Then it is refused as idempotency-key-invalid
    And 1 credential exists

  @CLP-TRN-018
  Scenario: A key can be long
    When Ana calls credential_create with:
      | part                   | value         |
      | header Idempotency-Key | {letters_255} |
    Then it is accepted

  @CLP-TRN-019 @CLP-TRN-020
  Scenario: A repetition has the same answer and mints nothing
    When Ana calls credential_create
    Then it is accepted
    And the answer is called first
    When the same call is repeated
    Then it is accepted
    And the answer is the same as first byte for byte
    And 1 credential exists

  @CLP-TRN-019 @CLP-MOD-001
  Scenario: A repetition has the same answer when the object has moved on
    When Ana calls credential_create
    Then it is accepted
    And the answer is called first
    Given Ana reads the delivery of first
    And Ana revokes first
    When the same call is repeated
    Then it is accepted
    And the answer is the same as first byte for byte
    And the credential first has:
      | member | value     |
      | state  | "revoked" |

  @CLP-TRN-019
  Scenario: Quotes around a key do not make another
    When Ana calls credential_create with:
      | part                   | value  |
      | header Idempotency-Key | {mark} |
    Then it is accepted
    And the answer is called first
    When the same call is made with header Idempotency-Key set to ""{mark}""
    Then it is accepted
    And the answer is the same as first byte for byte
    And 1 credential exists

  @CLP-TRN-020
  Scenario: Repetitions that arrive together mint once
    When Ana calls credential_create
    Then it is accepted
    When the same call is repeated with a new key and 50 times at once
    Then every answer is accepted or refused as idempotency-in-flight
    And every accepted answer has the same id
    And 2 credentials exist

  @CLP-TRN-019 @CLP-TRN-020
  Scenario: A rotation is repeated without a second successor
    Given an active credential
    When Ana calls rotation_open
    Then it is accepted
    And the answer is called first
    When the same call is repeated
    Then it is accepted
    And the answer is the same as first byte for byte
    And 2 credentials exist

  @CLP-TRN-021
  Scenario: A key does not stand for another body
    When Ana calls credential_create
    Then it is accepted
    When the same call is repeated with purpose set to "another {mark}"
    Then it is refused as idempotency-key-reused
    And 1 credential exists

  @CLP-TRN-021
  Scenario: The order of members makes no other body
    When Ana calls credential_create
    Then it is accepted
    And the answer is called first
    When the same call is repeated with a body that has its members in another order
    Then it is accepted
    And the answer is the same as first byte for byte

  @CLP-TRN-023 @needs-clock
  Scenario: A key is remembered for a day
    When Ana calls credential_create
    Then it is accepted
    And the answer is called first
    Given the clock advances by 86385 seconds
    When the same call is repeated
    Then it is accepted
    And the answer is the same as first byte for byte
    And 1 credential exists

  @CLP-TRN-024
  Scenario: A key of one principal is not that of another
    When Ana calls credential_create
    Then it is accepted
    And the answer is called first
    When the same call is repeated by Dov
    Then it is accepted
    And the answer has:
      | member     | value          |
      | id         | not {first.id} |
      | created_by | {dov.id}       |

  @CLP-TRN-024 @needs-clock
  Scenario: A key of one principal is not that of another of the same tenant
    When Ana calls credential_create
    Then it is accepted
    And the answer is called first
    Given the operator adds Eve with:
      | part    | value              |
      | actions | ["read", "create"] |
    When the same call is repeated by Eve
    Then it is accepted
    And the answer has:
      | member     | value          |
      | id         | not {first.id} |
      | created_by | {eve.id}       |

  @CLP-TRN-024
  Scenario: A key on one path is not that on another
    Given an active credential called first
    And an active credential called second
    When Ana calls rotation_open on first
    Then it is accepted
    When the same call is repeated on second
    Then it is accepted
    And the answer has:
      | member      | value       |
      | predecessor | {second.id} |

  @CLP-TRN-025
  Scenario: A refusal does not use the key up
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with environment set to "mars"
    Then it is refused as unknown-environment
    When the same call is made with the key of the last call
    Then it is accepted
    And 2 credentials exist

  @CLP-TRN-025
  Scenario: Permissions that are refused do not use the key up
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with permissions.0.actions.0 set to "{mark}"
    Then it is refused as unknown-permission
    When the same call is made with the key of the last call
    Then it is accepted
    And 2 credentials exist

  @CLP-TRN-019 @CLP-TRN-025
  Scenario: The opening of a request is remembered
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with environment set to {probe.approval_environment}
    Then it is refused as approval-required
    And the answer is called first
    When the last call is sent again
    Then it is refused as approval-required
    And the answer is the same as first byte for byte

  @CLP-TRN-027
  Scenario: A filter that nobody defined is refused
    Given a provisioned credential
    When Ana calls credential_list with:
      | part        | value  |
      | query owner | {mark} |
    Then it is accepted
    When the same call is made with query ownr set to {mark}
    Then it is refused as invalid-query
    When the same call is made with another query owner set to {mark}
    Then it is refused as invalid-query
    When the same call is made with query limit set to 0
    Then it is refused as invalid-query
    When the same call is made with query limit set to 201
    Then it is refused as invalid-query
    When the same call is made with query limit set to 05
    Then it is refused as invalid-query
    When the same call is made with query state set to {mark}
    Then it is refused as invalid-query
    When the same call is made with query expires_before set to {mark}
    Then it is refused as invalid-query

  @CLP-TRN-027
  Scenario: The log is not searched by what nobody defined
    When Ana calls audit_entries
    Then it is accepted
    When the same call is made with query actor set to {mark}
    Then it is refused as invalid-query

  @CLP-TRN-028 @CLP-TRN-030
  Scenario: The pages of a list hold every item once
    Given a provisioned credential called first
    And a provisioned credential called second
    And a provisioned credential called third
    When Ana calls credential_list with:
      | part        | value  |
      | query owner | {mark} |
      | query limit | 2      |
    Then it is accepted
    And the answer has:
      | member      | value   |
      | items       | 2 items |
      | next_cursor | present |
    And the pages of the same call hold first, second, third in any order

  @CLP-TRN-028
  Scenario: A page holds fifty items at most by default
    Given 51 provisioned credentials
    When Ana calls credential_list with:
      | part        | value  |
      | query owner | {mark} |
    Then it is accepted
    And the answer has:
      | member      | value    |
      | items       | 50 items |
      | next_cursor | present  |
    And 51 credentials exist

  @CLP-TRN-029
  Scenario: A cursor is for who got it
    Given a provisioned credential called first
    And a provisioned credential called second
    When Ana calls credential_list with:
      | part        | value  |
      | query owner | {mark} |
      | query limit | 1      |
    Then it is accepted
    And the answer is called page
    When Ana calls credential_list with:
      | part         | value              |
      | query owner  | {mark}             |
      | query limit  | 1                  |
      | query cursor | {page.next_cursor} |
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as invalid-cursor
    When the same call is made by Dov
    Then it is refused as invalid-cursor

  @CLP-TRN-029
  Scenario: A cursor is for the filters that it was given for
    Given a provisioned credential called first
    And a provisioned credential called second
    When Ana calls credential_list with:
      | part        | value  |
      | query owner | {mark} |
      | query limit | 1      |
    Then it is accepted
    And the answer is called page
    When Ana calls credential_list with:
      | part         | value              |
      | query owner  | {mark}             |
      | query limit  | 1                  |
      | query cursor | {page.next_cursor} |
    Then it is accepted
    When the same call is made with query limit set to 2
    Then it is accepted
    When Ana calls credential_list with:
      | part         | value              |
      | query owner  | {mark}             |
      | query limit  | 1                  |
      | query cursor | {page.next_cursor} |
    Then it is accepted
    When the same call is made with query state set to provisioned
    Then it is refused as invalid-cursor
    When the same call is made without query owner
    Then it is refused as invalid-cursor
    When the same call is made with query cursor set to x{page.next_cursor}
    Then it is refused as invalid-cursor
    When the same call is made with query cursor set to {mark}
    Then it is refused as invalid-cursor

  @CLP-TRN-029
  Scenario: A cursor of the list is none of the log
    Given a provisioned credential called first
    And a provisioned credential called second
    And Ana has a page called page of credential_list
    When Ana calls audit_entries
    Then it is accepted
    When the same call is made with query cursor set to {page.next_cursor}
    Then it is refused as invalid-cursor

  @CLP-TRN-034
  Scenario: A collection has its methods and no others
    When Ana calls credential_list
    Then it is accepted
    When the same call is made with HTTP method set to PUT
    Then it is refused as method-not-allowed
    And the answer has the headers:
      | name  | value           |
      | Allow | contains "GET"  |
      | Allow | contains "POST" |
    When the same call is made with HTTP method set to PATCH
    Then it is refused as method-not-allowed
    When the same call is made with HTTP method set to OPTIONS
    Then it is refused as method-not-allowed

  @CLP-TRN-034
  Scenario: An object tells no other site what may be done with it
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    When the same call is made with HTTP method set to OPTIONS
    Then it is refused as method-not-allowed
    And the answer has the headers:
      | name  | value          |
      | Allow | contains "GET" |

  @CLP-TRN-041
  Scenario: A path in another spelling is another path
    Given a provisioned credential
    When Ana calls delivery_read
    Then it is accepted
    When the same call is made with path set to /%64eliveries/{credential.delivery.id}
    Then it is refused as not-found
    When the same call is made with path set to /deliveries/{credential.delivery.id}/
    Then it is refused as not-found
    When the same call is made with path set to /deliveries//{credential.delivery.id}
    Then it is refused as not-found

  @CLP-TRN-041
  Scenario: A collection is not at a path that ends with a slash
    When Ana calls credential_list
    Then it is accepted
    When the same call is made with path set to /
    Then it is refused as not-found

  @CLP-ERR-003
  Scenario: A refusal repeats nothing of what was sent
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    When the same call is made on "{mark}"
    Then it is refused as not-found
    When the same call is made with header Authorization set to Bearer {mark}
    Then it is refused as unauthenticated
    When the same call is made with header CLP-Version set to {mark}
    Then it is refused as version-not-supported
    When the same call is made with path set to /{mark}/{mark}
    Then it is refused as not-found
    When the same call is made with query {mark} set to {mark}
    Then it is refused as invalid-query
    When the same call is made with HTTP method set to DELETE
    Then it is refused as method-not-allowed

  @CLP-ERR-004
  Scenario: No path breaks the issuer
    Given a provisioned credential
    When Ana calls credential_read
    Then it is accepted
    When the same call is made on "cred_%00"
    Then it is refused as not-found
    When the same call is made with path set to /cred_%00
    Then it is refused as not-found
    When the same call is made with path set to /%ff%fe
    Then it is refused as not-found
    When the same call is made on "cred_';--{mark}"
    Then it is refused as not-found
    When the same call is made on "rotations"
    Then it is refused as not-found
