package transfer

import (
	"time"
)

// Kinds of records.
const (
	KindUser         = "user"
	KindOrganisation = "organisation"
	KindService      = "service"
	KindMembership   = "membership"
	KindProfile      = "marketplace_user"

	// kindRole adds a role to a user; only LDIF has it, where the roles of a user
	// may stand far from the user.
	kindRole = "role"
)

// Place is a place in an organisation or service.
type Place struct {
	// Of is an external id of the same source, or else a name.
	Of          string   `json:"of"`
	Permissions []string `json:"permissions,omitempty"`
}

// UserRecord is a user in a file. Only the external id and a name are always
// needed, and an address or a username.
type UserRecord struct {
	Type       string `json:"type"`
	ExternalID string `json:"external_id"`
	// ID is the identifier to have here; generated when missing.
	ID       string `json:"id,omitempty"`
	Number   int64  `json:"user_id,omitempty"`
	Username string `json:"username,omitempty"`

	Name         string `json:"name,omitempty"`
	FirstName    string `json:"first_name,omitempty"`
	Surname      string `json:"surname,omitempty"`
	EmailAddress string `json:"email_address,omitempty"`
	MobileNumber string `json:"mobile_number,omitempty"`

	// Language is what to speak to them in, as a BCP 47 tag.
	Language string `json:"language,omitempty"`
	AuthType string `json:"auth_type,omitempty"`
	// State is active by default; Enabled false is another way to say inactive.
	State         string   `json:"state,omitempty"`
	Enabled       *bool    `json:"enabled,omitempty"`
	Locked        bool     `json:"locked,omitempty"`
	PlatformAdmin *bool    `json:"platform_admin,omitempty"`
	Roles         []string `json:"roles,omitempty"`

	// PasswordHash is of one of the forms that package authn reads.
	PasswordHash      string    `json:"password_hash,omitempty"`
	PasswordChangedAt time.Time `json:"password_changed_at,omitzero"`
	// EmailAccessValidatedAt is when the address was last proved to be theirs;
	// without it, the first sign-in on the hosted pages asks.
	EmailAccessValidatedAt time.Time `json:"email_access_validated_at,omitzero"`
	TakeNoPartInResearch   bool      `json:"take_no_part_in_research,omitempty"`
	NoNewFeaturesEmail     bool      `json:"no_new_features_email,omitempty"`
	CreatedAt              time.Time `json:"created_at,omitzero"`

	Organisations []Place `json:"organisations,omitempty"`
	Services      []Place `json:"services,omitempty"`
}

// OrganisationRecord is an organisation in a file.
type OrganisationRecord struct {
	Type             string   `json:"type"`
	ExternalID       string   `json:"external_id"`
	ID               string   `json:"id,omitempty"`
	Name             string   `json:"name"`
	OrganisationType string   `json:"organisation_type,omitempty"`
	Inactive         bool     `json:"inactive,omitempty"`
	Crown            *bool    `json:"crown,omitempty"`
	Domains          []string `json:"domains,omitempty"`

	Notes                        *string `json:"notes,omitempty"`
	RequestToGoLiveNotes         *string `json:"request_to_go_live_notes,omitempty"`
	PurchaseOrderNumber          *string `json:"purchase_order_number,omitempty"`
	BillingContactNames          *string `json:"billing_contact_names,omitempty"`
	BillingContactEmailAddresses *string `json:"billing_contact_email_addresses,omitempty"`
	BillingReference             *string `json:"billing_reference,omitempty"`
	CanApproveOwnGoLiveRequests  bool    `json:"can_approve_own_go_live_requests,omitempty"`
}

// ServiceRecord is a service in a file. A service of an organisation has that
// one's type.
type ServiceRecord struct {
	Type       string `json:"type"`
	ExternalID string `json:"external_id"`
	ID         string `json:"id,omitempty"`
	Name       string `json:"name"`
	// Organisation is an external id of the same source, or else a name. It counts
	// for a service that is new.
	Organisation       string   `json:"organisation,omitempty"`
	OrganisationType   string   `json:"organisation_type,omitempty"`
	Inactive           bool     `json:"inactive,omitempty"`
	Live               bool     `json:"live,omitempty"` // else on trial
	Permissions        []string `json:"permissions,omitempty"`
	EmailMessageLimit  *int     `json:"email_message_limit,omitempty"`
	SMSMessageLimit    *int     `json:"sms_message_limit,omitempty"`
	LetterMessageLimit *int     `json:"letter_message_limit,omitempty"`
}

// MembershipRecord makes a user a member of an organisation or a service, or
// changes what a member may do. Memberships may stand with their users instead.
type MembershipRecord struct {
	Type       string `json:"type"`
	ExternalID string `json:"external_id"` // the membership's own
	User       string `json:"user"`        // external id
	// Organisation or Service, one of them, is an external id or else a name.
	Organisation string   `json:"organisation,omitempty"`
	Service      string   `json:"service,omitempty"`
	Permissions  []string `json:"permissions,omitempty"`
}

// place is what a membership is of.
func (r *MembershipRecord) place() (kind, of string) {
	if r.Organisation != "" {
		return KindOrganisation, r.Organisation
	}
	return KindService, r.Service
}

// roleRecord gives a user a role.
type roleRecord struct {
	ExternalID string `json:"external_id"` // the user's
	Role       string `json:"role"`
}

// externalID returns the kind of a record, and what its own system calls it.
func externalID(record any) (kind, id string) {
	switch r := record.(type) {
	case *UserRecord:
		return KindUser, r.ExternalID
	case *OrganisationRecord:
		return KindOrganisation, r.ExternalID
	case *ServiceRecord:
		return KindService, r.ExternalID
	case *MembershipRecord:
		return KindMembership, r.ExternalID
	case *ProfileRecord:
		return KindProfile, r.ExternalID
	case *roleRecord:
		return kindRole, r.ExternalID
	}
	return "", ""
}
