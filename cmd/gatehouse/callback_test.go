package main

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
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

	"gatehouse/authn"
	"gatehouse/authn/message"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

const (
	callbackIssuer = "https://id.example.org"
	callbackToken  = "a-token-that-notify-was-given"
	callbackKey    = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	twilioAccount  = "AC0123456789abcdef0123456789abcdef"
	twilioToken    = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
)

// callbackRig is a server in production, whose messages leave through services
// in this process that take everything.
type callbackRig struct {
	*deployment
	server *server
	queue  *message.Queue
	outbox storage.Outbox
	took   chan *http.Request // bodies are in their forms
}

func newCallbackRig(t *testing.T, c storage.Config) *callbackRig {
	t.Helper()
	r := &callbackRig{deployment: newDeployment(t, c), took: make(chan *http.Request, 16)}
	office := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Content-Type") == "application/json" {
			body, _ := io.ReadAll(req.Body)
			req.Form = url.Values{"json": {string(body)}}
		} else {
			_ = req.ParseForm()
		}
		w.WriteHeader(http.StatusCreated)
		r.took <- req
	}))
	t.Cleanup(office.Close)
	host := strings.TrimPrefix(office.URL, "http://")
	id := uuid.NewString()
	r.vars["GATEHOUSE_ISSUER"], r.vars["GATEHOUSE_LOG_LEVEL"] = callbackIssuer, "info"
	r.vars["GATEHOUSE_ENCRYPTION_KEYS"] = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", storage.KeySize)))
	r.vars["GATEHOUSE_MESSAGES"] = fmt.Sprintf(
		"email=notify+http://live-%s-%s@%s?email_template=%s&callback_token=%s sms=twilio+http://%s:%s@%s?from=Gatehouse sms=webhook+http://%s@%s/take",
		id, id, host, id, callbackToken, twilioAccount, twilioToken, host, callbackKey, host)
	r.server = r.start()
	r.outbox = storage.Outbox{DB: storagetest.OpenConfig(t, c).DB}
	keyring, err := storage.ParseKeyring(r.vars["GATEHOUSE_ENCRYPTION_KEYS"])
	if err != nil {
		t.Fatal(err)
	}
	r.queue = &message.Queue{Store: r.outbox, Sealer: keyring, Clock: time.Now, NewID: uuid.New}
	return r
}

// send queues a message and returns what the services were asked, each once.
func (r *callbackRig) send(m authn.Message, services int) []*http.Request {
	r.t.Helper()
	if err := r.queue.Send(r.t.Context(), m); err != nil {
		r.t.Fatal(err)
	}
	var asked []*http.Request
	for range services {
		select {
		case req := <-r.took:
			asked = append(asked, req)
		case <-time.After(time.Minute):
			r.t.Fatal("the message did not leave")
		}
	}
	return asked
}

// tell posts a callback and returns the status of its answer.
func (r *callbackRig) tell(path string, body any, header ...string) int {
	r.t.Helper()
	return do(r.t, http.DefaultClient, request(r.t, http.MethodPost, r.server.url+path, body, header...)).status
}

// messages are what the command says of them, by id.
func (r *callbackRig) messages() map[uuid.UUID]messageOutput {
	r.t.Helper()
	var all []messageOutput
	r.command("", &all, "messages", "--json")
	byID := map[uuid.UUID]messageOutput{}
	for _, m := range all {
		byID[m.ID] = m
	}
	return byID
}

func (r *callbackRig) want(id uuid.UUID, delivery, reason string) {
	r.t.Helper()
	m := r.messages()[id]
	if m.Delivery != delivery || m.BounceReason != reason || m.ToldAt.IsZero() != (delivery == "") {
		r.t.Errorf("recorded %+v, want %s %s", m, delivery, reason)
	}
}

func webhookHeaders(at time.Time, body string) []string {
	id, seconds := "evt_"+uuid.NewString(), strconv.FormatInt(at.Unix(), 10)
	key, _ := base64.StdEncoding.DecodeString(callbackKey)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + seconds + "." + body))
	return []string{
		"Webhook-Id", id, "Webhook-Timestamp", seconds,
		"Webhook-Signature", "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)),
	}
}

func twilioHeaders(target string, form url.Values) []string {
	var pairs []string
	for name := range form {
		pairs = append(pairs, name+form.Get(name))
	}
	slices.Sort(pairs)
	mac := hmac.New(sha1.New, []byte(twilioToken))
	mac.Write([]byte(target + strings.Join(pairs, "")))
	return []string{"X-Twilio-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil))}
}

func TestServicesTellWhatBecameOfMessages(t *testing.T) {
	t.Parallel()
	storagetest.EachConfig(t, func(t *testing.T, c storage.Config) {
		r := newCallbackRig(t, c)
		t.Run("notify", func(t *testing.T) { r.byNotify(t) })
		t.Run("twilio and webhook", func(t *testing.T) { r.byTwilioAndWebhook(t) })
		for _, secret := range []string{"900123", "ann@example.org", callbackToken, callbackKey, twilioToken, "918273"} {
			if strings.Contains(r.server.log.String(), secret) {
				t.Errorf("the log holds %q:\n%s", secret, r.server.log)
			}
		}
	})
}

func (r *callbackRig) byNotify(t *testing.T) {
	asked := r.send(authn.Message{
		Channel: message.Email, To: "ann@example.org", Template: message.EmailCode,
		Personalisation: map[string]any{"name": "Ann", "verify_code": "918273"},
	}, 1)[0]
	var sent struct{ Reference uuid.UUID }
	if err := json.Unmarshal([]byte(asked.Form.Get("json")), &sent); err != nil || asked.URL.Path != "/v2/notifications/email" {
		t.Fatal(err, asked.URL)
	}
	const path = "/messages/callback/notify"
	body := func(id uuid.UUID, status string) string {
		return fmt.Sprintf(`{"id":%q,"reference":%q,"to":"ann@example.org","status":%q,"notification_type":"email"}`, uuid.New(), id, status)
	}
	proof := []string{"Authorization", "Bearer " + callbackToken}
	if status := r.tell(path, body(sent.Reference, "delivered"), "Authorization", "Bearer guess"); status != http.StatusForbidden {
		t.Errorf("a stranger is told %d", status)
	}
	r.want(sent.Reference, "", "")
	if status := r.tell(path, body(sent.Reference, "delivered"), proof...); status != http.StatusNoContent {
		t.Errorf("Notify is told %d", status)
	}
	r.want(sent.Reference, "delivered", "")
	if status := r.tell(path, body(sent.Reference, "permanent-failure"), proof...); status != http.StatusNoContent {
		t.Errorf("the second time Notify is told %d", status)
	}
	r.want(sent.Reference, "bounced", "permanent")
	r.unknownAndMalformed(t, path, body, proof)
}

// unknownAndMalformed has ways that no proof helps, or none is needed for.
func (r *callbackRig) unknownAndMalformed(t *testing.T, path string, body func(id uuid.UUID, status string) string, proof []string) {
	known := len(r.messages())
	for _, tt := range []struct {
		name, path, body string
		header           []string
		want             int
	}{
		{"unknown message", path, body(uuid.New(), "delivered"), proof, http.StatusNoContent},
		{"no JSON", path, "[", proof, http.StatusBadRequest},
		{"too long", path, body(uuid.New(), strings.Repeat("x", message.MaxCallback)), proof, http.StatusRequestEntityTooLarge},
		{"unknown sender", "/messages/callback/pigeon", body(uuid.New(), "delivered"), proof, http.StatusNotFound},
		{"no proof", path, body(uuid.New(), "delivered"), nil, http.StatusForbidden},
	} {
		if status := r.tell(tt.path, tt.body, tt.header...); status != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, status, tt.want)
		}
	}
	if n := len(r.messages()); n != known {
		t.Errorf("%d messages, there were %d", n, known)
	}
}

func (r *callbackRig) byTwilioAndWebhook(t *testing.T) {
	asked := r.send(authn.Message{
		Channel: message.SMS, To: "07700900123", Template: message.SMSCode, Personalisation: map[string]any{"verify_code": "918273"},
	}, 2)
	callback := asked[0].Form.Get("StatusCallback")
	id, err := uuid.Parse(asked[1].Header.Get("webhook-id"))
	if err != nil || callback != callbackIssuer+"/messages/callback/twilio?message="+id.String() {
		t.Fatalf("%v: Twilio is to tell at %q", err, callback)
	}
	path := strings.TrimPrefix(callback, callbackIssuer)
	form := url.Values{"MessageStatus": {"delivered"}, "To": {"+447700900123"}, "MessageSid": {"SM0123456789abcdef0123456789abcdef"}}
	if status := r.tell(path, form, twilioHeaders(callback+"x", form)...); status != http.StatusForbidden {
		t.Errorf("a stranger is told %d", status)
	}
	r.want(id, "", "")
	if status := r.tell(path, form, twilioHeaders(callback, form)...); status != http.StatusNoContent {
		t.Errorf("Twilio is told %d", status)
	}
	r.want(id, "delivered", "")

	const hook = "/messages/callback/webhook"
	body := fmt.Sprintf(`{"type":"message.bounced","data":{"id":%q,"reason":"temporary"}}`, id)
	if status := r.tell(hook, body, webhookHeaders(time.Now(), body+" ")...); status != http.StatusForbidden {
		t.Errorf("a stranger is told %d", status)
	}
	if status := r.tell(hook, body, webhookHeaders(time.Now().Add(-time.Hour), body)...); status != http.StatusForbidden {
		t.Errorf("an old callback is told %d", status)
	}
	r.want(id, "delivered", "")
	if status := r.tell(hook, body, webhookHeaders(time.Now(), body)...); status != http.StatusNoContent {
		t.Errorf("the webhook's other side is told %d", status)
	}
	r.want(id, "bounced", "temporary")
}

func TestFaultsOfSendersAreReportedWithTheOthers(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	d.vars["GATEHOUSE_MESSAGES"] = "notify+https://hunter2@api.example twilio+https://hunter2@api.example webhook+http://hunter2@api.example"
	d.vars["GATEHOUSE_CODE_DIGITS"] = "99"
	var stdout, stderr strings.Builder
	if code := run(t.Context(), []string{"serve"}, d.lookup, strings.NewReader(""), &stdout, &stderr); code != exitUsage {
		t.Errorf("exit %d", code)
	}
	for _, want := range []string{"GATEHOUSE_CODE_DIGITS", "GATEHOUSE_MESSAGES: entry 1", "entry 2", "entry 3"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("does not name %s:\n%s", want, &stderr)
		}
	}
	if strings.Contains(stderr.String(), "hunter2") {
		t.Errorf("quotes a secret:\n%s", &stderr)
	}
}
