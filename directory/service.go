package directory

import (
	"maps"
	"time"

	"github.com/google/uuid"
)

// Service belongs to an organisation and sends messages; relying services of
// the identity provider are OAuth clients, not these (seed 002).
type Service struct {
	ID                 uuid.UUID
	Name               string // unique
	Active             bool
	Restricted         bool // trial mode
	OrganisationID     uuid.NullUUID
	OrganisationType   OrganisationType // "" when unset
	Crown              *bool
	Permissions        []string // features, such as "email_auth"
	EmailMessageLimit  int
	SMSMessageLimit    int
	LetterMessageLimit int
	EmailBrandingID    uuid.NullUUID
	LetterBrandingID   uuid.NullUUID
	// Settings are the values that the API shows and no rule reads, by their
	// names on the wire. What is not there has its default.
	Settings               map[string]any
	HasActiveGoLiveRequest bool
	GoLiveUserID           uuid.NullUUID
	GoLiveAt               time.Time // zero when it never went live
	CreatedBy              uuid.NullUUID
	CreatedAt              time.Time
	UpdatedAt              time.Time
}

// DefaultServicePermissions returns the features that a service begins with.
func DefaultServicePermissions() []string {
	return []string{"sms", "email", "letter", "international_sms", "international_letters"}
}

// ServiceFeatures are the permissions a service can have, in upstream's order.
var ServiceFeatures = []string{
	"email", "sms", "letter", "broadcast", "international_sms", "inbound_sms", "schedule_notifications", "email_auth",
	"letters_as_pdf", "upload_document", "edit_folder_permissions", "upload_letters", "international_letters",
	"extra_email_formatting", "extra_letter_formatting", "sms_to_uk_landlines", "economy_letter_sending",
}

// ServiceChanges are new values for a service; what is nil stays as it is.
type ServiceChanges struct {
	Name                   *string
	Active                 *bool
	Restricted             *bool
	HasActiveGoLiveRequest *bool
	OrganisationType       *OrganisationType
	Permissions            *[]string
	EmailMessageLimit      *int
	SMSMessageLimit        *int
	LetterMessageLimit     *int
	EmailBrandingID        *uuid.NullUUID
	LetterBrandingID       *uuid.NullUUID
	GoLiveUserID           *uuid.NullUUID
	GoLiveAt               *time.Time
	Settings               map[string]any // these replace those of the same name
}

func (c *ServiceChanges) apply(s *Service) {
	set(&s.Name, c.Name)
	set(&s.Active, c.Active)
	set(&s.Restricted, c.Restricted)
	set(&s.HasActiveGoLiveRequest, c.HasActiveGoLiveRequest)
	set(&s.OrganisationType, c.OrganisationType)
	set(&s.Permissions, c.Permissions)
	set(&s.EmailMessageLimit, c.EmailMessageLimit)
	set(&s.SMSMessageLimit, c.SMSMessageLimit)
	set(&s.LetterMessageLimit, c.LetterMessageLimit)
	set(&s.EmailBrandingID, c.EmailBrandingID)
	set(&s.LetterBrandingID, c.LetterBrandingID)
	set(&s.GoLiveUserID, c.GoLiveUserID)
	set(&s.GoLiveAt, c.GoLiveAt)
	if len(c.Settings) > 0 {
		all := maps.Clone(s.Settings)
		if all == nil {
			all = map[string]any{}
		}
		maps.Copy(all, c.Settings)
		s.Settings = all
	}
}

// audit is what the trail keeps of a service. The settings hold people's names
// and addresses: only which of them changed is kept.
func (s *Service) audit() map[string]any {
	return map[string]any{
		"name": s.Name, "active": s.Active, "restricted": s.Restricted, "has_active_go_live_request": s.HasActiveGoLiveRequest,
		"organisation": s.OrganisationID, "organisation_type": s.OrganisationType, "permissions": s.Permissions,
		"email_message_limit": s.EmailMessageLimit, "sms_message_limit": s.SMSMessageLimit,
		"letter_message_limit": s.LetterMessageLimit, "email_branding": s.EmailBrandingID,
		"letter_branding": s.LetterBrandingID, "go_live_user": s.GoLiveUserID,
	}
}
