package message_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/authn/message"
)

// postOffice is a mail server in this process.
type postOffice struct {
	host string
	port int
	// server may be changed before the first connection.
	server *smtp.Server
	roots  *x509.CertPool

	mu      sync.Mutex
	replies []error // to RCPT, first to last; then everything is accepted
	login   [2]string
	letters []letter
}

type letter struct {
	from, to, hello string
	encrypted       bool
	data            []byte
}

type session struct {
	office *postOffice
	conn   *smtp.Conn
	letter letter
}

func newPostOffice(t *testing.T, replies ...error) *postOffice {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().(*net.TCPAddr)
	p := &postOffice{host: "127.0.0.1", port: address.Port, replies: replies}
	p.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{office: p, conn: c}, nil
	}))
	p.server.Domain, p.server.ErrorLog = "post.example", discard{}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = p.server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = p.server.Close()
		_ = listener.Close() // Close misses a listener that Serve has not got to yet
		<-served
	})
	return p
}

type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		s.office.mu.Lock()
		defer s.office.mu.Unlock()
		if s.office.login != [2]string{username, password} {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	_, encrypted := s.conn.TLSConnectionState()
	s.letter = letter{from: from, hello: s.conn.Hostname(), encrypted: encrypted}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	s.letter.to = to
	if len(s.office.replies) == 0 {
		return nil
	}
	reply := s.office.replies[0]
	s.office.replies = s.office.replies[1:]
	return reply
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	s.letter.data = data
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	s.office.letters = append(s.office.letters, s.letter)
	return err
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// withTLS gives the server a certificate of its own making.
func (p *postOffice) withTLS(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.ParseIP(p.host)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	p.roots = x509.NewCertPool()
	p.roots.AddCert(certificate)
	p.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
}

func (p *postOffice) sender() *message.SMTPSender {
	s := &message.SMTPSender{Host: p.host, Port: p.port, From: "Gatehouse <no-reply@id.example>", StartTLS: message.StartTLSAuto, Timeout: time.Minute}
	if p.roots != nil {
		s.TLS = &tls.Config{RootCAs: p.roots, ServerName: p.host, MinVersion: tls.VersionTLS12}
	}
	return s
}

func mailing() *message.Outgoing {
	return &message.Outgoing{
		ID: uuid.MustParse("0198c7a0-0000-7000-8000-000000000001"), At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Channel: message.Email,
		Template: message.EmailCode, To: "ann@example.org", ReplyTo: "help@id.example", Subject: "Your security code",
		Body: "The code is 123456 – for Ann", HTML: "<p>The code is <b>123456</b></p>",
	}
}

func TestSMTPSendsTextAndHTML(t *testing.T) {
	p := newPostOffice(t)
	if err := p.sender().Send(t.Context(), mailing()); err != nil {
		t.Fatal(err)
	}
	got := p.letters[0]
	if got.from != "no-reply@id.example" || got.to != "ann@example.org" || got.hello != "id.example" {
		t.Errorf("envelope from %s to %s, hello %s", got.from, got.to, got.hello)
	}
	m, err := mail.ReadMessage(bytes.NewReader(got.data))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"From": `"Gatehouse" <no-reply@id.example>`, "To": "<ann@example.org>", "Reply-To": "<help@id.example>",
		"Subject": "Your security code", "Date": "Sun, 01 Mar 2026 12:00:00 +0000", "Auto-Submitted": "auto-generated",
		"Message-Id": "<0198c7a0-0000-7000-8000-000000000001@id.example>", "User-Agent": "", "X-Mailer": "",
	} {
		if m.Header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, m.Header.Get(name), want)
		}
	}
	want := map[string]string{
		"text/plain; charset=UTF-8": "The code is 123456 – for Ann", "text/html; charset=UTF-8": "<p>The code is <b>123456</b></p>",
	}
	if diff := cmp.Diff(want, parts(t, m)); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	if host, err := os.Hostname(); err == nil && bytes.Contains(got.data, []byte(host)) {
		t.Error("the message names this machine")
	}
}

// parts returns the bodies of a multipart message by content type.
func parts(t *testing.T, m *mail.Message) map[string]string {
	t.Helper()
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	reader := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := reader.NextPart() // decodes quoted-printable
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		all[part.Header.Get("Content-Type")] = strings.TrimSpace(string(body))
	}
}

func TestSMTPRepliesAreClassified(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reply error
		want  *message.SendError
	}{
		{"451", &smtp.SMTPError{Code: 451, Message: "try later, ann@example.org"}, &message.SendError{Reason: message.ReasonDeferred, Code: 451}},
		{"550", &smtp.SMTPError{Code: 550, Message: "no ann@example.org here"}, &message.SendError{Reason: message.ReasonRefused, Code: 550, Permanent: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPostOffice(t, tt.reply)
			err := p.sender().Send(t.Context(), mailing())
			var got *message.SendError
			if !errors.As(err, &got) || *got != *tt.want {
				t.Fatalf("got %#v, want %#v", err, tt.want)
			}
			if strings.Contains(err.Error(), "ann@") {
				t.Errorf("the error names the recipient: %v", err)
			}
			if err := p.sender().Send(t.Context(), mailing()); err != nil || len(p.letters) != 1 {
				t.Errorf("the second try: %v, %d letters", err, len(p.letters))
			}
		})
	}
}

func TestUnreachableServerIsTemporary(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	for name, port := range map[string]int{"closed": 1, "silent": silent.Addr().(*net.TCPAddr).Port} {
		t.Run(name, func(t *testing.T) {
			s := &message.SMTPSender{Host: "127.0.0.1", Port: port, From: "a@id.example", StartTLS: message.StartTLSAuto, Timeout: 100 * time.Millisecond}
			var got *message.SendError
			if err := s.Send(t.Context(), mailing()); !errors.As(err, &got) || got.Permanent || got.Reason != message.ReasonUnreachable {
				t.Errorf("got %#v", err)
			}
		})
	}
}

func TestHeadersCannotBeInjected(t *testing.T) {
	p := newPostOffice(t)
	for name, change := range map[string]func(m *message.Outgoing){
		"to":       func(m *message.Outgoing) { m.To = "ann@example.org\r\nBcc: eve@example.org" },
		"reply to": func(m *message.Outgoing) { m.ReplyTo = "help@id.example\r\nBcc: eve@example.org" },
	} {
		m := mailing()
		change(m)
		var got *message.SendError
		if err := p.sender().Send(t.Context(), m); !errors.As(err, &got) || !got.Permanent || got.Reason != message.ReasonMalformed {
			t.Errorf("%s: %v", name, err)
		}
	}
	m := mailing()
	m.Subject = "Hello\r\nBcc: eve@example.org\r\n\r\nYou won"
	if err := p.sender().Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	parsed, err := mail.ReadMessage(bytes.NewReader(p.letters[0].data))
	if err != nil {
		t.Fatal(err)
	}
	if parsed.Header.Get("Bcc") != "" || len(parts(t, parsed)) != 2 {
		t.Errorf("the subject became headers or a body:\n%s", p.letters[0].data)
	}
}

func TestSMTPOverTLS(t *testing.T) {
	t.Run("upgraded, with log-in", func(t *testing.T) {
		p := newPostOffice(t)
		p.withTLS(t)
		p.login = [2]string{"gatehouse", "pass word"}
		s := p.sender()
		s.StartTLS, s.Username, s.Password = message.StartTLSAlways, "gatehouse", "pass word"
		if err := s.Send(t.Context(), mailing()); err != nil || !p.letters[0].encrypted {
			t.Fatalf("%v, letters %d", err, len(p.letters))
		}
		s.Password = "wrong"
		var got *message.SendError
		if err := s.Send(t.Context(), mailing()); !errors.As(err, &got) || got.Permanent {
			t.Errorf("a wrong password is for the operator, not the message: %v", err)
		}
	})
	t.Run("required but not offered", func(t *testing.T) {
		p := newPostOffice(t)
		s := p.sender()
		s.StartTLS = message.StartTLSAlways
		if err := s.Send(t.Context(), mailing()); err == nil || len(p.letters) != 0 {
			t.Errorf("sent in clear: %v", err)
		}
	})
	t.Run("certificate of a stranger", func(t *testing.T) {
		p := newPostOffice(t)
		p.withTLS(t)
		s := p.sender()
		s.TLS = nil
		if err := s.Send(t.Context(), mailing()); err == nil || len(p.letters) != 0 {
			t.Errorf("sent to a stranger: %v", err)
		}
	})
}

func TestSendingEndsWithItsContext(t *testing.T) {
	p := newPostOffice(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.sender().Send(ctx, mailing()); err == nil {
		t.Error("sent after its context was over")
	}
}
