@approval
Feature: record
  A decision and what proves it, for whoever doubts it later.

  @CLP-APP-100 @CLP-APP-102 @CLP-APP-020 @needs-clock
  Scenario: A decision can be checked by whoever may read the request
    Given a pending request
    And a passkey of Ben
    And Ben signs a challenge for request
    When Ben calls approval_submit
    Then it is accepted
    When Ana calls approval_read on approval
    Then it is accepted
    And the answer has:
      | member                     | value                       |
      | approval                   | {approval}                  |
      | approval_document          | {request.approval_document} |
      | challenge.context          | "clp-approval-v1"           |
      | challenge.approver         | {ben.id}                    |
      | challenge.decision         | "approve"                   |
      | challenge.digest           | {request.digest}            |
      | challenge.nonce            | {challenge.nonce}           |
      | challenge.opened_at        | about {now}                 |
      | evidence                   | {evidence}                  |
      | verification.credential_id | {passkey.credential_id}     |
      | verification.public_key    | {passkey.public_key}        |
    And the record proves the decision

  @CLP-APP-100 @CLP-APP-102 @needs-clock
  Scenario: A denial can be checked too
    Given a pending request
    And a passkey of Ben
    And Ben signs a challenge for request to deny
    When Ben calls approval_submit
    Then it is accepted
    When Ana calls approval_read on approval
    Then it is accepted
    And the answer has:
      | member            | value  |
      | approval.decision | "deny" |
    And the record proves the decision

  @CLP-APP-100 @CLP-APP-102 @needs-clock
  Scenario: A record is of the version that was decided on, also once it was used
    Given a pending request
    And a passkey of Ben
    When Ben calls challenge_open with:
      | part             | value |
      | lifetime_seconds | 50    |
    Then it is accepted
    And the answer is called signed
    Given Ben signs the same challenge for request
    When Ben calls approval_submit
    Then it is accepted
    Given Ana creates from request
    When Ana calls approval_read on approval
    Then it is accepted
    And the answer has:
      | member            | value                      |
      | approval.version  | 2                          |
      | approval_document | {signed.approval_document} |
      | challenge.digest  | {signed.digest}            |
    And the record proves the decision

  @CLP-APP-103
  Scenario: A decision without evidence has none in its record
    Given a pending request
    When the operator calls control_approve
    Then it is accepted
    When Ana calls approval_read on approval
    Then it is accepted
    And the answer has:
      | member            | value                       |
      | approval          | {approval}                  |
      | approval_document | {request.approval_document} |
      | challenge         | absent                      |
      | evidence          | absent                      |
      | verification      | absent                      |

  @CLP-APP-101
  Scenario: An approval is read with its own request
    Given a pending request called first
    And a pending request called second
    When the operator calls control_approve with:
      | part       | value      |
      | request_id | {first.id} |
    Then it is accepted
    When Ana calls approval_read on first/approval
    Then it is accepted
    When the same call is made on second/approval
    Then it is refused as not-found

  @CLP-MOD-005
  Scenario: A stranger's decision is not there to be read
    Given a pending request
    When the operator calls control_approve
    Then it is accepted
    When Ana calls approval_read on approval
    Then it is accepted
    When the same call is made by Dov
    Then it is refused as not-found
