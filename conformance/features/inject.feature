@inventory
Feature: inject
  Where a credential is used is on record, and who says so.

  @CLP-INJ-001
  Scenario: A place is declared
    Given an active credential
    When Ana calls installation_put with:
      | part                 | value                                                        |
      | target               | {"kind": "cron", "name": "{mark}", "locator": "crontab of {mark}"} |
      | state                | "declared"                                                   |
      | depends_on           | ["{mark}-report"]                                            |
      | match                | {"user_agent": "nightly/", "cidr": "127.0.0.0/8"}            |
      | use_interval_seconds | 2678400                                                      |
    Then it is accepted
    And the answer repeats everything that was sent
    And the answer has:
      | member        | value           |
      | id            | {spare.id}      |
      | credential_id | {credential.id} |
      | required      | true            |
      | reported_by   | {ana.id}        |
      | reported_at   | about {now}     |
      | last_seen_at  | absent          |
    And the answer has the headers:
      | name    | value |
      | :status | "201" |
    And the answer is called place
    And the installation place has:
      | member               | value                                             |
      | match                | {"user_agent": "nightly/", "cidr": "127.0.0.0/8"} |
      | depends_on           | {place.depends_on}                                |
      | use_interval_seconds | 2678400                                           |

  @CLP-INJ-001
  Scenario: A place is replaced as a whole
    Given an active credential
    And a declared installation with:
      | part       | value             |
      | depends_on | ["{mark}-report"] |
      | required   | false             |
    When Ana calls installation_put on installation
    Then it is accepted
    And the answer repeats everything that was sent
    And the answer has:
      | member     | value  |
      | required   | true   |
      | depends_on | perhaps [] |
    And the answer has the headers:
      | name    | value |
      | :status | "200" |

  @CLP-INJ-010
  Scenario: A kind of place that nobody registered is refused
    Given an active credential
    When Ana calls installation_put with:
      | part   | value                                        |
      | target | {"kind": "x-mainframe-7", "name": "{mark}"} |
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000000" and with target set to {"kind": "mainframe", "name": "{mark}"}
    Then it is refused as invalid-request
    When the same call is made on credential/"ins_00000000000000000000" and with target set to {"kind": "x-", "name": "{mark}"}
    Then it is refused as invalid-request
    When the same call is made on credential/"ins_00000000000000000000" and with target set to {"kind": "x-Acme", "name": "{mark}"}
    Then it is refused as invalid-request

  @CLP-INJ-011
  Scenario: Every kind of place has a name, or can be given one
    Given an active credential
    When Ana calls installation_put with:
      | part   | value                                   |
      | target | {"kind": "local_dev", "name": "{mark}"} |
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000001" and with target set to {"kind": "github_actions", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000002" and with target set to {"kind": "vercel", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000003" and with target set to {"kind": "netlify", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000004" and with target set to {"kind": "cloudflare", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000005" and with target set to {"kind": "docker", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000006" and with target set to {"kind": "kubernetes", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000007" and with target set to {"kind": "serverless", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000008" and with target set to {"kind": "cron", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000009" and with target set to {"kind": "database", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000010" and with target set to {"kind": "analytics_script", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000011" and with target set to {"kind": "notebook", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000012" and with target set to {"kind": "dashboard", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000013" and with target set to {"kind": "deploy", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000014" and with target set to {"kind": "ci", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000015" and with target set to {"kind": "hosting", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000016" and with target set to {"kind": "container", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000017" and with target set to {"kind": "other", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent
    When the same call is made on credential/"ins_00000000000000000018" and with target set to {"kind": "x-acme-robot", "name": "{mark}"}
    Then it is accepted
    And the answer repeats everything that was sent

  @CLP-TRN-036
  Scenario: Who changes a place has to say what was seen
    Given an active credential
    When Ana calls installation_put
    Then it is accepted
    When the same call is made without header If-Match
    Then it is refused as precondition-required

  @CLP-TRN-036
  Scenario: Who declares a place has to say that it is new
    Given an active credential
    When Ana calls installation_put
    Then it is accepted
    When the same call is made on credential/"ins_00000000000000000000" and without header If-None-Match
    Then it is refused as precondition-required

  @CLP-TRN-037
  Scenario: A report by an old picture of a place is not taken
    Given an active credential
    And an installed installation called first
    When Ana calls installation_read on first
    Then it is accepted
    And the answer is called before
    When Ana calls installation_put on first with:
      | part  | value      |
      | state | "updating" |
    Then it is accepted
    When the same call is made with header If-Match set to {before_tag}
    Then it is refused as precondition-failed

  @CLP-TRN-043 @CLP-TRN-037
  Scenario: Of fifty reports by the same picture of a place one is taken
    Given an active credential
    And an installed installation called first
    When Ana calls installation_put on first with:
      | part  | value      |
      | state | "updating" |
    Then it is accepted
    When the same call is made with state set to "installed" and 50 times at once
    Then one answer is accepted, and every other is refused as precondition-failed
    And the installation first has:
      | member | value       |
      | state  | "installed" |

  @CLP-TRN-037
  Scenario: A place that is there is not new
    Given an active credential
    When Ana calls installation_put
    Then it is accepted
    When the same call is made with header If-None-Match set to *
    Then it is refused as precondition-failed

  @CLP-TRN-037
  Scenario: A place that is new matches nothing
    Given an active credential
    When Ana calls installation_put
    Then it is accepted
    When the same call is made on credential/"ins_00000000000000000000" and with header If-Match set to *
    Then it is refused as precondition-failed

  @CLP-INJ-002
  Scenario: Nothing is seen to work before it is there
    Given an active credential
    When Ana calls installation_put
    Then it is accepted
    When the same call is made on credential/"ins_00000000000000000000" and with state set to "verified"
    Then it is refused as installation-state
    When the same call is made on credential/"ins_00000000000000000000" and with state set to "retired"
    Then it is refused as installation-state

  @CLP-INJ-002
  Scenario: Only what is installed can be verified
    Given an active credential
    And an installed installation called first
    And a declared installation called second
    And an updating installation called third
    When Ana calls installation_put on first with:
      | part  | value      |
      | state | "verified" |
    Then it is accepted
    When the same call is made on second
    Then it is refused as installation-state
    When the same call is made on third
    Then it is refused as installation-state

  @CLP-INJ-002
  Scenario: A place that was given up stays so
    Given an active credential
    And an installed installation called first
    And a retired installation called second
    When Ana calls installation_put on first
    Then it is accepted
    When the same call is made on second
    Then it is refused as installation-state

  @CLP-INJ-003
  Scenario: A place moves to the successor
    Given an active credential called old
    And an installed installation called place of old
    And Ana rotates old
    And Ana reads the delivery of successor
    When Ana calls installation_put on successor/place with:
      | part  | value      |
      | state | "updating" |
    Then it is accepted
    And the answer has:
      | member        | value          |
      | id            | {place.id}     |
      | credential_id | {successor.id} |
    When Ana calls installation_list on successor
    Then it is accepted
    And the items are place
    When the same call is made on old
    Then it is accepted
    And the items are none

  @CLP-INJ-003
  Scenario: A place moves back
    Given an active credential called old
    And an installed installation called place of old
    And Ana rotates old
    And Ana reads the delivery of successor
    And place is installed below successor
    When Ana calls installation_put on old/place
    Then it is accepted
    And the answer has:
      | member        | value    |
      | credential_id | {old.id} |

  @CLP-INJ-003
  Scenario: The same place of another credential is another
    Given an active credential called first
    And an active credential called second
    And an installed installation called place of first
    When Ana calls installation_put on second/place
    Then it is accepted
    And the answer has the headers:
      | name    | value |
      | :status | "201" |
    And the installation place has:
      | member        | value      |
      | credential_id | {first.id} |

  @CLP-INJ-002
  Scenario: What has just come to a place is not known to work
    Given an active credential called old
    And an installed installation called first of old
    And an installed installation called second of old
    And Ana rotates old
    And Ana reads the delivery of successor
    When Ana calls installation_put on successor/first
    Then it is accepted
    When the same call is made on successor/second and with state set to "verified"
    Then it is refused as installation-state

  @CLP-INJ-004
  Scenario: A place is forgotten when no rotation waits for it
    Given an active credential
    And an installed installation called place
    When Ana calls installation_delete on place
    Then it is accepted
    And the answer has the headers:
      | name    | value |
      | :status | "204" |

  @CLP-INJ-004
  Scenario: A place that a rotation waits for is not forgotten
    Given an active credential
    And an installed installation called first
    And an installed installation called second
    When Ana calls installation_delete on first
    Then it is accepted
    Given Ana rotates credential
    When the same call is made on second
    Then it is refused as rotation-in-progress
    And the installation second has:
      | member | value       |
      | state  | "installed" |

  @CLP-INJ-004
  Scenario: A place that a rotation waits for does not become optional
    Given an active credential
    And an installed installation called place
    And Ana rotates credential
    When Ana calls installation_put on place
    Then it is accepted
    When the same call is made with required set to false
    Then it is refused as rotation-in-progress
    When the same call is made with state set to "retired"
    Then it is refused as rotation-in-progress

  @CLP-INJ-004
  Scenario: A place that no rotation waits for can be given up at any time
    Given an active credential
    And an installed installation called place with:
      | part     | value |
      | required | false |
    And Ana rotates credential
    When Ana calls installation_put on place with:
      | part     | value     |
      | required | false     |
      | state    | "retired" |
    Then it is accepted

  @CLP-INJ-005
  Scenario: Nothing is installed of what has ended
    Given an active credential called first
    And a revoked credential called second
    When Ana calls installation_put on first
    Then it is accepted
    When the same call is made on second
    Then it is refused as credential-not-active

  @CLP-MOD-007
  Scenario: Only who keeps the inventory reports
    Given an active credential
    When Ana calls installation_put
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden

  @CLP-MOD-005
  Scenario: A stranger's credential has no place
    Given an active credential
    When Ana calls installation_put
    Then it is accepted
    When the same call is made by Dov
    Then it is refused as not-found

  @CLP-DLV-019
  Scenario: A place is filled from a store that is known
    Given an active credential
    When Ana calls store_register
    Then it is accepted
    And the answer is called vault
    When Ana calls installation_put with:
      | part     | value        |
      | store_id | "{vault.id}" |
    Then it is accepted
    When the same call is made with store_id set to "sto_00000000000000000000"
    Then it is refused as unknown-store

  @CLP-TRN-010
  Scenario: A place is told by something
    Given an active credential
    When Ana calls installation_put with:
      | part  | value                      |
      | match | {"user_agent": "nightly/"} |
    Then it is accepted
    When the same call is made with match set to {}
    Then it is refused as invalid-request

  @CLP-TRN-036
  Scenario: Who forgets a place has to say what was seen
    Given an active credential
    And an installed installation called first
    And an installed installation called second
    When Ana calls installation_delete on first
    Then it is accepted
    When the same call is made on second and without header If-Match
    Then it is refused as precondition-required

  @CLP-MOD-007
  Scenario: Only who keeps the inventory forgets
    Given an active credential
    And an installed installation called first
    And an installed installation called second
    When Ana calls installation_delete on first
    Then it is accepted
    When Cleo calls installation_delete on second
    Then it is refused as forbidden

  @CLP-MOD-005
  Scenario: What is forgotten is gone
    Given an active credential
    And an installed installation called place
    When Ana calls installation_delete on place
    Then it is accepted
    When the same call is made again
    Then it is refused as not-found
