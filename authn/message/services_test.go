package message_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/authn/message"
)

var taken = answer{status: http.StatusCreated, body: `{"id":"740e5834-3a29-46b4-9a6f-16142fde533a","reference":null,"content":{},"uri":"","template":{}}`}

func letterMessage() *message.Outgoing {
	return &message.Outgoing{
		ID: uuid.New(), At: newClock().Now(), Channel: message.Email, Template: message.GoLiveNextSteps, To: "ann@example.org", ReplyTo: "help@example.org",
		Subject: "Next steps", Body: "Do this.\nThen that.", HTML: "<p>Do this.", ExpiresAt: newClock().Now().Add(1),
		Personalisation: map[string]any{"service_name": "Parking", "body": "this"},
	}
}

// decoded is a JSON object of a request.
func decoded(t *testing.T, r request) map[string]any {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(r.body, &body); err != nil {
		t.Fatal(err)
	}
	return body
}

func TestNotifyIsAskedInItsWords(t *testing.T) {
	text, letter := textMessage(), letterMessage()
	settings := "&reply_to=" + ownTemplate + "&sms_sender=" + serviceID
	for _, tt := range []struct {
		name, extra string
		message     *message.Outgoing
		want        map[string]any
	}{
		{"text", "", text, map[string]any{
			"phone_number": text.To, "template_id": smsTemplate, "reference": text.ID.String(), "personalisation": map[string]any{"body": text.Body},
		}},
		{"e-mail", "", letter, map[string]any{
			"email_address": letter.To, "template_id": mailTemplate, "reference": letter.ID.String(),
			"personalisation": map[string]any{"subject": letter.Subject, "body": letter.Body},
		}},
		{"text of its own", settings + "&template.sms_code=" + ownTemplate, text, map[string]any{
			"phone_number": text.To, "template_id": ownTemplate, "reference": text.ID.String(), "sms_sender_id": serviceID,
			"personalisation": map[string]any{"verify_code": "123456"},
		}},
		{"e-mail of its own", settings + "&template.go_live_next_steps=" + ownTemplate, letter, map[string]any{
			"email_address": letter.To, "template_id": ownTemplate, "reference": letter.ID.String(), "email_reply_to_id": ownTemplate,
			"personalisation": map[string]any{"service_name": "Parking", "body": "this"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, clock := newService(t, taken), newClock()
			if err := s.parse(t, notifyText+tt.extra, clock)[tt.message.Channel][0].Send(t.Context(), tt.message); err != nil {
				t.Fatal(err)
			}
			r := s.requests()[0]
			if r.method != http.MethodPost || r.path != "/v2/notifications/"+tt.message.Channel || r.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %s of %s", r.method, r.path, r.header.Get("Content-Type"))
			}
			if diff := cmp.Diff(tt.want, decoded(t, r)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Whoever chooses a name must not add lines to a message that Notify words.
func TestNotifyIsGivenNoLinesThatTheTemplateDoesNotHave(t *testing.T) {
	m := letterMessage()
	m.Personalisation = map[string]any{"service_name": "Parking\n# Pay here", "body": "one\r\ntwo\x00", "names": []any{"Ann\n* Bob"}}
	s := newService(t, taken)
	senders := s.parse(t, notifyText+"&template.go_live_next_steps="+ownTemplate, newClock())
	if err := senders[message.Email][0].Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"service_name": "Parking # Pay here", "body": "one\ntwo ", "names": []any{"Ann * Bob"}}
	if diff := cmp.Diff(want, decoded(t, s.requests()[0])["personalisation"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Notify takes a token for half a minute, so each request has its own.
func TestNotifyTokenIsMadeForEachRequest(t *testing.T) {
	s, clock := newService(t, taken), newClock()
	sender := s.parse(t, notifyText, clock)[message.SMS][0]
	for n := range 2 {
		if err := sender.Send(t.Context(), textMessage()); err != nil {
			t.Fatal(err)
		}
		token, ok := cutBearer(s.requests()[n].header)
		if !ok {
			t.Fatal("no bearer token")
		}
		signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.HS256})
		if err != nil {
			t.Fatal(err)
		}
		claims, err := signed.Verify([]byte(notifySecret))
		if err != nil || signed.Signatures[0].Header.ExtraHeaders["typ"] != "JWT" {
			t.Fatal(err, signed.Signatures[0].Header)
		}
		var got map[string]any
		if err := json.Unmarshal(claims, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]any{"iss": serviceID, "iat": float64(clock.Now().Unix())}, got); diff != "" {
			t.Errorf("claims (-want +got):\n%s", diff)
		}
		clock.Advance(60e9)
	}
}

func cutBearer(h http.Header) (string, bool) {
	const scheme = "Bearer "
	value := h.Get("Authorization")
	if len(value) < len(scheme) || value[:len(scheme)] != scheme {
		return "", false
	}
	return value[len(scheme):], true
}

func TestTwilioIsAskedInItsWords(t *testing.T) {
	m := textMessage()
	callback := "https://id.example/messages/callback/twilio?message=" + m.ID.String()
	for text, want := range map[string]url.Values{
		twilioText: {"To": {"+447700900123"}, "Body": {m.Body}, "From": {"+15017122661"}, "StatusCallback": {callback}},
		"twilio+https://" + accountSID + ":" + twilioToken + "@HOST?messaging_service=MG0123456789abcdef0123456789abcdef": {
			"To": {"+447700900123"}, "Body": {m.Body}, "MessagingServiceSid": {"MG0123456789abcdef0123456789abcdef"}, "StatusCallback": {callback},
		},
	} {
		s := newService(t, answer{status: http.StatusCreated, body: `{"sid":"SM0123456789abcdef0123456789abcdef","status":"queued"}`})
		if err := s.parse(t, text, newClock())[message.SMS][0].Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		r := s.requests()[0]
		form, err := url.ParseQuery(string(r.body))
		if err != nil || r.method != http.MethodPost || r.path != "/2010-04-01/Accounts/"+accountSID+"/Messages.json" ||
			r.header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			t.Errorf("%v: %s %s %v", err, r.method, r.path, r.header)
		}
		if diff := cmp.Diff(want, form); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		user, password, ok := (&http.Request{Header: r.header}).BasicAuth()
		if !ok || user != accountSID || password != twilioToken {
			t.Errorf("credentials %q, %t", user, ok)
		}
	}
}

func TestWebhookIsSignedByEveryKey(t *testing.T) {
	const former = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
	m := letterMessage()
	s, clock := newService(t, answer{status: http.StatusNoContent}), newClock()
	senders := s.parse(t, "webhook+https://whsec_"+webhookKey+":"+former+"@HOST/hooks/messages?tenant=7", clock)
	for range 2 {
		if err := senders[message.Email][0].Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	r := s.requests()[1]
	if r.path != "/hooks/messages" || r.query != "tenant=7" || r.header.Get("Authorization") != "" {
		t.Errorf("%s?%s %v", r.path, r.query, r.header)
	}
	id, at := m.ID.String(), "1772366400" // noon of 1 March 2026
	want := sign(t, webhookKey, id, at, r.body) + " " + sign(t, former, id, at, r.body)
	if r.header.Get("webhook-id") != id || r.header.Get("webhook-timestamp") != at || r.header.Get("webhook-signature") != want {
		t.Errorf("%v, want %s", r.header, want)
	}
	wanted := map[string]any{"type": "message.send", "timestamp": "2026-03-01T12:00:00Z", "data": map[string]any{
		"id": id, "channel": "email", "template": m.Template, "to": m.To, "reply_to": m.ReplyTo, "subject": m.Subject, "text": m.Body, "html": m.HTML,
		"personalisation": m.Personalisation, "expires_at": "2026-03-01T12:00:00.000000001Z",
	}}
	if diff := cmp.Diff(wanted, decoded(t, r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// sign is Standard Webhooks' signature, from its text and not from our code.
func sign(t *testing.T, secret, id, at string, body []byte) string {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + at + "." + string(body)))
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// The example that the Standard Webhooks libraries are tested with.
func TestWebhookSignatureIsThatOfTheSpecification(t *testing.T) {
	got := sign(t, webhookKey, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
