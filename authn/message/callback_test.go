package message_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn/message"
	"gatehouse/internal/web"
)

const callbackToken = "a-token-that-notify-was-given"

// reports remembers what was reported. Whether that is news is the store's
// business, which its own tests show.
type reports struct {
	got []message.Report
	err error
}

func (r *reports) Report(_ context.Context, report message.Report, _ time.Time) (bool, error) {
	r.got = append(r.got, report)
	return r.err == nil, r.err
}

// receive returns the status of a callback, and what it led to.
func receive(t *testing.T, senders string, r *http.Request) (int, []message.Report) {
	t.Helper()
	clock := newClock()
	parsed, err := message.ParseSenders(strings.ReplaceAll(senders, "HOST", "127.0.0.1"), message.SenderConfig{
		Clock: clock.Now, Issuer: "https://id.example", From: "id@id.example",
	})
	if err != nil {
		t.Fatal(err)
	}
	var store reports
	callbacks := &message.Callbacks{Senders: parsed, Store: &store, Clock: clock.Now}
	r.SetPathValue("sender", strings.TrimPrefix(r.URL.Path, message.CallbackPath))
	w := httptest.NewRecorder()
	if err := callbacks.Receive(w, r); err != nil {
		failure, ok := errors.AsType[*web.Error](err)
		if !ok {
			t.Fatal(err)
		}
		return failure.Status, store.got
	}
	return w.Code, store.got
}

func notifyCallback(token, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/messages/callback/notify", strings.NewReader(body))
	r.Header.Set("Authorization", token)
	r.Header.Set("Content-Type", "application/json")
	return r
}

func notifyBody(reference, status string) string {
	return fmt.Sprintf(`{"id":"740e5834-3a29-46b4-9a6f-16142fde533a","reference":%q,"to":"07700900123","status":%q,`+
		`"created_at":"2026-03-01T12:00:00.000000Z","completed_at":"2026-03-01T12:00:02.000000Z","sent_at":"2026-03-01T12:00:01.000000Z",`+
		`"notification_type":"sms","template_id":"f33517ff-2a88-4f6e-b855-c550268ce08a","template_version":1}`, reference, status)
}

func TestNotifyTellsWhatBecameOfAMessage(t *testing.T) {
	id, senders := uuid.New(), notifyText+"&callback_token="+callbackToken
	proof := "Bearer " + callbackToken
	for _, tt := range []struct {
		name, senders, proof, body string
		status                     int
		want                       []message.Report
	}{
		{"delivered", senders, proof, notifyBody(id.String(), "delivered"), 204, []message.Report{{ID: id, State: "delivered"}}},
		{"no such number", senders, proof, notifyBody(id.String(), "permanent-failure"), 204, []message.Report{{ID: id, State: "bounced", Reason: "permanent"}}},
		{"phone off", senders, proof, notifyBody(id.String(), "temporary-failure"), 204, []message.Report{{ID: id, State: "bounced", Reason: "temporary"}}},
		{"fault", senders, proof, notifyBody(id.String(), "technical-failure"), 204, []message.Report{{ID: id, State: "bounced", Reason: "technical"}}},
		{"on its way", senders, proof, notifyBody(id.String(), "sending"), 204, nil},
		{"of somebody else's message", senders, proof, notifyBody("invoice 7", "delivered"), 204, nil},
		{"no reference", senders, proof, `{"reference":null,"status":"delivered"}`, 204, nil},
		{"second of two keys", "sms=" + notifyText + " email=" + senders, proof, notifyBody(id.String(), "delivered"), 204, []message.Report{{ID: id, State: "delivered"}}},
		{"no JSON", senders, proof, "delivered", 400, nil},
		{"wrong token", senders, proof + "x", notifyBody(id.String(), "delivered"), 403, nil},
		{"shorter token", senders, proof[:len(proof)-1], notifyBody(id.String(), "delivered"), 403, nil},
		{"other scheme", senders, "Basic " + callbackToken, notifyBody(id.String(), "delivered"), 403, nil},
		{"no token", senders, "", notifyBody(id.String(), "delivered"), 403, nil},
		{"none configured", notifyText, "Bearer ", notifyBody(id.String(), "delivered"), 403, nil},
		{"no Notify", twilioText, proof, notifyBody(id.String(), "delivered"), 404, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, got := receive(t, tt.senders, notifyCallback(tt.proof, tt.body))
			if status != tt.status || !slices.Equal(got, tt.want) {
				t.Errorf("%d and %v, want %d and %v", status, got, tt.status, tt.want)
			}
		})
	}
}

func TestFaultOfTheStoreIsTold(t *testing.T) {
	parsed, err := message.ParseSenders(strings.ReplaceAll(notifyText, "HOST", "h")+"&callback_token="+callbackToken, message.SenderConfig{Clock: newClock().Now})
	if err != nil {
		t.Fatal(err)
	}
	down := errors.New("down")
	callbacks := &message.Callbacks{Senders: parsed, Store: &reports{err: down}, Clock: newClock().Now}
	r := notifyCallback("Bearer "+callbackToken, notifyBody(uuid.NewString(), "delivered"))
	r.SetPathValue("sender", "notify")
	if err := callbacks.Receive(httptest.NewRecorder(), r); !errors.Is(err, down) || callbacks.Delivered.Load() != 0 {
		t.Errorf("%v, %d counted", err, callbacks.Delivered.Load())
	}
}

func webhookCallback(t *testing.T, secret string, at time.Time, body string) *http.Request {
	t.Helper()
	id, seconds := "evt_"+uuid.NewString(), strconv.FormatInt(at.Unix(), 10)
	r := httptest.NewRequest(http.MethodPost, "/messages/callback/webhook", strings.NewReader(body))
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", seconds)
	r.Header.Set("webhook-signature", "v1a,AAAA v1,AAAA "+sign(t, secret, id, seconds, []byte(body)))
	return r
}

func TestWebhookTellsWhatBecameOfAMessage(t *testing.T) {
	const other = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
	id, noon := uuid.New(), newClock().Now()
	body := func(kind, reason string) string {
		return fmt.Sprintf(`{"type":%q,"data":{"id":%q,"reason":%q}}`, kind, id, reason)
	}
	delivered, bounced := body("message.delivered", ""), body("message.bounced", "blocked")
	tampered := webhookCallback(t, webhookKey, noon, bounced)
	tampered.Body = io.NopCloser(bytes.NewReader([]byte(delivered)))
	replayed := webhookCallback(t, webhookKey, noon.Add(-time.Hour), delivered)
	replayed.Header.Set("webhook-timestamp", strconv.FormatInt(noon.Unix(), 10))
	unsigned := webhookCallback(t, webhookKey, noon, delivered)
	unsigned.Header.Del("webhook-signature")
	nameless := webhookCallback(t, webhookKey, noon, delivered)
	nameless.Header.Del("webhook-id")
	for _, tt := range []struct {
		name   string
		r      *http.Request
		status int
		want   []message.Report
	}{
		{"delivered", webhookCallback(t, webhookKey, noon, delivered), 204, []message.Report{{ID: id, State: "delivered"}}},
		{"bounced", webhookCallback(t, webhookKey, noon, bounced), 204, []message.Report{{ID: id, State: "bounced", Reason: "blocked"}}},
		{"former key", webhookCallback(t, other, noon, delivered), 204, []message.Report{{ID: id, State: "delivered"}}},
		{"slow clock", webhookCallback(t, webhookKey, noon.Add(-5*time.Minute), delivered), 204, []message.Report{{ID: id, State: "delivered"}}},
		{"our own message, sent back", webhookCallback(t, webhookKey, noon, body("message.send", "")), 204, nil},
		{"reason of its own", webhookCallback(t, webhookKey, noon, body("message.bounced", "ann@example.org is unknown")), 400, nil},
		{"no id", webhookCallback(t, webhookKey, noon, `{"type":"message.delivered","data":{"id":"7"}}`), 400, nil},
		{"too old", webhookCallback(t, webhookKey, noon.Add(-5*time.Minute-time.Second), delivered), 403, nil},
		{"from the future", webhookCallback(t, webhookKey, noon.Add(5*time.Minute+time.Second), delivered), 403, nil},
		{"strange key", webhookCallback(t, "f"+webhookKey[1:], noon, delivered), 403, nil},
		{"tampered with", tampered, 403, nil},
		{"replayed as new", replayed, 403, nil},
		{"unsigned", unsigned, 403, nil},
		{"nameless", nameless, 403, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, got := receive(t, "webhook+https://"+webhookKey+":"+other+"@HOST", tt.r)
			if status != tt.status || !slices.Equal(got, tt.want) {
				t.Errorf("%d and %v, want %d and %v", status, got, tt.status, tt.want)
			}
		})
	}
}

// twilioSignature is Twilio's, from its text and not from our code.
func twilioSignature(token, target string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(target))
	var pairs []string
	for name := range form {
		pairs = append(pairs, name+form.Get(name))
	}
	slices.Sort(pairs)
	mac.Write([]byte(strings.Join(pairs, "")))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// The example of Twilio's own libraries.
func TestTwilioSignatureIsThatOfItsLibraries(t *testing.T) {
	form := url.Values{
		"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"}, "From": {"+14158675309"}, "To": {"+18005551212"},
	}
	got := twilioSignature("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form)
	if want := "RSOYDt4T1cUTdK1PDd93/VVr8B8="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTwilioTellsWhatBecameOfAMessage(t *testing.T) {
	id := uuid.New()
	query := "message=" + id.String()
	told := func(status, code string) url.Values {
		form := url.Values{
			"SmsSid": {"SM0123456789abcdef0123456789abcdef"}, "SmsStatus": {status}, "MessageStatus": {status}, "To": {"+447700900123"},
			"MessageSid": {"SM0123456789abcdef0123456789abcdef"}, "AccountSid": {accountSID}, "From": {"+15017122661"}, "ApiVersion": {"2010-04-01"},
		}
		if code != "" {
			form.Set("ErrorCode", code)
		}
		return form
	}
	bounced := func(reason string) []message.Report {
		return []message.Report{{ID: id, State: "bounced", Reason: reason}}
	}
	const good = "https://id.example/messages/callback/twilio?"
	for _, tt := range []struct {
		name, query, token, target string
		form                       url.Values
		status                     int
		want                       []message.Report
	}{
		{"delivered", query, twilioToken, good + query, told("delivered", ""), 204, []message.Report{{ID: id, State: "delivered"}}},
		{"phone off", query, twilioToken, good + query, told("undelivered", "30003"), 204, bounced("temporary")},
		{"blocked", query, twilioToken, good + query, told("undelivered", "30004"), 204, bounced("blocked")},
		{"landline", query, twilioToken, good + query, told("failed", "30006"), 204, bounced("permanent")},
		{"unknown", query, twilioToken, good + query, told("failed", "30008"), 204, bounced("technical")},
		{"on its way", query, twilioToken, good + query, told("sent", ""), 204, nil},
		{"no message", "message=7", twilioToken, good + "message=7", told("delivered", ""), 400, nil},
		{"other message", query, twilioToken, good + "message=" + uuid.NewString(), told("delivered", ""), 403, nil},
		{"other address", query, twilioToken, "http://id.example/messages/callback/twilio?" + query, told("delivered", ""), 403, nil},
		{"other token", query, "another", good + query, told("delivered", ""), 403, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/messages/callback/twilio?"+tt.query, strings.NewReader(tt.form.Encode()))
			r.Header.Set("X-Twilio-Signature", twilioSignature(tt.token, tt.target, tt.form))
			status, got := receive(t, twilioText, r)
			if status != tt.status || !slices.Equal(got, tt.want) {
				t.Errorf("%d and %v, want %d and %v", status, got, tt.status, tt.want)
			}
		})
	}
	t.Run("tampered with", func(t *testing.T) {
		r := httptest.NewRequest(http.MethodPost, "/messages/callback/twilio?"+query, strings.NewReader(told("delivered", "").Encode()))
		r.Header.Set("X-Twilio-Signature", twilioSignature(twilioToken, good+query, told("failed", "")))
		if status, got := receive(t, twilioText, r); status != 403 || got != nil {
			t.Errorf("%d and %v", status, got)
		}
	})
}
