package message

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"gatehouse/authn"
	"gatehouse/directory"
)

// The templates there are.
const (
	SMSCode         = "sms_code"
	EmailCode       = "email_code"
	PasswordChanged = "password_changed"
	AccountLocked   = "account_locked"
	PasskeyAdded    = "passkey_added"
	PasskeyRemoved  = "passkey_removed"
	PasskeyCopied   = "passkey_copied"
	NewBrowser      = "new_browser"

	ChangeEmailCode   = "change_email_code"
	ChangeMobileCode  = "change_mobile_code"
	EmailChanged      = "email_changed"
	MobileChanged     = "mobile_changed"
	AccountClosed     = "account_closed"
	TOTPAdded         = "totp_added"
	TOTPRemoved       = "totp_removed"
	RecoveryCodesMade = "recovery_codes_made"
	RecoveryCodeUsed  = "recovery_code_used"
	RecoveryCodesFew  = "recovery_codes_few"
	FactorsReset      = "factors_reset"

	AgreementSigned         = "agreement_signed"
	AgreementSignedOnBehalf = "agreement_signed_on_behalf"
	AgreementSignedForYou   = "agreement_signed_for_you"

	OrganisationInvitation = "organisation_invitation"
	GoLiveRequest          = "go_live_request"
	GoLiveReceipt          = "go_live_receipt"
	GoLiveNextSteps        = "go_live_next_steps"
	GoLiveRejected         = "go_live_rejected"

	SignInLink           = "sign_in_link"
	SignInLinkOrCode     = "sign_in_link_or_code"
	PasswordNeeded       = "password_needed"
	VerifyEmail          = "verify_email"
	PasswordReset        = "password_reset"
	AlreadyRegistered    = "already_registered"
	AccountExists        = "account_exists"
	ChangeEmail          = "change_email"
	TeamMemberEditEmail  = "team_member_edit_email"
	TeamMemberEditMobile = "team_member_edit_mobile"

	ServiceNowLive             = "service_now_live"
	ServiceInvitation          = "service_invitation"
	ServiceJoinRequest         = "service_join_request"
	ServiceJoinRequestReceipt  = "service_join_request_receipt"
	ServiceJoinRequestApproved = "service_join_request_approved"
)

// definition is what a template needs to be filled. Its words are in
// templates/<language>/<name>.txt and, for e-mail, <name>.html beside it.
type definition struct {
	channel string
	subject string // in English; e-mail only
	keys    []string
	lines   []string // those of the keys that may hold more than one line
}

// agreementKeys are what is told about an agreement, whoever is told.
var agreementKeys = []string{"mou_link", "org_name", "org_dashboard_link", "signed_by_name", "on_behalf_of_name"}

var definitions = map[string]definition{
	SMSCode:         {channel: SMS, keys: []string{"verify_code"}},
	EmailCode:       {channel: Email, subject: "Your security code", keys: []string{"name", "verify_code"}},
	PasswordChanged: {channel: Email, subject: "Your password has been changed", keys: []string{"name"}},
	AccountLocked:   {channel: Email, subject: "Your account has been locked", keys: []string{"name"}},
	PasskeyAdded:    {channel: Email, subject: "A passkey or security key has been added", keys: []string{"name"}},
	PasskeyRemoved:  {channel: Email, subject: "A passkey or security key has been removed", keys: []string{"name"}},
	PasskeyCopied:   {channel: Email, subject: "A passkey or security key was refused", keys: []string{"name"}},
	NewBrowser:      {channel: Email, subject: "New sign-in to your account", keys: []string{"name", "at", "browser", "system", "place"}},

	ChangeEmailCode:   {channel: Email, subject: "Confirm your new email address", keys: []string{"name", "verify_code"}},
	ChangeMobileCode:  {channel: SMS, keys: []string{"verify_code"}},
	EmailChanged:      {channel: Email, subject: "Your email address has been changed", keys: []string{"name"}},
	MobileChanged:     {channel: Email, subject: "Your mobile number has been changed", keys: []string{"name"}},
	AccountClosed:     {channel: Email, subject: "Your account has been closed", keys: []string{"name"}},
	TOTPAdded:         {channel: Email, subject: "An authenticator app has been added to your account", keys: []string{"name"}},
	TOTPRemoved:       {channel: Email, subject: "The authenticator app has been removed from your account", keys: []string{"name"}},
	RecoveryCodesMade: {channel: Email, subject: "Your account has new recovery codes", keys: []string{"name"}},
	RecoveryCodeUsed:  {channel: Email, subject: "A recovery code has been used", keys: []string{"name", "left"}},
	RecoveryCodesFew:  {channel: Email, subject: "You have few recovery codes left", keys: []string{"name", "left"}},
	FactorsReset:      {channel: Email, subject: "How you sign in has been reset", keys: []string{"name"}},

	ServiceNowLive:    {channel: Email, subject: "Your service is now live", keys: []string{"name", "service_name"}},
	ServiceInvitation: {channel: Email, subject: "You have been invited to a service", keys: []string{"user_name", "service_name", "url"}},
	ServiceJoinRequest: {channel: Email, subject: "Somebody asks to join your service", keys: []string{
		"approver_name", "requester_name", "requester_email_address", "service_name", "reason_given", "reason", "url",
	}},
	ServiceJoinRequestReceipt:  {channel: Email, subject: "You have asked to join a service", keys: []string{"requester_name", "service_name", "service_admin_names", "url_ask_to_join_page"}},
	ServiceJoinRequestApproved: {channel: Email, subject: "You have joined a service", keys: []string{"requester_name", "approver_name", "service_name", "dashboard_url"}},

	SignInLinkOrCode:     {channel: Email, subject: "Sign in", keys: []string{"name", "url", "verify_code"}},
	PasswordNeeded:       {channel: Email, subject: "Sign in with your password", keys: []string{"name", "signin_url"}},
	SignInLink:           {channel: Email, subject: "Sign in", keys: []string{"name", "url"}},
	VerifyEmail:          {channel: Email, subject: "Confirm your email address", keys: []string{"name", "url"}},
	PasswordReset:        {channel: Email, subject: "Reset your password", keys: []string{"user_name", "url"}},
	AccountExists:        {channel: Email, subject: "You already have an account", keys: []string{"signin_url", "forgot_password_url"}},
	AlreadyRegistered:    {channel: Email, subject: "You already have an account", keys: []string{"signin_url", "forgot_password_url", "feedback_url"}},
	ChangeEmail:          {channel: Email, subject: "Confirm your new email address", keys: []string{"name", "url", "feedback_url"}},
	TeamMemberEditEmail:  {channel: Email, subject: "Your email address has been changed", keys: []string{"name", "servicemanagername", "email address"}},
	TeamMemberEditMobile: {channel: SMS, keys: []string{"name", "servicemanagername", "email address"}},

	AgreementSigned:         {channel: Email, subject: "You have accepted the data sharing and financial agreement", keys: agreementKeys},
	AgreementSignedOnBehalf: {channel: Email, subject: "You have accepted the data sharing and financial agreement", keys: agreementKeys},
	AgreementSignedForYou:   {channel: Email, subject: "The data sharing and financial agreement was accepted on your behalf", keys: agreementKeys},

	OrganisationInvitation: {channel: Email, subject: "You have been invited to an organisation", keys: []string{"user_name", "organisation_name", "url"}},
	GoLiveRequest: {channel: Email, subject: "A service asks to go live", keys: []string{
		"service_name", "requester_name", "requester_email_address", "make_service_live_link", "support_page_link", "organisation_name", "name",
	}},
	GoLiveReceipt:   {channel: Email, subject: "Your request to go live", keys: []string{"service_name", "name", "organisation_name", "organisation_team_member_names"}},
	GoLiveNextSteps: {channel: Email, subject: "Next steps for a request to go live", keys: []string{"service_name", "body"}, lines: []string{"body"}},
	GoLiveRejected: {channel: Email, subject: "Your service cannot go live yet", lines: []string{"reason"}, keys: []string{
		"name", "service_name", "organisation_name", "reason", "organisation_team_member_name", "organisation_team_member_email",
	}},
}

// defined finds the definition of m's template and checks m against it. The
// errors name keys, never values.
func defined(m authn.Message) (definition, error) {
	d, ok := definitions[m.Template]
	switch {
	case !ok:
		return d, fmt.Errorf("unknown template %q", m.Template)
	case m.Channel != d.channel:
		return d, fmt.Errorf("template %s is not for channel %q", m.Template, m.Channel)
	}
	unused := maps.Clone(m.Personalisation)
	for _, key := range d.keys {
		if _, ok := m.Personalisation[key]; !ok {
			return d, fmt.Errorf("template %s needs %s", m.Template, key)
		}
		delete(unused, key)
	}
	for key := range unused {
		return d, fmt.Errorf("template %s does not know %s", m.Template, key)
	}
	return d, nil
}

// plain is a personalisation in which only texts that may hold several lines do.
func (d definition) plain(personalisation map[string]any) map[string]any {
	all := make(map[string]any, len(personalisation)+2)
	for key, value := range personalisation {
		all[key] = plain(value)
		if text, ok := value.(string); ok && slices.Contains(d.lines, key) {
			all[key] = plainLines(text)
		}
	}
	return all
}

// plain turns control characters, line breaks and what reorders the rest of a line
// into spaces: a person's name must not add lines to a message that seems to come
// from us, nor let its words be read in another order.
func plain(value any) any {
	switch v := value.(type) {
	case string:
		return strings.Map(func(r rune) rune {
			if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || directory.Reorders(r) {
				return ' '
			}
			return r
		}, v)
	case []string:
		all := make([]any, len(v))
		for i, s := range v {
			all[i] = plain(s)
		}
		return all
	case []any: // what a list is after it has waited in the outbox
		all := make([]any, len(v))
		for i, s := range v {
			all[i] = plain(s)
		}
		return all
	}
	return value
}

// plainLines is plain for a text of several lines.
func plainLines(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i], _ = plain(line).(string)
	}
	return strings.Join(lines, "\n")
}
