package notify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// serviceChanges reads the fields of a service's form. Those of must have to be there.
func serviceChanges(f *form, must ...string) directory.ServiceChanges {
	for _, name := range must {
		if _, ok := f.body.get(name); !ok {
			f.refuse(name, "Missing data for required field.")
		}
	}
	c := directory.ServiceChanges{
		Name: maybe(f, "name", optional, asText(validName)), Active: maybe(f, "active", optional, asFlag),
		Restricted:             maybe(f, "restricted", optional, asFlag),
		HasActiveGoLiveRequest: maybe(f, "has_active_go_live_request", optional, asFlag),
		OrganisationType:       maybe(f, "organisation_type", nullable, asOrganisationType),
		Permissions:            maybe(f, "permissions", optional, asFeatures),
		EmailMessageLimit:      maybe(f, "email_message_limit", optional, asInteger),
		SMSMessageLimit:        maybe(f, "sms_message_limit", optional, asInteger),
		LetterMessageLimit:     maybe(f, "letter_message_limit", optional, asInteger),
		EmailBrandingID:        maybe(f, "email_branding", nullable, asNullID),
		LetterBrandingID:       maybe(f, "letter_branding", nullable, asNullID),
		GoLiveUserID:           maybe(f, "go_live_user", nullable, asNullID),
		GoLiveAt:               maybe(f, "go_live_at", nullable, asTime),
		Settings:               map[string]any{},
	}
	for _, s := range serviceSettings {
		if v, ok := s.read(f); ok {
			c.Settings[s.name] = v
		}
	}
	return c
}

// read returns a setting's new value, if the form holds one.
func (s *setting) read(f *form) (any, bool) {
	p := optional
	if s.kind == settingText || s.kind == settingFlagOrNull || s.kind == settingIntegerOrNull {
		p = nullable
	}
	v, ok := f.value(s.name, p)
	if _, there := f.body.get(s.name); !ok {
		return nil, there && p == nullable
	}
	var fault string
	switch s.kind {
	case settingText:
		v, fault = asText(anyText)(v)
	case settingFlag, settingFlagOrNull:
		v, fault = asFlag(v)
	default:
		var n int
		n, fault = asInteger(v)
		v = float64(n) // as it comes back from the store
	}
	if fault != "" {
		f.refuse(s.name, fault)
	}
	return v, fault == ""
}

// maybe returns a field that is there, read by as; nil when it is not. A null
// that is allowed is the zero value.
func maybe[T any](f *form, name string, p presence, as func(any) (T, string)) *T {
	v, ok := f.value(name, p)
	if !ok {
		if _, there := f.body.get(name); there && p == nullable {
			return new(T)
		}
		return nil
	}
	value, fault := as(v)
	if fault != "" {
		f.refuse(name, fault)
		return nil
	}
	return &value
}

// Readers of single values: each returns what the value is, or what is wrong
// with it in marshmallow's words.

func asText(check func(string) string) func(any) (string, string) {
	return func(v any) (string, string) {
		s, ok := v.(string)
		if !ok {
			return "", "Not a valid string."
		}
		return s, check(s)
	}
}

// maxSettingText bounds the texts that no rule reads, such as notes.
const maxSettingText = 10_000

func anyText(s string) string {
	if len([]rune(s)) > maxSettingText {
		return fmt.Sprintf("Longer than maximum length %d.", maxSettingText)
	}
	return ""
}

func asFlag(v any) (bool, string) {
	b, ok := truth(v)
	if !ok {
		return false, "Not a valid boolean."
	}
	return b, ""
}

// asInteger reads a whole number, also one in a string.
func asInteger(v any) (int, string) {
	var text string
	switch v := v.(type) {
	case number:
		text = strings.TrimSuffix(string(v), ".0")
	case string:
		text = strings.TrimSpace(v)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < -1<<53 || n > 1<<53 {
		return 0, "Not a valid integer."
	}
	return int(n), ""
}

func asID(v any) (uuid.UUID, string) {
	if !isUUID(v) {
		return uuid.Nil, "Not a valid UUID."
	}
	return uuid.MustParse(v.(string)), ""
}

func asNullID(v any) (uuid.NullUUID, string) {
	id, fault := asID(v)
	return uuid.NullUUID{UUID: id, Valid: fault == ""}, fault
}

// timeLayouts are the ways in which callers write a time; without a zone it is UTC.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999", "2006-01-02 15:04:05.999999", "2006-01-02 15:04:05.999999Z07:00", time.DateOnly}

func asTime(v any) (time.Time, string) {
	text, _ := v.(string)
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 0 {
			return t.UTC(), ""
		}
	}
	return time.Time{}, "Not a valid datetime."
}

func asOrganisationType(v any) (directory.OrganisationType, string) {
	text, fault := asText(oneOf(organisationTypes()...))(v)
	return directory.OrganisationType(text), fault
}

// asFeatures reads the permissions of a service.
func asFeatures(v any) ([]string, string) {
	items, ok := v.([]any)
	if !ok {
		return nil, "Not a valid list."
	}
	names, twice := make([]string, len(items)), []string(nil)
	for i, item := range items {
		name, ok := item.(string)
		if !ok || !slices.Contains(directory.ServiceFeatures, name) {
			return nil, "Invalid Service Permission: '" + show(item) + "'"
		}
		if slices.Contains(names, name) && !slices.Contains(twice, name) {
			twice = append(twice, name)
		}
		names[i] = name
	}
	if twice != nil {
		return nil, "Duplicate Service Permission: ['" + strings.Join(twice, "', '") + "']"
	}
	return names, ""
}
