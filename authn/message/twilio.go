package message

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio signs with HMAC-SHA1 and nothing else; no collision of SHA-1 forges an HMAC
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// TwilioSender gives text messages to Twilio's API, or to one that answers like
// it. What becomes of a message is told at [CallbackPath]twilio.
type TwilioSender struct {
	// URL is where the API is, without a path.
	URL string
	// AccountSID and AuthToken are the account's; callbacks are signed with the
	// token as well.
	AccountSID, AuthToken string
	// From is a number in E.164 or a name of the sender; or else
	// MessagingService is the id of the service that chooses one.
	From, MessagingService string
	// Callback is the address that Twilio tells at, as it reaches it; "" asks for
	// no callbacks.
	Callback string
	HTTP     *http.Client
}

var (
	_ Sender   = (*TwilioSender)(nil)
	_ Receiver = (*TwilioSender)(nil)
)

// twilioMessage is the parameter of the callback's address that holds our id:
// Twilio knows the message by an id of its own.
const twilioMessage = "message"

// Send implements [Sender].
func (s *TwilioSender) Send(ctx context.Context, m *Outgoing) error {
	to, err := directory.ParseMobile(m.To) // Twilio knows no national numbers
	if err != nil {
		return &SendError{Reason: ReasonMalformed, Permanent: true}
	}
	form := url.Values{"To": {to}, "Body": {m.Body}}
	if s.MessagingService != "" {
		form.Set("MessagingServiceSid", s.MessagingService)
	} else {
		form.Set("From", s.From)
	}
	if s.Callback != "" {
		form.Set("StatusCallback", s.Callback+"?"+twilioMessage+"="+m.ID.String())
	}
	target := s.URL + "/2010-04-01/Accounts/" + s.AccountSID + "/Messages.json"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return &SendError{Reason: ReasonInternal}
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(s.AccountSID, s.AuthToken)
	status, err := post(ctx, s.HTTP, r)
	if err != nil {
		return err
	}
	return created(status)
}

// Kind implements [Receiver].
func (s *TwilioSender) Kind() string { return "twilio" }

// twilioFailures are the error codes of a message that did not arrive; the rest
// are faults between Twilio and a network.
var twilioFailures = map[string]string{
	"30003": BounceTemporary, // the handset cannot be reached
	"30004": BounceBlocked,
	"30005": BouncePermanent, // the handset is unknown
	"30006": BouncePermanent, // a landline
	"30007": BounceBlocked,   // taken for spam
	"21610": BounceBlocked,   // the recipient has said STOP
}

// Receive implements [Receiver].
func (s *TwilioSender) Receive(r *http.Request, body []byte) (*Report, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil || !s.signed(r, form) {
		return nil, errStranger
	}
	id, err := uuid.Parse(r.URL.Query().Get(twilioMessage))
	if err != nil {
		return nil, errReport
	}
	switch form.Get("MessageStatus") {
	case "delivered", "read":
		return &Report{ID: id, State: StateDelivered}, nil
	case "undelivered", "failed":
		reason, known := twilioFailures[form.Get("ErrorCode")]
		if !known {
			reason = BounceTechnical
		}
		return &Report{ID: id, State: StateBounced, Reason: reason}, nil
	default:
		return nil, nil // on its way
	}
}

// signed checks X-Twilio-Signature: over the address as Twilio was given it,
// whatever a proxy has made of it since, and the parameters in order.
func (s *TwilioSender) signed(r *http.Request, form url.Values) bool {
	given, err := base64.StdEncoding.DecodeString(r.Header.Get("X-Twilio-Signature"))
	if err != nil || s.Callback == "" {
		return false
	}
	mac := hmac.New(sha1.New, []byte(s.AuthToken))
	mac.Write([]byte(s.Callback + "?" + r.URL.RawQuery))
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		values := slices.Sorted(slices.Values(form[name]))
		for _, value := range slices.Compact(values) {
			mac.Write([]byte(name + value))
		}
	}
	return hmac.Equal(given, mac.Sum(nil))
}
