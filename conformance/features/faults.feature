@faults
Feature: faults
  A test says what goes wrong, so that what a client makes of it can be seen.

  @CLP-FLT-001
  Scenario: Who lists faults is no production
    When nobody calls manifest_read
    Then it is accepted
    And the answer has:
      | member             | value             |
      | environment        | "test"            |
      | profiles_supported | contains "faults" |

  @CLP-FLT-003 @CLP-FLT-004 @CLP-FLT-009
  Scenario: A call that meets a status is not carried out
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with header CLP-Fault set to {"status": 503, "retry_after": 7}
    Then it is refused as unavailable
    And the answer has the headers:
      | name        | value |
      | :status     | "503" |
      | Retry-After | "7"   |
    And 1 credential exists

  @CLP-FLT-004
  Scenario Outline: The status <status> comes as <problem>, and with Retry-After only where it is asked for
    When Ana calls credential_list
    Then it is accepted
    When the same call is made with header CLP-Fault set to {"status": <status>}
    Then it is refused as <problem>
    And the answer has the headers:
      | name        | value      |
      | :status     | "<status>" |
      | Retry-After | absent     |

    Examples:
      | status | problem      |
      | 429    | rate-limited |
      | 500    | internal     |
      | 503    | unavailable  |

  @CLP-FLT-004
  Scenario Outline: The status <status> comes from a gateway
    When Ana calls credential_list
    Then it is accepted
    When the same call is made with header CLP-Fault set to {"status": <status>, "retry_after": 0}
    Then it is lost
    And the answer has the headers:
      | name         | value                                  |
      | :status      | "<status>"                             |
      | Retry-After  | "0"                                    |
      | Content-Type | not "application/problem+json"         |

    Examples:
      | status |
      | 502    |
      | 504    |

  @CLP-FLT-002 @CLP-FLT-004
  Scenario: The next calls meet the steps of a script, one each
    When Ana calls credential_create
    Then it is accepted
    When the operator calls faults_put with:
      | part  | value                                                                                                                                                       |
      | rules | [{"endpoint": "credential_create", "steps": [{"times": 2, "fault": {"status": 429, "retry_after": 1}}, "ok", {"status": 503}]}] |
    Then it is accepted
    When Ana calls credential_create
    Then it is refused as rate-limited
    When the same call is made again
    Then it is refused as rate-limited
    When the same call is made again
    Then it is accepted
    When the same call is made again
    Then it is refused as unavailable
    When the same call is made again
    Then it is accepted
    And 3 credentials exist

  @CLP-FLT-002
  Scenario: The first rule that has a step left gives it
    When Ana calls credential_list
    Then it is accepted
    When the operator calls faults_put with:
      | part  | value                                                                                                                                                                                |
      | rules | [{"endpoint": "credential_create", "steps": [{"status": 500}]}, {"endpoint": "credential_list", "steps": [{"status": 429}]}, {"endpoint": "*", "steps": [{"status": 503}]}] |
    Then it is accepted
    When Ana calls credential_list
    Then it is refused as rate-limited
    When the same call is made again
    Then it is refused as unavailable
    When the same call is made again
    Then it is accepted

  @CLP-FLT-002
  Scenario: Each run meets a script from its beginning
    When Ana calls credential_create with:
      | part                | value |
      | header CLP-Test-Run | a     |
    Then it is accepted
    When the operator calls faults_put with:
      | part  | value                                                                |
      | rules | [{"endpoint": "credential_create", "steps": [{"status": 503}]}] |
    Then it is accepted
    When Ana calls credential_create with:
      | part                | value |
      | header CLP-Test-Run | a     |
    Then it is refused as unavailable
    When the same call is made again
    Then it is accepted
    When the same call is made with header CLP-Test-Run set to b
    Then it is refused as unavailable

  @CLP-FLT-002
  Scenario: A rule can be for one run alone
    When Ana calls credential_create with:
      | part                | value |
      | header CLP-Test-Run | a     |
    Then it is accepted
    When the operator calls faults_put with:
      | part  | value                                                                               |
      | rules | [{"endpoint": "credential_create", "run": "b", "steps": [{"status": 503}]}] |
    Then it is accepted
    When Ana calls credential_create with:
      | part                | value |
      | header CLP-Test-Run | a     |
    Then it is accepted
    When the same call is made with header CLP-Test-Run set to b
    Then it is refused as unavailable

  @CLP-FLT-003 @CLP-FLT-005
  Scenario: A connection is closed before and after everything is done
    When Ana calls credential_create with:
      | part  | value                           |
      | owner | "somebody who is not counted" |
    Then it is accepted
    When the operator calls faults_put with:
      | part  | value                                                                                                         |
      | rules | [{"endpoint": "credential_create", "steps": [{"drop": "before_commit"}, {"drop": "after_commit"}]}] |
    Then it is accepted
    When Ana calls credential_create
    Then it is lost
    And the answer has the headers:
      | name    | value |
      | :status | "0"   |
    And 0 credentials exist
    When the same call is repeated
    Then it is lost
    And the answer has the headers:
      | name    | value |
      | :status | "0"   |
    And 1 credential exists
    When the same call is repeated
    Then it is accepted
    And 1 credential exists

  @CLP-FLT-005 @CLP-FLT-009
  Scenario Outline: An answer breaks off after <bytes> bytes
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with header CLP-Fault set to {"truncate_at": <bytes>}
    Then it is lost
    And the answer has the headers:
      | name           | value        |
      | :status        | "201"        |
      | :bytes         | "<bytes>"    |
      | Content-Length | matches ^[0-9]{3,}$ |
    And 2 credentials exist

    Examples:
      | bytes |
      | 0     |
      | 20    |

  @CLP-FLT-006
  Scenario: Chaos is drawn by its seed
    When Ana calls credential_list
    Then it is accepted
    When the operator calls faults_put with:
      | part  | value                                                                        |
      | chaos | {"seed": 6, "percent": 50, "among": [{"status": 503}, {"status": 429}]} |
    Then it is accepted
    When Ana calls credential_list
    Then it is refused as rate-limited
    When the same call is made again
    Then it is refused as unavailable
    When the same call is made again
    Then it is accepted
    When the same call is made again
    Then it is accepted
    When the same call is made again
    Then it is refused as unavailable
    When the same call is made again
    Then it is refused as rate-limited

  @CLP-FLT-006
  Scenario: A seed that is not given is chosen and told
    When the operator calls faults_put with:
      | part  | value                                                |
      | chaos | {"percent": 1, "among": [{"status": 503}]} |
    Then it is accepted
    And the answer has:
      | member            | value                     |
      | script.chaos.seed | at most 9007199254740991 |

  @CLP-FLT-007
  Scenario: What happened can be had again
    When Ana calls credential_create
    Then it is accepted
    When the operator calls faults_put with:
      | part  | value                                                                                          |
      | rules | [{"endpoint": "*", "steps": [{"status": 503}, "ok", {"status": 429}, "ok", {"status": 429}]}] |
    Then it is accepted
    When Ana calls credential_create
    Then it is refused as unavailable
    When the same call is made again
    Then it is accepted
    When the same call is made again
    Then it is refused as rate-limited
    When the operator calls faults_read
    Then it is accepted
    And the answer has:
      | member    | value                                                                    |
      | complete  | true                                                                     |
      | remaining | [{"endpoint": "*", "run": "default", "steps": ["ok", {"status": 429}]}] |
    And the answer is called before
    When Ana calls credential_create
    Then it is accepted
    When the operator calls faults_put with:
      | part  | value                 |
      | rules | {before.replay.rules} |
    Then it is accepted
    When Ana calls credential_create
    Then it is refused as unavailable
    When the same call is made again
    Then it is accepted
    When the same call is made again
    Then it is refused as rate-limited
    When the same call is made again
    Then it is accepted

  @CLP-FLT-008
  Scenario Outline: The header field <field> says nothing that is not known: <value>
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with header <field> set to <value>
    Then it is refused as invalid-fault
    And 1 credential exists

    Examples:
      | field        | value                               |
      | CLP-Fault    | {"status": 200}                     |
      | CLP-Fault    | {"status": 503, "more": 1}          |
      | CLP-Fault    | {"status": 503, "retry_after": -1}  |
      | CLP-Fault    | {"delay_ms": 30001}                 |
      | CLP-Fault    | {"drop": "sometimes"}               |
      | CLP-Fault    | 503                                 |
      | CLP-Fault    | {                                   |
      | CLP-Test-Run | a b                                 |
      | CLP-Test-Run | {letters_256}                       |

  @CLP-FLT-009
  Scenario: A fault of one request takes no step of the script
    When Ana calls credential_create
    Then it is accepted
    When the operator calls faults_put with:
      | part  | value                                                                |
      | rules | [{"endpoint": "credential_create", "steps": [{"status": 503}]}] |
    Then it is accepted
    When Ana calls credential_create with:
      | part             | value  |
      | header CLP-Fault | ""ok"" |
    Then it is accepted
    When the same call is made without header CLP-Fault
    Then it is refused as unavailable

  @CLP-FLT-009
  Scenario: A request that needs no token can meet a fault
    When nobody calls manifest_read
    Then it is accepted
    When the same call is made with header CLP-Fault set to {"status": 503}
    Then it is refused as unavailable

  @CLP-FLT-011
  Scenario: The calls of another tenant meet no fault and take no step
    When Ana calls credential_create
    Then it is accepted
    When the operator calls faults_put with:
      | part  | value                                                  |
      | rules | [{"endpoint": "*", "steps": [{"status": 503}]}] |
    Then it is accepted
    When Dov calls credential_create
    Then it is accepted
    When the same call is made by Ana
    Then it is refused as unavailable

  @CLP-FLT-002
  Scenario: The issuer's own API meets faults
    Given an active credential
    When the key calls the read probe
    Then it is served
    When the operator calls faults_put with:
      | part  | value                                                       |
      | rules | [{"endpoint": "resource", "steps": [{"status": 503}]}] |
    Then it is accepted
    When the key calls the read probe
    Then the answer has the headers:
      | name    | value |
      | :status | "503" |
    When the same call is made again
    Then it is served

  @CLP-FLT-012
  Scenario: A call is carried out twice
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with header CLP-Fault set to ""duplicate""
    Then it is accepted
    And 2 credentials exist
    When the operator calls request_log
    Then it is accepted
    And the answer has:
      | member         | value  |
      | items.0.method | "POST" |
      | items.1.method | "POST" |
      | items.2.method | "POST" |
      | items.2.status | 201    |
      | items.3.method | "GET"  |

  @CLP-FLT-013
  Scenario: A call is carried out late
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with header CLP-Fault set to {"delay_ms": 1000}
    Then it is accepted
    And the answer has the headers:
      | name    | value               |
      | :millis | matches ^[0-9]{4,}$ |

  @CLP-FLT-014
  Scenario: An empty script is the end of one
    When the operator calls faults_put with:
      | part  | value                                                                |
      | rules | [{"endpoint": "credential_create", "steps": [{"status": 503}]}] |
    Then it is accepted
    When the operator calls faults_put
    Then it is accepted
    And the answer has:
      | member       | value |
      | script.rules | []    |
      | remaining    | []    |
    When Ana calls credential_create
    Then it is accepted

  @CLP-FLT-014
  Scenario: A reset is the end of a script
    When the operator calls faults_put with:
      | part  | value                                                                |
      | rules | [{"endpoint": "credential_create", "steps": [{"status": 503}]}] |
    Then it is accepted
    When the operator calls sandbox_reset
    Then it is accepted
    When Ana calls credential_create
    Then it is accepted
    When the operator calls faults_read
    Then it is accepted
    And the answer has:
      | member       | value |
      | script.rules | []    |
      | replay.rules | []    |

  @CLP-FLT-015
  Scenario: A status that a call met is in the request log
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with header CLP-Fault set to {"status": 503}
    Then it is refused as unavailable
    When the operator calls request_log
    Then it is accepted
    And the answer has:
      | member          | value         |
      | items           | 2 items       |
      | items.1.status  | 503           |
      | items.1.problem | "unavailable" |

  @CLP-FLT-016
  Scenario: A call that did not get through is not in the request log
    When Ana calls credential_create
    Then it is accepted
    When the same call is made with header CLP-Fault set to {"drop": "before_commit"}
    Then it is lost
    When the operator calls request_log
    Then it is accepted
    And the answer has:
      | member | value   |
      | items  | 1 items |

  @CLP-TRN-010
  Scenario Outline: A script <fault> is refused
    When the operator calls faults_put
    Then it is accepted
    When the same call is made with <part> set to <value>
    Then it is refused as invalid-request

    Examples:
      | fault                      | part  | value                                                                     |
      | of no endpoint             | rules | [{"endpoint": "nosuch", "steps": ["ok"]}]                                 |
      | of test control            | rules | [{"endpoint": "sandbox_reset", "steps": ["ok"]}]                          |
      | without a step             | rules | [{"endpoint": "*", "steps": []}]                                          |
      | of no fault                | rules | [{"endpoint": "*", "steps": [{"drop": "sometimes"}]}]                     |
      | of two faults in one       | rules | [{"endpoint": "*", "steps": [{"status": 503, "delay_ms": 1}]}]            |
      | of a step for no call      | rules | [{"endpoint": "*", "steps": [{"times": 0, "fault": "ok"}]}]               |
      | of a run without a name    | rules | [{"endpoint": "*", "run": "", "steps": ["ok"]}]                           |
      | whose chaos never strikes  | chaos | {"percent": 0, "among": ["ok"]}                                           |
      | whose chaos has no fault   | chaos | {"percent": 1, "among": []}                                               |

  @CLP-CTL-012
  Scenario: A tenant that was never opened takes no script
    When the operator calls faults_put
    Then it is accepted
    When the same call is made on "ten_00000000000000000000"
    Then it is refused as not-found

  @CLP-CTL-012
  Scenario: A tenant that was never opened shows no script
    When the operator calls faults_read
    Then it is accepted
    When the same call is made on "ten_00000000000000000000"
    Then it is refused as not-found

  @CLP-CTL-001
  Scenario: A script is for who holds the token of control
    When the operator calls faults_put
    Then it is accepted
    When the same call is made by Ana
    Then it is refused as unauthenticated
