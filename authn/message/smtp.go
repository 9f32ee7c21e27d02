package message

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// SMTPSender gives e-mail to a mail server: one connection for each message,
// text and HTML in one.
type SMTPSender struct {
	Host string
	Port int // 0: 465 with implicit TLS, otherwise 587
	// Username and Password are presented when set, and only over TLS unless
	// the server is on this machine.
	Username, Password string
	// ImplicitTLS speaks TLS from the first byte (RFC 8314). Otherwise StartTLS
	// says whether to upgrade.
	ImplicitTLS bool
	StartTLS    StartTLS
	// From is the sender, "Name <address>" or an address.
	From string
	// Timeout bounds each step of the conversation; 0 is ten seconds.
	Timeout time.Duration
	// TLS replaces the system's roots and the server's name; nil keeps them.
	TLS *tls.Config
}

// StartTLS says how an SMTP connection becomes private (RFC 3207).
type StartTLS string

// The ways, as written in a URL.
const (
	StartTLSAlways StartTLS = "always" // no message leaves without
	StartTLSAuto   StartTLS = "auto"   // when the server offers it
	StartTLSNever  StartTLS = "never"
)

const defaultSMTPTimeout = 10 * time.Second

// Send implements [Sender]. A reply of class 5 to the message is permanent; a
// server that cannot be reached, that refuses the log-in or that goes away is not.
func (s *SMTPSender) Send(ctx context.Context, m *Outgoing) error {
	msg, err := s.compose(m)
	if err != nil {
		return &SendError{Reason: ReasonMalformed, Permanent: true}
	}
	client, err := gomail.NewClient(s.Host, s.options()...)
	if err != nil {
		return &SendError{Reason: ReasonInternal}
	}
	if err := client.DialWithContext(ctx); err != nil {
		return &SendError{Reason: ReasonUnreachable}
	}
	defer func() { _ = client.Close() }() // the message is through, or refused, before QUIT
	err = client.Send(msg)
	if err == nil || msg.IsDelivered() {
		return nil // what fails after the server took the message must not send it twice
	}
	return refusal(err)
}

func refusal(err error) error {
	var reply *gomail.SendError
	if !errors.As(err, &reply) || reply.ErrorCode() == 0 {
		return &SendError{Reason: ReasonUnreachable}
	}
	if reply.IsTemp() || reply.ErrorCode() < 500 {
		return &SendError{Reason: ReasonDeferred, Code: reply.ErrorCode()}
	}
	return &SendError{Reason: ReasonRefused, Permanent: true, Code: reply.ErrorCode()}
}

// compose builds the message. Header values are parsed or encoded by go-mail, so
// that a line break in one does not become a header of its own.
func (s *SMTPSender) compose(m *Outgoing) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := msg.From(s.From); err != nil {
		return nil, err
	}
	if err := msg.To(m.To); err != nil {
		return nil, err
	}
	if m.ReplyTo != "" {
		if err := msg.ReplyTo(m.ReplyTo); err != nil {
			return nil, err
		}
	}
	// The same identifier for every try, so that a receiver can tell a copy. Its
	// right side is the sender's domain, not the name of this machine.
	msg.SetMessageIDWithValue(m.ID.String() + "@" + s.domain())
	msg.SetDateWithValue(m.At)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no holiday replies
	msg.Subject(m.Subject)
	msg.SetBodyString(gomail.TypeTextPlain, m.Body)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return msg, nil
}

func (s *SMTPSender) options() []gomail.Option {
	options := []gomail.Option{
		gomail.WithTimeout(cmp.Or(s.Timeout, defaultSMTPTimeout)), gomail.WithHELO(s.domain()),
		gomail.WithTLSConfig(s.tlsConfig()),
	}
	switch {
	case s.ImplicitTLS:
		options = append(options, gomail.WithSSL(), gomail.WithPort(cmp.Or(s.Port, gomail.DefaultPortSSL)))
	default:
		options = append(options, gomail.WithTLSPolicy(s.policy()), gomail.WithPort(cmp.Or(s.Port, gomail.DefaultPortTLS)))
	}
	if s.Username != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(s.Username), gomail.WithPassword(s.Password))
	}
	return options
}

func (s *SMTPSender) policy() gomail.TLSPolicy {
	switch s.StartTLS {
	case StartTLSNever:
		return gomail.NoTLS
	case StartTLSAuto:
		return gomail.TLSOpportunistic
	default:
		return gomail.TLSMandatory
	}
}

func (s *SMTPSender) tlsConfig() *tls.Config {
	if s.TLS != nil {
		return s.TLS
	}
	return &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
}

// domain is the right side of the sender's address.
func (s *SMTPSender) domain() string {
	if address, err := mail.ParseAddress(s.From); err == nil {
		if _, domain, ok := strings.Cut(address.Address, "@"); ok {
			return domain
		}
	}
	return "localhost"
}
