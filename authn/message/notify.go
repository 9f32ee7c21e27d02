package message

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"gatehouse/directory"
)

// NotifySender gives messages to GOV.UK Notify's API, or to one that answers
// like it. What becomes of a message is told at [CallbackPath]notify.
type NotifySender struct {
	// URL is where the API is, without a path.
	URL string
	// ServiceID and Secret are the two halves of an API key.
	ServiceID, Secret string
	// EmailTemplate and SMSTemplate are the templates in Notify that hold a
	// message in our words: ((subject)) and ((body)), or ((body)) alone. A channel
	// without one is not carried.
	EmailTemplate, SMSTemplate string
	// Templates are those in Notify that word a message themselves, by our name
	// of it. They are given its personalisation.
	Templates map[string]string
	// ReplyTo and SMSFrom choose among the service's reply-to addresses and
	// text message senders, by their ids; "" leaves it to Notify.
	ReplyTo, SMSFrom string
	// CallbackToken is what Notify proves itself with; "" takes no callback.
	CallbackToken string
	HTTP          *http.Client
	Clock         directory.Clock
}

var (
	_ Sender   = (*NotifySender)(nil)
	_ Receiver = (*NotifySender)(nil)
)

// notifyRequest is the body of POST /v2/notifications/email and sms.
type notifyRequest struct {
	EmailAddress    string         `json:"email_address,omitempty"`
	PhoneNumber     string         `json:"phone_number,omitempty"`
	TemplateID      string         `json:"template_id"`
	Personalisation map[string]any `json:"personalisation"`
	Reference       string         `json:"reference"`
	ReplyToID       string         `json:"email_reply_to_id,omitempty"`
	SMSSenderID     string         `json:"sms_sender_id,omitempty"`
}

// Send implements [Sender]. The message's reply-to address is not passed on:
// Notify replies to addresses that the service has verified and no others.
func (s *NotifySender) Send(ctx context.Context, m *Outgoing) error {
	body, err := json.Marshal(s.request(m))
	if err != nil {
		return &SendError{Reason: ReasonMalformed, Permanent: true}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/v2/notifications/"+m.Channel, bytes.NewReader(body))
	if err != nil {
		return &SendError{Reason: ReasonInternal}
	}
	token, err := s.token()
	if err != nil {
		return &SendError{Reason: ReasonInternal}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	status, err := post(ctx, s.HTTP, r)
	if err != nil {
		return err
	}
	return created(status)
}

func (s *NotifySender) request(m *Outgoing) notifyRequest {
	n := notifyRequest{Reference: m.ID.String(), Personalisation: map[string]any{"body": m.Body}}
	if m.Channel == SMS {
		n.PhoneNumber, n.SMSSenderID, n.TemplateID = m.To, s.SMSFrom, s.SMSTemplate
	} else {
		n.EmailAddress, n.ReplyToID, n.TemplateID = m.To, s.ReplyTo, s.EmailTemplate
		n.Personalisation["subject"] = m.Subject
	}
	if own, ok := s.Templates[m.Template]; ok {
		n.TemplateID, n.Personalisation = own, definitions[m.Template].plain(m.Personalisation)
	}
	return n
}

// token is made for each request: Notify takes none whose iat is more than half
// a minute away.
func (s *NotifySender) token() (string, error) {
	options := (&jose.SignerOptions{}).WithType("JWT")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(s.Secret)}, options)
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(struct {
		Issuer   string `json:"iss"`
		IssuedAt int64  `json:"iat"`
	}{s.ServiceID, s.Clock().Unix()})
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// Kind implements [Receiver].
func (s *NotifySender) Kind() string { return "notify" }

// notifyFailures are Notify's words for why a message did not arrive.
var notifyFailures = map[string]string{
	"permanent-failure": BouncePermanent,
	"temporary-failure": BounceTemporary,
	"technical-failure": BounceTechnical,
}

// Receive implements [Receiver]. Notify sends the token that the service's
// callback is set up with.
func (s *NotifySender) Receive(r *http.Request, body []byte) (*Report, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if s.CallbackToken == "" || !strings.EqualFold(scheme, "bearer") || !sameSecret(token, s.CallbackToken) {
		return nil, errStranger
	}
	var told struct {
		Reference string `json:"reference"`
		Status    string `json:"status"`
	}
	if err := json.Unmarshal(body, &told); err != nil {
		return nil, errReport
	}
	report := Report{State: StateDelivered}
	if reason, failed := notifyFailures[told.Status]; failed {
		report.State, report.Reason = StateBounced, reason
	} else if told.Status != StateDelivered {
		return nil, nil // on its way
	}
	// A message without an id of ours is another's: the service may be shared.
	report.ID, _ = uuid.Parse(told.Reference)
	if report.ID == uuid.Nil {
		return nil, nil
	}
	return &report, nil
}

// sameSecret compares in a time that tells nothing, not even the length.
func sameSecret(given, want string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
