@inventory
Feature: inventory
  Where is this key used? What was declared, and what was seen.

  @CLP-INV-001
  Scenario: A list holds the places of one credential
    Given an active credential called here
    And an active credential called elsewhere
    And an installed installation called first of here
    And a declared installation called second of here
    And an installed installation called third of elsewhere
    When Ana calls installation_list on here
    Then it is accepted
    And the items are first, second in any order
    When the same call is made on elsewhere
    Then it is accepted
    And the items are third

  @CLP-INV-001
  Scenario: Places are found by how far they have come
    Given an active credential
    And an installed installation called first
    And a retired installation called second
    When Ana calls installation_list
    Then it is accepted
    And the items are first, second in any order
    When the same call is made with query state set to retired
    Then it is accepted
    And the items are second
    When the same call is made with query state set to verified
    Then it is accepted
    And the items are none

  @CLP-TRN-030
  Scenario: The pages of a list of places hold each once
    Given an active credential
    And an installed installation called first
    And an installed installation called second
    And an installed installation called third
    When Ana calls installation_list with:
      | part        | value |
      | query limit | 1     |
    Then it is accepted
    And the pages of the same call hold first, second, third in any order

  @CLP-TRN-027
  Scenario: Places are not listed by what nobody defined
    Given an active credential
    When Ana calls installation_list
    Then it is accepted
    When the same call is made with query state set to {mark}
    Then it is refused as invalid-query

  @CLP-MOD-005
  Scenario: A stranger's list of places is not there
    Given an active credential
    When Ana calls installation_list
    Then it is accepted
    When the same call is made by Dov
    Then it is refused as not-found

  @CLP-INV-003
  Scenario: A place is seen by the use that fits it
    Given an active credential
    And an installed installation called place with:
      | part  | value                      |
      | match | {"user_agent": "nightly/"} |
    When Ana calls installation_read on place
    Then it is accepted
    And the answer has:
      | member       | value  |
      | last_seen_at | absent |
    Given the key of credential is used as daily/1.0
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member       | value  |
      | last_seen_at | absent |
    Given the key of credential is used as nightly/1.0
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member       | value       |
      | last_seen_at | about {now} |

  @CLP-MOD-005
  Scenario: A place that is not there is not read
    Given an active credential
    And an installed installation called place
    When Ana calls installation_read on place
    Then it is accepted
    When the same call is made on credential/"ins_00000000000000000000"
    Then it is refused as not-found
    And the answer is called nothing
    When the same call is made by Dov
    Then it is refused as not-found
    And the answer is the same as nothing byte for byte

  @CLP-INJ-003
  Scenario: A place is read below the credential that is there
    Given an active credential called old
    And an installed installation called place of old
    And Ana rotates old
    When Ana calls installation_read on old/place
    Then it is accepted
    When the same call is made on successor/place
    Then it is refused as not-found

  @CLP-INV-002
  Scenario: Every use is counted
    Given an active credential
    And the key of credential is used as nightly/1.0
    And the key of credential is used as nightly/1.0
    When Ana calls usage_read
    Then it is accepted
    And the answer has:
      | member                    | value           |
      | credential_id             | {credential.id} |
      | as_of                     | about {now}     |
      | uses                      | 2               |
      | last_used_at              | about {now}     |
      | consumers                 | 1 items         |
      | consumers.0.user_agent    | "nightly/1.0"   |
      | consumers.0.address       | present         |
      | consumers.0.uses          | 2               |
      | consumers.0.first_seen_at | about {now}     |

  @CLP-INV-002
  Scenario: Who uses a key is told apart
    Given an active credential
    And the key of credential is used as nightly/1.0
    And the key of credential is used as nightly/2.0
    And the key of credential is used as nightly/2.0
    When Ana calls usage_read
    Then it is accepted
    And the answer has:
      | member    | value   |
      | uses      | 3       |
      | consumers | 2 items |

  @CLP-INV-002
  Scenario: A call that is refused is no use
    Given an active credential
    When the key of credential calls the read probe
    Then it is served
    When the key of credential calls the write probe
    When Ana calls usage_read
    Then it is accepted
    And the answer has:
      | member | value |
      | uses   | 1     |

  @CLP-INV-003
  Scenario: A consumer that was declared is named
    Given an active credential
    And an installed installation called place with:
      | part  | value                                             |
      | match | {"user_agent": "nightly/", "cidr": "0.0.0.0/0"} |
    And the key of credential is used as nightly/1.0
    When Ana calls usage_read
    Then it is accepted
    And the answer has:
      | member                    | value          |
      | consumers.0.installations | ["{place.id}"] |

  @CLP-INV-003
  Scenario: A consumer that nobody declared fits nothing
    Given an active credential
    And an installed installation called other with:
      | part  | value                    |
      | match | {"user_agent": "daily/"} |
    And an installed installation called far with:
      | part  | value                                             |
      | match | {"user_agent": "nightly/", "cidr": "192.0.2.0/24"} |
    And an installed installation called silent
    And the key of credential is used as nightly/1.0
    When Ana calls usage_read
    Then it is accepted
    And the answer has:
      | member                    | value |
      | consumers.0.installations | []    |

  @CLP-INV-003
  Scenario: A consumer that fits two places is of both
    Given an active credential
    And an installed installation called first with:
      | part  | value                      |
      | match | {"user_agent": "nightly/"} |
    And an installed installation called second with:
      | part  | value                |
      | match | {"user_agent": "ni"} |
    And the key of credential is used as nightly/1.0
    When Ana calls usage_read
    Then it is accepted
    And the answer has:
      | member                    | value                 |
      | consumers.0.installations | contains "{first.id}" |
      | consumers.0.installations | contains "{second.id}" |
      | consumers.0.installations | 2 items               |

  @CLP-INV-004
  Scenario: An issuer says what it sees of uses
    When nobody calls manifest_read
    Then it is accepted
    And the answer has:
      | member            | value          |
      | usage_observation | "per_consumer" |
      | usage_lag_seconds | present        |

  @CLP-INV-005
  Scenario: A use is no change of the record
    Given a used credential
    When Ana calls credential_read
    Then it is accepted
    And the answer is called before
    Given the key of credential is used as nightly/1.0
    When the same call is made again
    Then it is accepted
    And the answer is the same as before
    And the answer has the headers:
      | name | value        |
      | ETag | {before_tag} |

  @CLP-TRN-042
  Scenario: A use is no change of what was reported
    Given an active credential
    And an installed installation called place with:
      | part  | value                      |
      | match | {"user_agent": "nightly/"} |
    When Ana calls installation_read on place
    Then it is accepted
    And the answer is called before
    Given the key of credential is used as nightly/1.0
    When the same call is made again
    Then it is accepted
    And the answer has:
      | member       | value   |
      | last_seen_at | present |
    And the answer has the headers:
      | name | value        |
      | ETag | {before_tag} |

  @CLP-MOD-005
  Scenario: Who uses a stranger's key is nobody's business
    Given an active credential
    When Ana calls usage_read
    Then it is accepted
    When the same call is made by Dov
    Then it is refused as not-found
