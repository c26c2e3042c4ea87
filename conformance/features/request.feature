@approval
Feature: request
  A requester describes the credential it wants, and somebody decides.

  @CLP-REQ-001
  Scenario: A request waits for a decision
    When Ana calls request_open
    Then it is accepted
    And the answer has:
      | member       | value                            |
      | id           | matches ^req_[0-9A-Za-z]{20,40}$ |
      | state        | "pending_approval"               |
      | version      | 1                                |
      | requester    | {ana.id}                         |
      | approvals    | []                               |
      | approval_uri | present                          |
      | credential_id | absent                          |
      | submitted    | {sent}                           |
    When the same call is made with rotation_policy set to {"rotate_every_seconds": 86400}
    Then it is accepted

  @CLP-TRN-017
  Scenario: A request is not opened without a key for idempotency
    When Ana calls request_open
    Then it is accepted
    When the same call is made without header Idempotency-Key
    Then it is refused as idempotency-key-missing

  @CLP-REQ-004
  Scenario: A request is kept as it was sent
    When Ana calls request_open with:
      | part            | value                           |
      | rotation_policy | {"rotate_every_seconds": 86400} |
      | justification   | "because {mark} asked for it"   |
    Then it is accepted
    And the answer has:
      | member    | value  |
      | submitted | {sent} |

  @CLP-REQ-005
  Scenario: The digest covers every member of the request
    When Ana calls request_open with:
      | part          | value                          |
      | justification | "é € 😀 <&>" |
    Then it is accepted
    And the digest of request is that of its approval document

  @CLP-REQ-013
  Scenario: A request says by which document its permissions are meant
    Given a pending request
    When nobody calls permission_document_read
    Then it is accepted
    And the digest of the answer is {request.approval_document.permission_schema_digest}

  @CLP-REQ-002
  Scenario: What nobody defined cannot be asked for
    When Ana calls request_open
    Then it is accepted
    When the same call is made with permissions.0.actions.0 set to "{mark}"
    Then it is refused as unknown-permission

  @CLP-REQ-002
  Scenario: An environment that nobody defined cannot be asked for
    When Ana calls request_open
    Then it is accepted
    When the same call is made with environment set to "mars"
    Then it is refused as unknown-environment

  @CLP-REQ-002 @without-profiles
  Scenario: A type that the issuer does not mint cannot be asked for
    Given a type called odd that the manifest does not list
    When Ana calls request_open
    Then it is accepted
    When the same call is made with type set to {odd}
    Then it is refused as type-not-supported

  @CLP-REQ-002
  Scenario: A life beyond the bound in the manifest cannot be asked for
    Given a lifetime called beyond that no credential has
    When Ana calls request_open
    Then it is accepted
    When the same call is made with lifetime_seconds set to {beyond}
    Then it is refused as expiry-out-of-range

  @CLP-REQ-003
  Scenario: Only who may ask asks
    When Ana calls request_open
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden

  @CLP-REQ-006
  Scenario: Consent does not repeat the requester's words
    When Ana calls request_open with:
      | part          | value                            |
      | justification | "please {mark}, it is harmless"  |
    Then it is accepted
    And the consent of request has none of the requester's words

  @CLP-PRM-015
  Scenario: Consent says what the permission document says
    When Ana calls request_open
    Then it is accepted
    And the consent of request is that of the permission document
    When Ana calls request_read
    Then it is accepted
    And the answer is called request
    And the consent of request is that of the permission document

  @CLP-PRM-015
  Scenario: Consent names what is implied, in one order
    Given permissions called implying that imply those for reading
    When Ana calls request_open with:
      | part        | value                                          |
      | permissions | [{"resource_type": "{implying.0.resource_type}", "selector": "z/*", "actions": {implying.0.actions}}, {"resource_type": "{implying.0.resource_type}", "selector": "a/b", "actions": {implying.0.actions}}] |
    Then it is accepted
    And the consent of request is that of the permission document

  @CLP-PRM-016
  Scenario: What nobody can read nobody is asked
    Given permissions called endless whose consent nobody can read
    When Ana calls request_open
    Then it is accepted
    When the same call is made with permissions set to {endless}
    Then it is refused as invalid-request

  @CLP-REQ-007
  Scenario: A request does not wait for longer than a week
    When Ana calls request_open
    Then it is accepted
    And the answer has:
      | member     | value                              |
      | expires_at | at most {answer.created_at+604800} |

  @CLP-REQ-008 @CLP-MOD-009 @needs-clock
  Scenario: A request that nobody decides on expires
    Given a pending request
    When Ana calls request_read
    Then it is accepted
    And the answer has:
      | member | value              |
      | state  | "pending_approval" |
    Given the clock advances by 604801 seconds
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member | value     |
      | state  | "expired" |

  @CLP-MOD-009 @needs-clock
  Scenario: A request that was denied stays denied
    Given a denied request
    When Ana calls request_read
    Then it is accepted
    Given the clock advances by 604801 seconds
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member | value    |
      | state  | "denied" |

  @CLP-REQ-009 @needs-clock
  Scenario: A request names what was created from it
    Given an issued request
    When Ana calls request_read
    Then it is accepted
    And the answer has:
      | member        | value           |
      | state         | "issued"        |
      | credential_id | {credential.id} |

  @CLP-MOD-006
  Scenario: Whoever may read sees a request
    Given a pending request
    When Cleo calls request_read
    Then it is accepted
    And the answer has:
      | member | value        |
      | id     | {request.id} |

  @CLP-MOD-005
  Scenario: A stranger's request looks like none at all
    Given a pending request
    When Ana calls request_read
    Then it is accepted
    When the same call is made on "req_00000000000000000000"
    Then it is refused as not-found
    And the answer is called nothing
    When the same call is made by Dov
    Then it is refused as not-found
    And the answer is the same as nothing byte for byte

  @CLP-REQ-012
  Scenario Outline: A credential can be asked for on behalf of a subject of the kind <kind>
    When Ana calls request_open with:
      | part    | value                              |
      | subject | {"kind": "<kind>", "id": "{mark}"} |
    Then it is accepted
    And the answer has:
      | member            | value                              |
      | submitted.subject | {"kind": "<kind>", "id": "{mark}"} |

    Examples:
      | kind        |
      | project     |
      | workload    |
      | user        |
      | agent       |
      | environment |
      | task        |

  @CLP-MOD-008
  Scenario: A key asks for nothing
    Given an active credential
    When Ana calls request_open
    Then it is accepted
    When the same call is made by the key
    Then it is refused as forbidden

  @CLP-MOD-008
  Scenario: A key reads no request
    Given an active credential
    And a pending request
    When Ana calls request_read
    Then it is accepted
    When the same call is made by the key
    Then it is refused as not-found
