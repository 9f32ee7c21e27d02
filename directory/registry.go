package directory

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// maxText is the longest text a column takes, in characters (seed 001's limit).
const maxText = 255

// maxNumber is the highest number of a user: what programs that read JSON numbers as
// floating point still tell apart, and far enough from the end for others to follow.
const maxNumber = 1<<53 - 1

// Registry creates and changes what the directory holds. Every change and its
// audit event are one transaction.
type Registry struct {
	Store Store
	Clock Clock
	// NewID returns a fresh random identifier.
	NewID func() uuid.UUID
}

// CreateUser validates, normalises and writes a user with its audit event. The
// function also, when not nil, runs in the same transaction, for example to set
// the password. Errors: [*FieldError], [*ConflictError], [ErrUnavailable].
func (r *Registry) CreateUser(ctx context.Context, n NewUser, actor Actor, also func(ctx context.Context, u *User) error) (*User, error) {
	u, err := r.newUser(n)
	if err != nil {
		return nil, err
	}
	err = r.Store.InTx(ctx, func(ctx context.Context) error {
		if err := r.claimAddress(ctx, u); err != nil {
			return err
		}
		if u.Username != "" && u.Number == 0 {
			if u.Number, err = r.Store.NextUserNumber(ctx); err != nil {
				return fmt.Errorf("number user: %w", err)
			}
		}
		if err := r.Store.CreateUser(ctx, u); err != nil {
			return fmt.Errorf("create user: %w", err)
		}
		if also != nil {
			if err := also(ctx, u); err != nil {
				return err
			}
		}
		return r.record(ctx, "create_user", actor, u.ID.String(), map[string]any{"auth_type": u.AuthType, "state": u.State, "platform_admin": u.PlatformAdmin, "roles": u.Roles})
	})
	if err != nil {
		return nil, err
	}
	return r.Store.User(ctx, u.ID)
}

// claimAddress refuses an address that is taken. Users with a username may
// share one; a user who signs in with the address alone must own it.
func (r *Registry) claimAddress(ctx context.Context, u *User) error {
	if u.EmailAddress == "" || u.Username != "" {
		return nil
	}
	others, err := r.Store.UsersByEmail(ctx, u.EmailAddress)
	if err != nil {
		return fmt.Errorf("look up address: %w", err)
	}
	if len(others) > 0 {
		return &ConflictError{Field: "email_address"}
	}
	return nil
}

func (r *Registry) newUser(n NewUser) (*User, error) {
	if err := validateNewUser(n); err != nil {
		return nil, err
	}
	now := r.Clock()
	u := &User{
		ID: n.ID, Number: n.Number, Username: n.Username, Name: n.Name, FirstName: n.FirstName, Surname: n.Surname,
		EmailAddress: ShownEmail(n.EmailAddress), MobileNumber: n.MobileNumber, AuthType: n.AuthType, State: cmp.Or(n.State, Pending),
		PlatformAdmin: n.PlatformAdmin, Roles: n.Roles, EmailAccessValidatedAt: n.EmailAccessValidatedAt,
		TakePartInResearch: !n.TakeNoPartInResearch, ReceivesNewFeaturesEmail: !n.NoNewFeaturesEmail, CreatedAt: now,
	}
	if u.ID == uuid.Nil {
		u.ID = r.NewID()
	}
	if u.FirstName == "" && u.Surname == "" {
		u.FirstName, u.Surname = SplitName(u.Name)
	}
	if u.Name == "" {
		u.Name = strings.TrimSpace(u.FirstName + " " + u.Surname)
	}
	if u.EmailAccessValidatedAt.IsZero() {
		u.EmailAccessValidatedAt = now
	}
	if u.AuthType == "" {
		u.AuthType = defaultAuthType(u.MobileNumber)
	}
	if u.AuthType == SMSAuth && u.MobileNumber == "" {
		return nil, &FieldError{Field: "mobile_number", Reason: NumberNeeded}
	}
	return u, nil
}

func defaultAuthType(mobile string) AuthType {
	if mobile == "" {
		return EmailAuth
	}
	return SMSAuth
}

func validateNewUser(n NewUser) error {
	if strings.TrimSpace(n.Name+n.FirstName+n.Surname) == "" {
		return &FieldError{Field: "name", Reason: "Invalid name"}
	}
	for _, text := range []struct{ field, value string }{
		{"name", n.Name}, {"first_name", n.FirstName}, {"surname", n.Surname}, {"email_address", n.EmailAddress},
	} {
		if err := validText(text.field, text.value); err != nil {
			return err
		}
	}
	if n.Username != "" && !ValidUsername(n.Username) {
		return &FieldError{Field: "username", Reason: "Not a valid username"}
	}
	if n.EmailAddress != "" {
		if err := ValidateEmail(n.EmailAddress); err != nil {
			return &FieldError{Field: "email_address", Reason: "Not a valid email address"}
		}
	}
	if n.MobileNumber != "" {
		if _, err := ParseMobile(n.MobileNumber); err != nil {
			return &FieldError{Field: "mobile_number", Reason: "Invalid phone number: " + err.Error()}
		}
	}
	if n.EmailAddress == "" && n.Username == "" {
		return &FieldError{Field: "email_address", Reason: "Missing data for required field."}
	}
	return validChoices(n)
}

func validChoices(n NewUser) error {
	switch n.AuthType {
	case "", SMSAuth, EmailAuth, WebAuthnAuth:
	default:
		return &FieldError{Field: "auth_type", Reason: "Must be one of: sms_auth, email_auth, webauthn_auth."}
	}
	switch n.State {
	case "", Pending, Active, Inactive:
	default:
		return &FieldError{Field: "state", Reason: "Must be one of: pending, active, inactive."}
	}
	for _, role := range n.Roles {
		if role == "" || validText("roles", role) != nil {
			return &FieldError{Field: "roles", Reason: "Not a valid role name."}
		}
	}
	if n.Number < 0 || n.Number > maxNumber {
		return &FieldError{Field: "number", Reason: "Not a valid integer."}
	}
	return nil
}

// validText refuses what no column of text takes: too long, not UTF-8, or with
// control characters, which PostgreSQL or a page could not show, and what would turn
// round the sentences that a name stands in.
func validText(field, text string) error {
	if utf8.RuneCountInString(text) > maxText {
		return &FieldError{Field: field, Reason: "Longer than maximum length 255."}
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || strings.ContainsFunc(text, Reorders) {
		return &FieldError{Field: field, Reason: "Not a valid string."}
	}
	return nil
}

// NewOrganisation is what a caller may choose about an organisation it creates;
// nil and zero values mean unset.
type NewOrganisation struct {
	ID       uuid.UUID // uuid.Nil: generated
	Name     string
	Inactive bool
	Crown    *bool
	Type     OrganisationType

	AgreementSigned                *bool
	AgreementSignedByID            uuid.NullUUID
	AgreementSignedOnBehalfOfName  *string
	AgreementSignedOnBehalfOfEmail *string
	AgreementSignedVersion         *float64
	EmailBrandingID                uuid.NullUUID
	LetterBrandingID               uuid.NullUUID
	RequestToGoLiveNotes           *string
	Notes                          *string
	PurchaseOrderNumber            *string
	BillingContactNames            *string
	BillingContactEmailAddresses   *string
	BillingReference               *string
	CanApproveOwnGoLiveRequests    bool
}

// CreateOrganisation writes an organisation with its audit event. Every
// organisation starts with the permission [CanAskToJoinAService]; an NHS one with
// the NHS brandings, by default and in its pools (seed 001).
func (r *Registry) CreateOrganisation(ctx context.Context, n NewOrganisation, actor Actor) (*Organisation, error) {
	o, err := r.newOrganisation(n)
	if err != nil {
		return nil, err
	}
	err = r.Store.InTx(ctx, func(ctx context.Context) error {
		if err := r.Store.CreateOrganisation(ctx, o); err != nil {
			return fmt.Errorf("create organisation: %w", err)
		}
		if err := r.Store.AddToBrandingPools(ctx, o.ID, o.EmailBrandingID, o.LetterBrandingID); err != nil {
			return fmt.Errorf("fill branding pools: %w", err)
		}
		return r.record(ctx, "create_organisation", actor, o.ID.String(), map[string]any{"name": o.Name, "organisation_type": o.Type})
	})
	if err != nil {
		return nil, err
	}
	return r.Store.Organisation(ctx, o.ID)
}

func (r *Registry) newOrganisation(n NewOrganisation) (*Organisation, error) {
	if err := validOrganisationName(n.Name); err != nil {
		return nil, err
	}
	now := r.Clock()
	o := &Organisation{
		ID: n.ID, Name: n.Name, Active: !n.Inactive, Crown: n.Crown, Type: n.Type,
		EmailBrandingID: n.EmailBrandingID, LetterBrandingID: n.LetterBrandingID,
		AgreementSigned: n.AgreementSigned, AgreementSignedByID: n.AgreementSignedByID,
		AgreementSignedOnBehalfOfName: n.AgreementSignedOnBehalfOfName, AgreementSignedOnBehalfOfEmail: n.AgreementSignedOnBehalfOfEmail,
		AgreementSignedVersion: n.AgreementSignedVersion, RequestToGoLiveNotes: n.RequestToGoLiveNotes, Notes: n.Notes,
		PurchaseOrderNumber: n.PurchaseOrderNumber, BillingContactNames: n.BillingContactNames,
		BillingContactEmailAddresses: n.BillingContactEmailAddresses, BillingReference: n.BillingReference,
		CanApproveOwnGoLiveRequests: n.CanApproveOwnGoLiveRequests,
		Permissions:                 []string{CanAskToJoinAService}, CreatedAt: now,
	}
	if o.ID == uuid.Nil {
		o.ID = r.NewID()
	}
	if n.AgreementSigned != nil && *n.AgreementSigned {
		o.AgreementSignedAt = now
	}
	o.takeNHSBrandings()
	return o, nil
}

func (r *Registry) record(ctx context.Context, kind string, actor Actor, subject string, data map[string]any) error {
	err := r.Store.AppendEvent(ctx, Event{ID: r.NewID(), Type: kind, Actor: actor, Subject: subject, Data: data, At: r.Clock()})
	if err != nil {
		return fmt.Errorf("record %s: %w", kind, err)
	}
	return nil
}
