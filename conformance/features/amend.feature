@lifecycle
Feature: amend
  What a credential is for can be put into better words; what it opens cannot.

  @CLP-CRE-027
  Scenario: A credential gets another owner
    Given an active credential
    When Ana calls credential_read
    Then it is accepted
    And the answer is called before
    When Ana calls credential_amend with:
      | part | value                     |
      | body | {"owner": "{mark}-heirs"} |
    Then it is accepted
    And the answer has:
      | member | value          |
      | owner  | "{mark}-heirs" |
    And the answer is the same as before but owner
    And the credential credential has:
      | member | value          |
      | owner  | "{mark}-heirs" |

  @CLP-CRE-027
  Scenario: Labels are replaced as a whole
    Given an active credential with:
      | part   | value                              |
      | labels | {"team": "{mark}", "tier": "gold"} |
    When Ana calls credential_read
    Then it is accepted
    And the answer is called before
    When Ana calls credential_amend with:
      | part | value                          |
      | body | {"labels": {"tier": "silver"}} |
    Then it is accepted
    And the answer has:
      | member | value              |
      | labels | {"tier": "silver"} |
    And the answer is the same as before but labels

  @CLP-CRE-027 @needs-clock
  Scenario: A credential that ends earlier ends earlier
    Given an active credential with:
      | part       | value      |
      | expires_at | {now+3600} |
    When Ana calls credential_amend with:
      | part | value                        |
      | body | {"expires_at": "{now+1800}"} |
    Then it is accepted
    And the answer is called amended
    Given the clock advances to {amended.expires_at}
    Then the key of credential does not open the read probe
    And the credential credential has:
      | member | value     |
      | state  | "expired" |

  @CLP-CRE-028
  Scenario: A credential cannot be made to end later
    Given an active credential with:
      | part       | value      |
      | expires_at | {now+3600} |
    When Ana calls credential_amend with:
      | part | value                        |
      | body | {"expires_at": "{now+1800}"} |
    Then it is accepted
    When the same call is made with expires_at set to {now+7200}
    Then it is refused as expiry-out-of-range

  @CLP-CRE-028
  Scenario: A credential cannot be made to have ended
    Given an active credential
    When Ana calls credential_amend with:
      | part | value                        |
      | body | {"expires_at": "{now+1800}"} |
    Then it is accepted
    When the same call is made with expires_at set to {now-60}
    Then it is refused as expiry-out-of-range

  @CLP-CRE-029
  Scenario: What has ended is not amended
    Given an active credential called first
    And a revoked credential called second
    When Ana calls credential_amend on first
    Then it is accepted
    When the same call is made on second
    Then it is refused as credential-not-active

  @CLP-MOD-003
  Scenario: What a credential opens cannot be amended
    Given an active credential
    When Ana calls credential_amend
    Then it is accepted
    When the same call is made with permissions set to {probe.write_permissions}
    Then it is refused as invalid-request
    When the same call is made with environment set to "{probe.approval_environment}"
    Then it is refused as invalid-request

  @CLP-TRN-036
  Scenario: Who amends has to say what was seen
    Given an active credential
    When Ana calls credential_amend
    Then it is accepted
    When the same call is made without header If-Match
    Then it is refused as precondition-required

  @CLP-TRN-037
  Scenario: A decision made by an old picture is not carried out
    Given an active credential
    When Ana calls credential_read
    Then it is accepted
    And the answer is called before
    When Ana calls credential_amend
    Then it is accepted
    And the answer is called after
    When the same call is made with header If-Match set to {before_tag}
    Then it is refused as precondition-failed
    When the same call is made with header If-Match set to W/{after_tag}
    Then it is refused as precondition-failed
    When the same call is made with header If-Match set to {mark}
    Then it is refused as precondition-failed

  @CLP-TRN-037
  Scenario: A tag can be one of several, or any
    Given an active credential
    When Ana calls credential_read
    Then it is accepted
    And the answer is called before
    When Ana calls credential_amend with:
      | part            | value                  |
      | header If-Match | "other", {before_tag}  |
    Then it is accepted
    When Ana calls credential_amend with:
      | part            | value |
      | header If-Match | *     |
    Then it is accepted

  @CLP-MOD-007
  Scenario: Only who may amend amends
    Given an active credential
    When Ana calls credential_amend
    Then it is accepted
    When the same call is made by Cleo
    Then it is refused as forbidden
    When the same call is made by Ben
    Then it is refused as forbidden

  @CLP-MOD-005
  Scenario: A stranger's credential is not there to be amended
    Given an active credential
    When Ana calls credential_amend
    Then it is accepted
    When the same call is made by Dov
    Then it is refused as not-found
    And the answer is called foreign
    When the same call is made on "cred_00000000000000000000"
    Then it is refused as not-found
    And the answer is the same as foreign byte for byte

  @CLP-TRN-010
  Scenario: To amend nothing is no amendment
    Given an active credential
    When Ana calls credential_amend
    Then it is accepted
    When the same call is made with body set to {}
    Then it is refused as invalid-request

  @CLP-TRN-035
  Scenario: An object that differs has another tag, and one that does not has the same
    Given an active credential
    When Ana calls credential_read
    Then it is accepted
    And the answer is called before
    When the same call is made again
    Then it is accepted
    And the answer has the headers:
      | name | value        |
      | ETag | {before_tag} |
    Given Ana suspends credential
    When the same call is made again
    Then it is accepted
    And the answer has the headers:
      | name | value            |
      | ETag | not {before_tag} |
    When Ana calls credential_amend
    Then it is accepted
    And the answer has the headers:
      | name | value            |
      | ETag | not {before_tag} |

  @CLP-TRN-016
  Scenario: The precondition is looked at before the meaning of the body
    Given an active credential
    When Ana calls credential_amend with:
      | part | value                        |
      | body | {"expires_at": "{now+1800}"} |
    Then it is accepted
    When the same call is made with expires_at set to {now-60}
    Then it is refused as expiry-out-of-range
    When the same call is made with expires_at set to {now-60} and without header If-Match
    Then it is refused as precondition-required

  @CLP-TRN-016
  Scenario: The body is looked at before the precondition
    Given an active credential
    When Ana calls credential_amend
    Then it is accepted
    When the same call is made without header If-Match
    Then it is refused as precondition-required
    When the same call is made without header If-Match and with body set to {}
    Then it is refused as invalid-request
