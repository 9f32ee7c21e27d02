package message

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gatehouse/directory"
)

// SenderConfig is what [ParseSenders] needs beside its text.
type SenderConfig struct {
	// From is the sender of e-mail where a URL does not say ?from=.
	From string
	// Log is written to by log: senders.
	Log *slog.Logger
	// HTTP is what services are posted to with; nil is [NewHTTPClient].
	HTTP *http.Client
	// Clock dates what is signed.
	Clock directory.Clock
	// Issuer is where callbacks reach this server.
	Issuer string
}

// ParseSenders reads where messages go: entries separated by commas or white
// space, each for every channel it can carry or, behind "sms=" or "email=", for
// that one.
//
//	file:PATH                  lines of JSON, for development
//	log:                       only says that a message would have been sent
//	smtp://user:pass@host:587  e-mail, over STARTTLS unless ?starttls=auto or never
//	smtps://user:pass@host     e-mail, over TLS from the start
//	notify+https://key@host    both, through GOV.UK Notify, see [NotifySender]
//	twilio+https://sid:token@host  text messages through Twilio, see [TwilioSender]
//	webhook+https://secret@host/path  both, signed, see [WebhookSender]
//
// A mail server on this machine is spoken to in clear when it offers nothing
// else. The sender's address is ?from=. Every fault is reported, by the number of
// its entry: an entry may hold a password. A channel that no entry carries is
// missing from the result.
func ParseSenders(text string, c SenderConfig) (map[string][]Sender, error) {
	senders := map[string][]Sender{}
	if c.HTTP == nil {
		c.HTTP = NewHTTPClient()
	}
	var faults []error
	entries := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
	for i, entry := range entries {
		sender, channels, err := parseEntry(entry, c)
		if err != nil {
			faults = append(faults, fmt.Errorf("entry %d: %w", i+1, err))
			continue
		}
		for _, channel := range channels {
			senders[channel] = append(senders[channel], sender)
		}
	}
	if len(entries) == 0 {
		faults = append(faults, errors.New("no entry: give file:PATH, smtp://host or another"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return senders, nil
}

// parseEntry returns a sender and the channels it is for.
func parseEntry(entry string, c SenderConfig) (Sender, []string, error) {
	channel, rest, prefixed := strings.Cut(entry, "=")
	if prefixed = prefixed && !strings.Contains(channel, ":"); !prefixed {
		channel, rest = "", entry
	}
	sender, channels, err := parseSender(rest, c)
	switch {
	case err != nil:
		return nil, nil, err
	case !prefixed:
		return sender, channels, nil
	case !slices.Contains(Channels(), channel):
		return nil, nil, fmt.Errorf("unknown channel %q: there are %s", channel, strings.Join(Channels(), " and "))
	case !slices.Contains(channels, channel):
		return nil, nil, fmt.Errorf("its sender cannot carry %s", channel)
	}
	return sender, []string{channel}, nil
}

// parseSender returns a sender and the channels it can carry.
func parseSender(text string, c SenderConfig) (Sender, []string, error) {
	scheme, rest, _ := strings.Cut(text, ":")
	switch scheme {
	case "file":
		if rest == "" {
			return nil, nil, errors.New("file: needs a path")
		}
		return &FileSender{Path: rest}, Channels(), nil
	case "log":
		return &LogSender{Log: cmp.Or(c.Log, slog.Default())}, Channels(), nil
	case "smtp", "smtps":
		sender, err := parseSMTP(text, c.From)
		return sender, []string{Email}, err
	case "notify+https", "notify+http":
		return parseNotify(text, c)
	case "twilio+https", "twilio+http":
		sender, err := parseTwilio(text, c)
		return sender, []string{SMS}, err
	case "webhook+https", "webhook+http":
		sender, err := parseWebhook(text, c)
		return sender, Channels(), err
	default:
		return nil, nil, errors.New("unknown sender: there are file:, log:, smtp://, smtps://, notify+https://, twilio+https:// and webhook+https://")
	}
}

func parseSMTP(text, from string) (*SMTPSender, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("malformed: expected smtp://user:password@host:port") // the cause quotes the password
	}
	query := u.Query()
	s := &SMTPSender{
		Host: u.Hostname(), Username: u.User.Username(), ImplicitTLS: u.Scheme == "smtps",
		From: cmp.Or(query.Get("from"), from), StartTLS: StartTLS(query.Get("starttls")),
	}
	s.Password, _ = u.User.Password()
	if s.StartTLS == "" && loopback(s.Host) {
		s.StartTLS = StartTLSAuto
	}
	return s, errors.Join(s.parsePort(u.Port()), s.check(query))
}

func (s *SMTPSender) parsePort(port string) error {
	if port == "" {
		return nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return errors.New("the port is not one")
	}
	s.Port = int(n)
	return nil
}

func (s *SMTPSender) check(query url.Values) error {
	var faults []error
	for key := range query {
		if key != "from" && key != "starttls" {
			faults = append(faults, fmt.Errorf("unknown parameter %q: there are from and starttls", key))
		}
	}
	if s.StartTLS != "" && !slices.Contains([]StartTLS{StartTLSAlways, StartTLSAuto, StartTLSNever}, s.StartTLS) {
		faults = append(faults, errors.New("starttls is always, auto or never"))
	}
	if _, err := mail.ParseAddress(s.From); err != nil {
		faults = append(faults, errors.New("from is not an e-mail address"))
	}
	return errors.Join(faults...)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
