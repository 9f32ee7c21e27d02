package message_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/authn/message"
)

func TestParseSenders(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	file, quiet := &message.FileSender{Path: "/var/outbox"}, &message.LogSender{Log: log}
	relay := &message.SMTPSender{
		Host: "mail.example", Port: 2525, Username: "u@x", Password: "p=,:", From: "no-reply@id.example", StartTLS: message.StartTLSNever,
	}
	for _, tt := range []struct {
		name, text string
		email, sms []message.Sender
	}{
		{"every channel", "file:/var/outbox", []message.Sender{file}, []message.Sender{file}},
		{"several", "file:/var/outbox, log:", []message.Sender{file, quiet}, []message.Sender{file, quiet}},
		{"by channel", "sms=log:\nemail=file:/var/outbox", []message.Sender{file}, []message.Sender{quiet}},
		{"mail only", "smtp://u%40x:p%3D%2C%3A@mail.example:2525?starttls=never", []message.Sender{relay}, nil},
		{
			"implicit TLS", "smtps://mail.example?from=ID+%3Cid%40id.example%3E sms=log:",
			[]message.Sender{&message.SMTPSender{Host: "mail.example", ImplicitTLS: true, From: "ID <id@id.example>"}},
			[]message.Sender{quiet},
		},
		{
			"this machine", "smtp://localhost",
			[]message.Sender{&message.SMTPSender{Host: "localhost", From: "no-reply@id.example", StartTLS: message.StartTLSAuto}}, nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := message.ParseSenders(tt.text, message.SenderConfig{From: "no-reply@id.example", Log: log})
			if err != nil {
				t.Fatal(err)
			}
			same := cmp.Comparer(func(a, b *slog.Logger) bool { return a == b })
			if diff := cmp.Diff([][]message.Sender{tt.email, tt.sms}, [][]message.Sender{got["email"], got["sms"]}, same); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryFaultOfTheSendersIsReported(t *testing.T) {
	text := "file: fax=log: sms=smtp://mail.example smtp://u:hunter2@mail.example:0?starttls=maybe&colour=red pigeon:home smtp://u:hunter2@:25 smtp://x:hunter2@h:99999"
	_, err := message.ParseSenders(text, message.SenderConfig{From: "not an address"})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"entry 1: file: needs a path", `entry 2: unknown channel "fax"`, "entry 3: from is not an e-mail address",
		"entry 4: the port is not one", `unknown parameter "colour"`, "starttls is always, auto or never",
		"entry 5: unknown sender", "entry 6: malformed", "entry 7: the port is not one",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("does not say %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("quotes a password:\n%v", err)
	}
}

func FuzzParseSenders(f *testing.F) {
	f.Add("file:/x,smtp://u:p@h:25?starttls=auto&from=a@b.example sms=log:")
	f.Add("notify+https://" + serviceID + "-" + notifySecret + "@h?sms_template=" + smsTemplate + " twilio+https://a:b@c?from=+1")
	f.Add("webhook+https://" + webhookKey + ":@h/%2f?x")
	f.Add("email=smtps://[::1]:465 = :: %zz")
	f.Fuzz(func(t *testing.T, text string) {
		senders, err := message.ParseSenders(text, message.SenderConfig{From: "a@b.example"})
		if (err == nil) != (len(senders) > 0) {
			t.Errorf("%d channels and %v", len(senders), err)
		}
	})
}
