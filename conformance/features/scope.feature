Feature: scope
  What a credential opens is what its permissions say, and nothing else.

  @core @CLP-DIS-017 @CLP-PRM-005
  Scenario: The permission document is named by its digest
    When nobody calls permission_document_read
    Then it is accepted
    And the ETag of the answer is its digest

  @core @CLP-PRM-001 @CLP-PRM-002 @CLP-PRM-003
  Scenario: The permission document is sound
    When nobody calls permission_document_read
    Then it is accepted
    And the answer is a sound permission document

  @core @CLP-DIS-018
  Scenario: The document that a credential names is there, and no other
    Given a provisioned credential
    When nobody calls permission_document_read with:
      | part         | value                                  |
      | query digest | {credential.permission_schema_digest}  |
    Then it is accepted
    And the digest of the answer is {credential.permission_schema_digest}
    When the same call is made with query digest set to sha256:0000000000000000000000000000000000000000000000000000000000000000
    Then it is refused as not-found

  @core @CLP-TRN-027
  Scenario: A digest that is none names no document
    Given a provisioned credential
    When nobody calls permission_document_read with:
      | part         | value                                  |
      | query digest | {credential.permission_schema_digest}  |
    Then it is accepted
    When the same call is made with query digest set to sha256:{mark}
    Then it is refused as invalid-query

  @core @CLP-CRE-020
  Scenario: A credential names the document in force
    Given a provisioned credential
    When nobody calls permission_document_read
    Then it is accepted
    And the digest of the answer is {credential.permission_schema_digest}

  @core @CLP-SCO-001
  Scenario: A key opens what it was made for
    Given an active credential
    When the key calls the read probe
    Then it is served
    Given an active credential called writer with:
      | part        | value                     |
      | permissions | {probe.write_permissions} |
    When the key of writer calls the write probe
    Then it is served

  @core @CLP-SCO-002
  Scenario: A key that may read cannot write
    Given an active credential called writer with:
      | part        | value                     |
      | permissions | {probe.write_permissions} |
    And an active credential called reader
    When the key of writer calls the write probe
    Then it is served
    When the same call is made by the key of reader
    Then it is refused with 403 and insufficient_scope

  @core @CLP-PRM-009
  Scenario: A key for another resource opens nothing here
    Given an active credential called here
    And an active credential called elsewhere with:
      | part                   | value                 |
      | permissions.0.selector | "{mark}/*"            |
    When the key of here calls the read probe
    Then it is served
    When the same call is made by the key of elsewhere
    Then it is refused with 403 and insufficient_scope

  @core @CLP-PRM-012
  Scenario: An action opens what it implies
    Given permissions called implying that imply those for reading
    And an active credential with:
      | part        | value      |
      | permissions | {implying} |
    When the key calls the read probe
    Then it is served
    And the credential credential has:
      | member      | value      |
      | permissions | {implying} |

  @core @CLP-PRM-009
  Scenario: A selector ends between segments
    Given permissions called cropped whose selector is cut within a word
    And an active credential called here
    And an active credential called beside with:
      | part        | value     |
      | permissions | {cropped} |
    When the key of here calls the read probe
    Then it is served
    When the same call is made by the key of beside
    Then it is refused with 403 and insufficient_scope

  @core @CLP-PRM-011
  Scenario: A constraint that is not met keeps a key out
    Given permissions called constrained that the read probe does not meet
    And an active credential called free
    And an active credential called bound with:
      | part        | value         |
      | permissions | {constrained} |
    When the key of free calls the read probe
    Then it is served
    When the same call is made by the key of bound
    Then it is refused with 403 and insufficient_scope

  @core @CLP-SCO-003
  Scenario: A key that nobody issued opens nothing
    Given an active credential
    When the key calls the read probe
    Then it is served
    When the same call is made by a stranger
    Then it is refused with 401 and invalid_token

  @core @CLP-SCO-003
  Scenario: Who owns a key has to use it
    Given an active credential
    When the key calls the read probe
    Then it is served
    When the same call is made by Ana
    Then it is refused with 401 and invalid_token

  @core @CLP-SCO-003
  Scenario: A key that was guessed or mistyped opens nothing
    Given an active credential
    And a forged key called forged with the id of credential
    And a mistyped key called mistyped with the id of credential
    When the key calls the read probe
    Then it is served
    When the same call is made with header Authorization set to Bearer {forged}
    Then it is refused with 401 and invalid_token
    When the same call is made with header Authorization set to Bearer {mistyped}
    Then it is refused with 401 and invalid_token

  @core @CLP-SCO-004
  Scenario: A revoked key opens nothing
    Given an active credential
    When the key calls the read probe
    Then it is served
    When Ana revokes credential
    Given the longest propagation has passed
    When the same call is made again
    Then it is refused with 401 and invalid_token

  @core @CLP-SCO-004 @CLP-MOD-002 @needs-clock
  Scenario: An expired key opens nothing
    Given an active credential with:
      | part       | value       |
      | expires_at | {now+600}   |
    When the key calls the read probe
    Then it is served
    When the clock advances to {credential.expires_at}
    And the same call is made again
    Then it is refused with 401 and invalid_token
    And the credential credential has:
      | member | value     |
      | state  | "expired" |

  @core @CLP-MOD-002 @needs-clock
  Scenario: A credential has expired from the second on that it names
    Given an active credential with:
      | part       | value     |
      | expires_at | {now+600} |
    When Ana calls credential_read
    Then it is accepted
    And the answer has:
      | member | value    |
      | state  | "active" |
    When the clock advances to {credential.expires_at}
    And the same call is made again
    Then it is accepted
    And the answer has:
      | member | value     |
      | state  | "expired" |

  @core @CLP-SCO-005
  Scenario: A key in the query opens nothing
    Given an active credential
    When the key calls the read probe
    Then it is served
    When the same call is made with the token in the query
    Then it is refused with 401 and any_code

  @core @CLP-MOD-003
  Scenario: Permissions are frozen for life
    Given a used credential called first
    When Ana calls rotation_open on first
    Then it is accepted
    Given Ana reads the delivery of successor
    And Ana revokes first
    Then the credential first has:
      | member                   | value                            |
      | permissions              | {first.permissions}              |
      | permission_schema_digest | {first.permission_schema_digest} |

  @lifecycle @CLP-SCO-006
  Scenario: A suspended key opens nothing
    Given an active credential
    When the key calls the read probe
    Then it is served
    When Ana suspends credential
    Given the longest propagation has passed
    When the same call is made again
    Then it is refused with 401 and invalid_token

  @lifecycle @CLP-SCO-006
  Scenario: A key that was suspended opens again what it opened
    Given an active credential
    And Ana suspends credential
    And Ana resumes credential
    When the key calls the read probe
    Then it is served

  @lifecycle @CLP-SCO-007
  Scenario: An analysis holds every action that was given
    Given permissions called implying that imply those for reading
    And an active credential with:
      | part        | value                                          |
      | permissions | [{"resource_type": "{implying.0.resource_type}", "selector": "z/*", "actions": {implying.0.actions}}, {"resource_type": "{implying.0.resource_type}", "selector": "a/b", "actions": {implying.0.actions}}] |
    When Ana calls scope_analysis
    Then it is accepted
    And the answer has:
      | member        | value                   |
      | credential_id | {credential.id}         |
      | since         | {credential.created_at} |
      | as_of         | about {now}             |
    And the atoms of the answer are those of credential

  @lifecycle @CLP-SCO-008
  Scenario: An analysis says what was used
    Given an active credential called first
    And a used credential called second
    When Ana calls scope_analysis on first
    Then it is accepted
    And the answer has:
      | member               | value  |
      | atoms.0.used         | false  |
      | atoms.0.last_used_at | absent |
    When the same call is made on second
    Then it is accepted
    And the answer has:
      | member               | value       |
      | atoms.0.used         | true        |
      | atoms.0.last_used_at | about {now} |

  @lifecycle @CLP-SCO-008
  Scenario: A call that is refused uses nothing
    Given an active credential
    When the key calls the read probe
    Then it is served
    When the key calls the write probe
    When Ana calls scope_analysis
    Then it is accepted
    And the answer has:
      | member | value   |
      | atoms  | 1 items |

  @lifecycle @CLP-SCO-008 @needs-clock
  Scenario: An analysis looks back as far as it is told
    Given a used credential
    And the clock advances by 600 seconds
    When Ana calls scope_analysis with:
      | part        | value                   |
      | query since | {credential.created_at} |
    Then it is accepted
    And the answer has:
      | member       | value |
      | atoms.0.used | true  |
    When the same call is made with query since set to {now-60}
    Then it is accepted
    And the answer has:
      | member       | value |
      | atoms.0.used | false |

  @lifecycle @CLP-SCO-009
  Scenario: What was used is recommended, and can be rotated to
    Given permissions called implying that imply those for reading
    And an active credential with:
      | part        | value      |
      | permissions | {implying} |
    And the key of credential is used
    When Ana calls scope_analysis
    Then it is accepted
    And the answer is called analysis
    When Ana calls rotation_open with:
      | part        | value                  |
      | permissions | {analysis.recommended} |
    Then it is accepted
    And the answer has:
      | member                 | value                  |
      | credential.permissions | {analysis.recommended} |
    Given Ana reads the delivery of successor
    Then the key of successor opens the read probe
    And the key of successor does not open the write probe
    When Ana calls scope_analysis on successor
    Then it is accepted
    And the answer has:
      | member      | value  |
      | recommended | absent |

  @lifecycle @CLP-SCO-010 @CLP-SCO-013
  Scenario: What was done is on record, and would not have been refused
    Given permissions called implying that imply those for reading
    And an active credential with:
      | part        | value      |
      | permissions | {implying} |
    And the key of credential is used
    And the key of credential is used
    When Ana calls scope_analysis
    Then it is accepted
    And the answer has:
      | member                          | value                                     |
      | recorded                        | 1 items                                   |
      | recorded.0.access.resource_type | {probe.read_permissions.0.resource_type}  |
      | recorded.0.access.action        | present                                   |
      | recorded.0.access.path          | present                                   |
      | recorded.0.uses                 | 2                                         |
      | recorded.0.last_used_at         | about {now}                               |
      | complete                        | true                                      |
      | uses                            | 2                                         |
      | would_refuse                    | []                                        |
    And the answer is called analysis
    When Ana calls rotation_open with:
      | part        | value                  |
      | permissions | {analysis.recommended} |
    Then it is accepted
    Given Ana reads the delivery of successor
    Then the key of successor opens the read probe

  @lifecycle @CLP-SCO-010 @needs-clock
  Scenario: What was done before is not in the record since then
    Given a used credential
    And the clock advances by 600 seconds
    When Ana calls scope_analysis with:
      | part        | value    |
      | query since | {now-60} |
    Then it is accepted
    And the answer has:
      | member   | value |
      | recorded | []    |
      | uses     | 0     |
      | complete | true  |

  @lifecycle @CLP-SCO-012 @needs-clock
  Scenario: Confidence takes a day and ten calls
    Given a used credential
    And the clock advances by 86400 seconds
    When Ana calls scope_analysis
    Then it is accepted
    And the answer has:
      | member     | value |
      | confidence | "low" |
    Given the key of credential is used
    And the key of credential is used
    And the key of credential is used
    And the key of credential is used
    And the key of credential is used
    And the key of credential is used
    And the key of credential is used
    And the key of credential is used
    And the key of credential is used
    When Ana calls scope_analysis
    Then it is accepted
    And the answer has:
      | member     | value    |
      | uses       | 10       |
      | confidence | "medium" |

  @lifecycle @CLP-SCO-009
  Scenario: Where nothing was used nothing is recommended
    Given an active credential
    When Ana calls scope_analysis
    Then it is accepted
    And the answer has:
      | member      | value  |
      | recommended | absent |

  @lifecycle @CLP-TRN-027
  Scenario: An analysis looks back to a time
    Given an active credential
    When Ana calls scope_analysis with:
      | part        | value                   |
      | query since | {credential.created_at} |
    Then it is accepted
    When the same call is made with query since set to {mark}
    Then it is refused as invalid-query

  @lifecycle @CLP-MOD-005
  Scenario: A stranger's credential is not there to be analysed
    Given an active credential
    When Ana calls scope_analysis
    Then it is accepted
    When the same call is made by Dov
    Then it is refused as not-found
