package message

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// The shapes of what the services call their own.
var (
	notifyKey     = regexp.MustCompile(`^(?:.+-)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)
	twilioAccount = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)
	twilioService = regexp.MustCompile(`^MG[0-9a-fA-F]{32}$`)
	twilioFrom    = regexp.MustCompile(`^(\+[1-9][0-9]{6,14}|[0-9]{3,8}|[A-Za-z0-9 ]{1,11})$`)
)

const (
	minWebhookKey, maxWebhookKey = 24, 64 // bytes, by Standard Webhooks
	minCallbackToken             = 16     // characters; Notify itself wants 10
)

// parseEndpoint reads where a service is. None of its errors quotes the text,
// which holds a secret.
func parseEndpoint(text, kind, form string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimPrefix(text, kind+"+"))
	switch {
	case err != nil || u.Hostname() == "" || u.Fragment != "":
		return nil, fmt.Errorf("malformed: expected %s", form)
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return nil, errors.New("only https leaves this machine")
	}
	return u, nil
}

// base is the address without secret, parameters and path.
func base(u *url.URL) (string, error) {
	if strings.Trim(u.Path, "/") != "" {
		return "", errors.New("it has a path, where none belongs")
	}
	return u.Scheme + "://" + u.Host, nil
}

// parameters checks the names of a query's parameters, which ends in a list of
// all that are known.
func parameters(u *url.URL, known func(name string) bool, list string) (url.Values, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("its parameters are malformed")
	}
	for name, values := range query {
		if !known(name) {
			return nil, errors.New("a parameter is unknown: there are " + list)
		}
		if len(values) != 1 {
			return nil, fmt.Errorf("%s is given twice", name)
		}
	}
	return query, nil
}

const notifyForm = "notify+https://API-KEY@api.notifications.service.gov.uk?email_template=ID&sms_template=ID"

func parseNotify(text string, c SenderConfig) (*NotifySender, []string, error) {
	u, err := parseEndpoint(text, "notify", notifyForm)
	if err != nil {
		return nil, nil, err
	}
	key := notifyKey.FindStringSubmatch(strings.ToLower(u.User.Username()))
	if _, password := u.User.Password(); key == nil || password {
		return nil, nil, errors.New("the API key is not NAME-SERVICE_ID-SECRET: expected " + notifyForm)
	}
	s := &NotifySender{ServiceID: key[1], Secret: key[2], HTTP: c.HTTP, Clock: c.Clock}
	query, err := parameters(u, knownToNotify, "email_template, sms_template, template.NAME, reply_to, sms_sender and callback_token")
	if err != nil {
		return nil, nil, err
	}
	s.URL, err = base(u)
	return s, s.channels(query), errors.Join(err, s.configure(query))
}

func knownToNotify(name string) bool {
	return strings.HasPrefix(name, "template.") ||
		slices.Contains([]string{"email_template", "sms_template", "reply_to", "sms_sender", "callback_token"}, name)
}

func (s *NotifySender) channels(query url.Values) []string {
	var all []string
	if query.Get("email_template") != "" {
		all = append(all, Email)
	}
	if query.Get("sms_template") != "" {
		all = append(all, SMS)
	}
	return all
}

func (s *NotifySender) configure(query url.Values) error {
	s.EmailTemplate, s.SMSTemplate = query.Get("email_template"), query.Get("sms_template")
	s.ReplyTo, s.SMSFrom, s.CallbackToken = query.Get("reply_to"), query.Get("sms_sender"), query.Get("callback_token")
	var faults []error
	if s.EmailTemplate == "" && s.SMSTemplate == "" {
		faults = append(faults, errors.New("it needs email_template, sms_template or both"))
	}
	if query.Has("callback_token") && len(s.CallbackToken) < minCallbackToken {
		faults = append(faults, fmt.Errorf("callback_token is shorter than %d characters", minCallbackToken))
	}
	for name := range query {
		if name != "callback_token" && uuid.Validate(query.Get(name)) != nil {
			faults = append(faults, fmt.Errorf("%s is not the id of one in Notify", strings.SplitN(name, ".", 2)[0]))
		}
		ours, own := strings.CutPrefix(name, "template.")
		if !own {
			continue
		}
		if _, known := definitions[ours]; !known {
			faults = append(faults, errors.New("template.NAME names no message: docs/configuration.md lists them"))
		}
		if s.Templates == nil {
			s.Templates = map[string]string{}
		}
		s.Templates[ours] = query.Get(name)
	}
	return errors.Join(faults...)
}

const webhookForm = "webhook+https://SECRET@host/path, with / in the secret written as %2F"

// parseWebhook leaves path and parameters as they are: they are the endpoint's.
func parseWebhook(text string, c SenderConfig) (*WebhookSender, error) {
	u, err := parseEndpoint(text, "webhook", webhookForm)
	if err != nil {
		return nil, err
	}
	secrets := []string{u.User.Username()}
	if former, ok := u.User.Password(); ok {
		secrets = append(secrets, former)
	}
	s := &WebhookSender{HTTP: c.HTTP, Clock: c.Clock}
	for _, secret := range secrets {
		key, err := webhookKey(secret)
		if err != nil {
			return nil, err
		}
		s.Keys = append(s.Keys, key)
	}
	u.User = nil
	s.URL = u.String()
	return s, nil
}

func webhookKey(secret string) ([]byte, error) {
	encoded := strings.TrimRight(strings.TrimPrefix(secret, "whsec_"), "=")
	key, err := base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(encoded))
	if err != nil || len(key) < minWebhookKey || len(key) > maxWebhookKey {
		return nil, fmt.Errorf("the secret is not base64 of %d to %d bytes: expected %s", minWebhookKey, maxWebhookKey, webhookForm)
	}
	return key, nil
}

const twilioForm = "twilio+https://ACCOUNT_SID:AUTH_TOKEN@api.twilio.com?from=%2B44… or ?messaging_service=MG…"

func parseTwilio(text string, c SenderConfig) (*TwilioSender, error) {
	u, err := parseEndpoint(text, "twilio", twilioForm)
	if err != nil {
		return nil, err
	}
	known := func(name string) bool { return name == "from" || name == "messaging_service" }
	query, err := parameters(u, known, "from and messaging_service")
	if err != nil {
		return nil, err
	}
	s := &TwilioSender{AccountSID: u.User.Username(), MessagingService: query.Get("messaging_service"), HTTP: c.HTTP}
	s.AuthToken, _ = u.User.Password()
	s.From = query.Get("from")
	if number, lost := strings.CutPrefix(s.From, " "); lost {
		s.From = "+" + number // what a + that was not written as %2B is read as
	}
	// Twilio refuses a message whose callback it cannot reach.
	if strings.HasPrefix(c.Issuer, "https://") {
		s.Callback = c.Issuer + CallbackPath + s.Kind()
	}
	s.URL, err = base(u)
	return s, errors.Join(err, s.check())
}

func (s *TwilioSender) check() error {
	var faults []error
	if !twilioAccount.MatchString(s.AccountSID) || s.AuthToken == "" {
		faults = append(faults, errors.New("no account and token: expected "+twilioForm))
	}
	switch {
	case (s.From == "") == (s.MessagingService == ""):
		faults = append(faults, errors.New("it needs from or messaging_service, and not both"))
	case s.From != "" && !twilioFrom.MatchString(s.From):
		faults = append(faults, errors.New("from is neither a number such as %2B447700900000 nor a name of up to 11 letters and digits"))
	case s.MessagingService != "" && !twilioService.MatchString(s.MessagingService):
		faults = append(faults, errors.New("messaging_service is not the id of one"))
	}
	return errors.Join(faults...)
}
