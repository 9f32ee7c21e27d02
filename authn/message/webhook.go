package message

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// WebhookSender posts messages as JSON to an address of the operator's, signed
// as Standard Webhooks 1.0 says. What becomes of a message is told at
// [CallbackPath]webhook, signed in the same way.
type WebhookSender struct {
	URL string
	// Keys sign; several at once while one is being replaced.
	Keys  [][]byte
	HTTP  *http.Client
	Clock directory.Clock
}

var (
	_ Sender   = (*WebhookSender)(nil)
	_ Receiver = (*WebhookSender)(nil)
)

// The types of what goes over webhooks. Both directions share a key, so a type
// of one must mean nothing in the other.
const (
	webhookSend      = "message.send"
	webhookDelivered = "message.delivered"
	webhookBounced   = "message.bounced"
)

// webhookTolerance is how old or new a callback may be. A repeated one changes
// nothing, whenever it comes.
const webhookTolerance = 5 * time.Minute

// webhookVersion is put in front of a signature with HMAC-SHA256.
const webhookVersion = "v1,"

type webhookBody struct {
	Type      string      `json:"type"`
	Timestamp time.Time   `json:"timestamp"` // when the message was queued
	Data      webhookData `json:"data"`
}

type webhookData struct {
	ID              uuid.UUID      `json:"id"`
	Channel         string         `json:"channel"`
	Template        string         `json:"template"`
	To              string         `json:"to"`
	ReplyTo         string         `json:"reply_to,omitempty"`
	Subject         string         `json:"subject,omitempty"`
	Text            string         `json:"text"`
	HTML            string         `json:"html,omitempty"`
	Personalisation map[string]any `json:"personalisation"`
	ExpiresAt       time.Time      `json:"expires_at,omitzero"`
}

// Send implements [Sender]: any 2xx is success. A message that is sent again has
// the webhook-id it had before, by which the other side knows it.
func (s *WebhookSender) Send(ctx context.Context, m *Outgoing) error {
	body, err := json.Marshal(webhookBody{Type: webhookSend, Timestamp: m.At, Data: webhookData{
		ID: m.ID, Channel: m.Channel, Template: m.Template, To: m.To, ReplyTo: m.ReplyTo, Subject: m.Subject,
		Text: m.Body, HTML: m.HTML, Personalisation: m.Personalisation, ExpiresAt: m.ExpiresAt,
	}})
	if err != nil {
		return &SendError{Reason: ReasonMalformed, Permanent: true}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return &SendError{Reason: ReasonInternal}
	}
	id, at := m.ID.String(), strconv.FormatInt(s.Clock().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Webhook-Id", id)
	r.Header.Set("Webhook-Timestamp", at)
	r.Header.Set("Webhook-Signature", s.signatures(id, at, body))
	status, err := post(ctx, s.HTTP, r)
	if err != nil {
		return err
	}
	if status >= http.StatusOK && status < http.StatusMultipleChoices {
		return nil
	}
	return refusedBy(status)
}

// signatures are those of all keys, with spaces between.
func (s *WebhookSender) signatures(id, at string, body []byte) string {
	all := make([]string, len(s.Keys))
	for i, key := range s.Keys {
		all[i] = webhookVersion + base64.StdEncoding.EncodeToString(webhookMAC(key, id, at, body))
	}
	return strings.Join(all, " ")
}

func webhookMAC(key []byte, id, at string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// Kind implements [Receiver].
func (s *WebhookSender) Kind() string { return "webhook" }

// Receive implements [Receiver]. A callback names its message in data.id; its
// own webhook-id is any that its sender chooses.
func (s *WebhookSender) Receive(r *http.Request, body []byte) (*Report, error) {
	if !s.signed(r.Header, body) {
		return nil, errStranger
	}
	var told struct {
		Type string `json:"type"`
		Data struct {
			ID     uuid.UUID `json:"id"`
			Reason string    `json:"reason"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &told); err != nil {
		return nil, errReport
	}
	switch told.Type {
	case webhookDelivered:
		return &Report{ID: told.Data.ID, State: StateDelivered}, nil
	case webhookBounced:
		if !isBounce(told.Data.Reason) {
			return nil, errReport // a text of theirs might hold an address
		}
		return &Report{ID: told.Data.ID, State: StateBounced, Reason: told.Data.Reason}, nil
	default:
		return nil, nil
	}
}

// signed reports whether one of the signatures is by one of the keys, and not old.
func (s *WebhookSender) signed(h http.Header, body []byte) bool {
	id, at := h.Get("Webhook-Id"), h.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || id == "" || s.Clock().Sub(time.Unix(seconds, 0)).Abs() > webhookTolerance {
		return false
	}
	for _, key := range s.Keys {
		want := webhookMAC(key, id, at, body)
		for signature := range strings.FieldsSeq(h.Get("Webhook-Signature")) {
			encoded, known := strings.CutPrefix(signature, webhookVersion)
			given, err := base64.StdEncoding.DecodeString(encoded)
			if known && err == nil && hmac.Equal(given, want) {
				return true
			}
		}
	}
	return false
}
