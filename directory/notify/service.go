package notify

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"gatehouse/directory"
)

// serviceOf is a service as the API shows it: what rules read, and the settings
// that are only kept.
func serviceOf(s *directory.Service) map[string]any {
	shown := map[string]any{
		"active": s.Active, "created_by": s.CreatedBy, "email_branding": s.EmailBrandingID,
		"email_message_limit": s.EmailMessageLimit, "go_live_at": instant(s.GoLiveAt), "go_live_user": s.GoLiveUserID,
		"has_active_go_live_request": s.HasActiveGoLiveRequest, "id": s.ID, "letter_branding": s.LetterBrandingID,
		"letter_message_limit": s.LetterMessageLimit, "name": s.Name, "organisation": s.OrganisationID,
		"organisation_type": orNull(string(s.OrganisationType)), "permissions": list(s.Permissions), "restricted": s.Restricted,
		"sms_message_limit": s.SMSMessageLimit, "service_callback_api": []string{},
	}
	for _, setting := range serviceSettings {
		shown[setting.name] = setting.absent
		if v, ok := s.Settings[setting.name]; ok {
			shown[setting.name] = v
		}
	}
	sender := s.Name
	if custom, ok := s.Settings["custom_email_sender_name"].(string); ok && custom != "" {
		sender = custom
	}
	shown["email_sender_local_part"] = localPart(sender)
	return shown
}

func servicesOf(all []*directory.Service) []map[string]any {
	shown := make([]map[string]any, len(all))
	for i, s := range all {
		shown[i] = serviceOf(s)
	}
	return shown
}

// listedService is the short form of a service, in alphabetical order.
type listedService struct {
	Active     bool   `json:"active"`
	ID         string `json:"id"`
	Name       string `json:"name"`
	Restricted bool   `json:"restricted"`
}

// localPart is the part before the @ of the address that a service's e-mails
// come from: its name in lower case, without accents, with dots for spaces.
func localPart(name string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.Join(strings.Fields(name), ".")) {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || r == '.' {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	dotted := strings.FieldsFunc(b.String(), func(r rune) bool { return r == '.' })
	return strings.Join(dotted, ".")
}

// setting is a value of a service that the API keeps and no rule reads.
type setting struct {
	name   string
	kind   settingKind
	absent any // what is shown when it was never set
}

type settingKind int

const (
	settingText settingKind = iota // a string or null
	settingFlag
	settingFlagOrNull
	settingInteger
	settingIntegerOrNull
)

var serviceSettings = []setting{
	{"billing_contact_email_addresses", settingText, nil},
	{"billing_contact_names", settingText, nil},
	{"billing_reference", settingText, nil},
	{"confirmed_email_sender_name", settingFlagOrNull, nil},
	{"confirmed_unique", settingFlag, false},
	{"consent_to_research", settingFlagOrNull, nil},
	{"contact_link", settingText, nil},
	{"count_as_live", settingFlag, true},
	{"custom_email_sender_name", settingText, nil},
	{"international_sms_message_limit", settingInteger, 100},
	{"notes", settingText, nil},
	{"prefix_sms", settingFlag, true},
	{"purchase_order_number", settingText, nil},
	{"rate_limit", settingInteger, 3000},
	{"volume_email", settingIntegerOrNull, nil},
	{"volume_letter", settingIntegerOrNull, nil},
	{"volume_sms", settingIntegerOrNull, nil},
}
