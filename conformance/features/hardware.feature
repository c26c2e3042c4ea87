@approval
Feature: hardware
  Somebody decides with an authenticator whose maker attested that its key cannot leave it.

  @CLP-APP-102 @CLP-APP-018 @with-method-hardware_key @needs-clock
  Scenario: A hardware key decides
    Given a pending request
    And a hardware key of Ben
    And Ben signs a challenge for request
    When Ben calls approval_submit
    Then it is accepted
    And the answer has:
      | member   | value          |
      | decision | "approve"      |
      | method   | "hardware_key" |
    When Ana calls approval_read on approval
    Then it is accepted
    And the answer has:
      | member                    | value   |
      | verification.registration | present |
    And the record proves the decision

  @CLP-APP-090 @with-method-hardware_key @needs-clock
  Scenario: A key that nobody attested is no hardware key
    Given a pending request called first
    And a pending request called second
    And a hardware key of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given a passkey of Ben
    And Ben signs a challenge for second
    When the same call is made on second and with method set to "hardware_key"
    Then it is refused as evidence-invalid

  @CLP-APP-090 @with-method-hardware_key @needs-clock
  Scenario: An authenticator that vouches for itself is no hardware key
    Given a pending request called first
    And a pending request called second
    And a hardware key of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given a hardware key of Ben that attests nothing
    And Ben signs a challenge for second
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given a hardware key of Ben that attests itself
    And Ben signs a challenge for second
    When the same call is made on second
    Then it is refused as evidence-invalid

  @CLP-APP-091 @with-method-hardware_key @needs-clock
  Scenario: An attestation that was altered attests nothing
    Given a pending request called first
    And a pending request called second
    And a hardware key of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given a hardware key of Ben whose attestation was altered
    And Ben signs a challenge for second
    When the same call is made on second
    Then it is refused as evidence-invalid

  @CLP-APP-032 @with-method-hardware_key @needs-clock
  Scenario: A model that the maker did not sign is anybody's word
    Given a pending request called first
    And a pending request called second
    And a hardware key of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given a hardware key of Ben whose model nobody signed
    And Ben signs a challenge for second
    When the same call is made on second
    Then it is refused as evidence-invalid

  @CLP-APP-092 @with-method-hardware_key @needs-clock
  Scenario: A key that was registered elsewhere or by nobody is no hardware key
    Given a pending request called first
    And a pending request called second
    And a hardware key of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given a hardware key of Ben registered on another site
    And Ben signs a challenge for second
    When the same call is made on second
    Then it is refused as evidence-invalid
    Given a hardware key of Ben registered by nobody
    And Ben signs a challenge for second
    When the same call is made on second
    Then it is refused as evidence-invalid

  @CLP-APP-093 @with-method-hardware_key @needs-clock
  Scenario: A certificate vouches for its own model
    Given a pending request called first
    And a pending request called second
    And a hardware key of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given a hardware key of Ben with the certificate of another model
    And Ben signs a challenge for second
    When the same call is made on second
    Then it is refused as evidence-invalid

  @CLP-APP-094 @with-method-hardware_key @needs-clock
  Scenario: A maker that nobody knows vouches for nothing
    Given a pending request called first
    And a pending request called second
    And a hardware key of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given a hardware key of Ben of a maker that nobody trusts
    And Ben signs a challenge for second
    When the same call is made on second
    Then it is refused as evidence-invalid

  @CLP-APP-095 @with-method-hardware_key @needs-clock
  Scenario: A model that nobody trusts decides nothing
    Given a pending request called first
    And a pending request called second
    And a hardware key of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given a hardware key of Ben of a model that nobody trusts
    And Ben signs a challenge for second
    When the same call is made on second
    Then it is refused as evidence-invalid

  @CLP-APP-096 @with-method-hardware_key @needs-clock
  Scenario: A key that can be copied is no hardware key
    Given a pending request called first
    And a pending request called second
    And a hardware key of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given a hardware key of Ben that can be copied
    And Ben signs a challenge for second
    When the same call is made on second
    Then it is refused as evidence-invalid

  @CLP-APP-096 @with-method-hardware_key @needs-clock
  Scenario: A key that says by now that it can be copied is no hardware key
    Given a pending request called first
    And a pending request called second
    And a hardware key of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second with a key that can be copied
    When the same call is made on second
    Then it is refused as evidence-invalid

  @CLP-APP-097 @with-method-hardware_key @needs-clock
  Scenario: A model that is trusted no more decides nothing more
    Given a pending request called first
    And a pending request called second
    And a hardware key of Ben
    And Ben signs a challenge for first
    When Ben calls approval_submit on first
    Then it is accepted
    Given Ben signs a challenge for second
    When the operator calls attestation_trust_put with:
      | part   | value |
      | models | []    |
    Then it is accepted
    When Ben calls approval_submit on second
    Then it is refused as evidence-invalid
    When the operator calls attestation_trust_put
    Then it is accepted
    Given Ben signs a challenge for second
    When Ben calls approval_submit on second
    Then it is accepted
