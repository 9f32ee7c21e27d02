package message_test

import (
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn/message"
)

// answer is what a service says to a request.
type answer struct {
	status int
	header http.Header
	body   string
}

// service is a service that takes messages, in this process: it answers with
// its answers, first to last, and repeats the last.
type service struct {
	*httptest.Server
	mu      sync.Mutex
	answers []answer
	got     []request
}

type request struct {
	method, path, query string
	header              http.Header
	body                []byte
}

func newService(t *testing.T, answers ...answer) *service {
	t.Helper()
	s := &service{answers: answers}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	a := s.answers[min(len(s.got), len(s.answers)-1)]
	s.got = append(s.got, request{r.Method, r.URL.Path, r.URL.RawQuery, r.Header, body})
	s.mu.Unlock()
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

func (s *service) requests() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]request(nil), s.got...)
}

// client is the senders' own, but trusts the service.
func (s *service) client() *http.Client {
	c := message.NewHTTPClient()
	c.Transport.(*http.Transport).TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
	return c
}

// parse reads senders as serve does, with secrets and addresses of the service:
// HOST in the text is its host and port.
func (s *service) parse(t *testing.T, text string, c *clock) map[string][]message.Sender {
	t.Helper()
	senders, err := message.ParseSenders(strings.ReplaceAll(text, "HOST", s.Listener.Addr().String()), message.SenderConfig{
		From: "no-reply@id.example", HTTP: s.client(), Clock: c.Now, Issuer: "https://id.example",
	})
	if err != nil {
		t.Fatal(err)
	}
	return senders
}

// What the senders are configured with in these tests.
const (
	serviceID    = "26785a09-ab16-4eb0-8407-a37497a57506"
	notifySecret = "3d844edf-8d35-48ac-975b-e847b4f122b0"
	smsTemplate  = "f33517ff-2a88-4f6e-b855-c550268ce08a"
	mailTemplate = "45e1cf9e-1b7d-4a3c-9ef0-1c2b5b1a2d33"
	ownTemplate  = "0f9a7c55-3f6a-4f1e-8f52-8f1a2b0d4c11"
	accountSID   = "AC0123456789abcdef0123456789abcdef"
	twilioToken  = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
	webhookKey   = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

	notifyText  = "notify+https://production-" + serviceID + "-" + notifySecret + "@HOST?email_template=" + mailTemplate + "&sms_template=" + smsTemplate
	twilioText  = "twilio+https://" + accountSID + ":" + twilioToken + "@HOST?from=%2B15017122661"
	webhookText = "webhook+https://whsec_" + webhookKey + "@HOST/hooks/messages?tenant=7"
)

var texts = map[string]string{"notify": notifyText, "twilio": twilioText, "webhook": webhookText}

func textMessage() *message.Outgoing {
	return &message.Outgoing{
		ID: uuid.New(), At: newClock().Now(), Channel: message.SMS, Template: message.SMSCode, To: "07700 900123",
		Body: "123456 is your security code.", Personalisation: map[string]any{"verify_code": "123456"},
	}
}

// The bodies are those of the real services, with the recipient quoted where
// they quote it.
var refusals = []struct {
	name string
	answer
	want message.SendError
}{
	{"bad request", answer{status: 400, body: `{"status_code":400,"errors":[{"error":"ValidationError","message":"phone_number 07700 900123 Not a UK mobile number"}]}`}, message.SendError{Reason: message.ReasonRefused, Permanent: true, Code: 400}},
	{"team-only key", answer{status: 400, body: `{"status_code":400,"errors":[{"error":"BadRequestError","message":"Can't send to this recipient using a team-only API key"}]}`}, message.SendError{Reason: message.ReasonRefused, Permanent: true, Code: 400}},
	{"number", answer{status: 400, body: `{"code":21211,"message":"Invalid 'To' Phone Number: +4477009XXXX","more_info":"https://www.twilio.com/docs/errors/21211","status":400}`}, message.SendError{Reason: message.ReasonRefused, Permanent: true, Code: 400}},
	{"credentials", answer{status: 401, body: `{"code":20003,"message":"Authenticate","more_info":"https://www.twilio.com/docs/errors/20003","status":401}`}, message.SendError{Reason: message.ReasonUnauthorised, Code: 401}},
	{"token", answer{status: 403, body: `{"status_code":403,"errors":[{"error":"AuthError","message":"Invalid token: API key not found"}]}`}, message.SendError{Reason: message.ReasonUnauthorised, Code: 403}},
	{"gone", answer{status: 410}, message.SendError{Reason: message.ReasonRefused, Permanent: true, Code: 410}},
	{"moved", answer{status: 307, header: http.Header{"Location": {"/elsewhere"}}}, message.SendError{Reason: message.ReasonRedirected, Permanent: true, Code: 307}},
	{"timed out", answer{status: 408}, message.SendError{Reason: message.ReasonDeferred, Code: 408}},
	{"rate", answer{status: 429, body: `{"status_code":429,"errors":[{"error":"RateLimitError","message":"Exceeded rate limit for key type LIVE of 3000 requests per 60 seconds"}]}`}, message.SendError{Reason: message.ReasonDeferred, Code: 429}},
	{"fault", answer{status: 500, body: `{"status_code":500,"errors":[{"error":"Exception","message":"Internal server error"}]}`}, message.SendError{Reason: message.ReasonDeferred, Code: 500}},
	{"down", answer{status: 503, body: "<html>upstream"}, message.SendError{Reason: message.ReasonDeferred, Code: 503}},
}

func TestServicesRefusalsAreClassified(t *testing.T) {
	for kind, text := range texts {
		for _, tt := range refusals {
			t.Run(kind+"/"+tt.name, func(t *testing.T) {
				s := newService(t, tt.answer)
				sender := s.parse(t, text, newClock())[message.SMS][0]
				err := sender.Send(t.Context(), textMessage())
				refused, ok := errors.AsType[*message.SendError](err)
				if !ok || *refused != tt.want {
					t.Fatalf("%#v, want %#v", err, tt.want)
				}
				if text := err.Error(); strings.Contains(text, "900123") || strings.Contains(text, s.URL) {
					t.Errorf("the error quotes: %s", text)
				}
				if n := len(s.requests()); n != 1 {
					t.Errorf("%d requests", n)
				}
			})
		}
	}
}

// An answer in the services' place that is none of theirs must not pass for one.
func TestMessageIsNotTakenByWhatIsNotTheService(t *testing.T) {
	portal := answer{status: http.StatusOK, header: http.Header{"Content-Type": {"text/html"}}, body: "<h1>Welcome to our wireless network"}
	for _, kind := range []string{"notify", "twilio"} {
		s := newService(t, portal)
		err := s.parse(t, texts[kind], newClock())[message.SMS][0].Send(t.Context(), textMessage())
		if refused, ok := errors.AsType[*message.SendError](err); !ok || refused.Permanent {
			t.Errorf("%s: %v, want a failure that may pass", kind, err)
		}
	}
}

// What follows a 201 does not matter: the message is on its way, and must not be
// sent a second time.
func TestGarbageBehindSuccessIsSuccess(t *testing.T) {
	for kind, text := range texts {
		s := newService(t, answer{status: http.StatusCreated, body: strings.Repeat("\x00garbage", 1<<16)})
		if err := s.parse(t, text, newClock())[message.SMS][0].Send(t.Context(), textMessage()); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestServiceThatDoesNotAnswerIsTriedAgain(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "220 not a web server\r\n")
			_ = conn.Close()
		}
	}()
	hold := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	t.Cleanup(func() { close(hold); slow.Close() })
	for name, host := range map[string]string{
		"nobody": "127.0.0.1:1", "slow": strings.TrimPrefix(slow.URL, "http://"), "garbage": listener.Addr().String(),
	} {
		for kind, text := range texts {
			t.Run(name+"/"+kind, func(t *testing.T) {
				client := message.NewHTTPClient()
				client.Timeout = 50 * time.Millisecond
				text := strings.ReplaceAll(strings.ReplaceAll(text, "HOST", host), "https", "http")
				senders, err := message.ParseSenders(text, message.SenderConfig{HTTP: client, Clock: newClock().Now})
				if err != nil {
					t.Fatal(err)
				}
				err = senders[message.SMS][0].Send(t.Context(), textMessage())
				refused, ok := errors.AsType[*message.SendError](err)
				if !ok || *refused != (message.SendError{Reason: message.ReasonUnreachable}) {
					t.Errorf("%v, want unreachable", err)
				}
			})
		}
	}
}

func TestSendersGiveUpOnASlowServiceByThemselves(t *testing.T) {
	if timeout := message.NewHTTPClient().Timeout; timeout <= 0 || timeout >= message.DefaultSendTimeout {
		t.Errorf("the client waits %v, the worker %v", timeout, message.DefaultSendTimeout)
	}
}
