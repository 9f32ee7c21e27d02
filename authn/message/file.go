package message

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"
)

// FileSender appends messages to a file as lines of JSON. It is for development
// and tests: the file holds codes and addresses in clear.
type FileSender struct{ Path string }

// Entry is one line of the file.
type Entry struct {
	At              time.Time      `json:"at"`
	Channel         string         `json:"channel"`
	To              string         `json:"to"`
	Template        string         `json:"template"`
	Personalisation map[string]any `json:"personalisation"`
	ReplyTo         string         `json:"reply_to"`
	Subject         string         `json:"subject"`
	Body            string         `json:"body"`
}

// Send implements [Sender].
func (s *FileSender) Send(_ context.Context, m *Outgoing) error {
	line, err := json.Marshal(Entry{
		At: m.At, Channel: m.Channel, To: m.To, Template: m.Template, Personalisation: m.Personalisation,
		ReplyTo: m.ReplyTo, Subject: m.Subject, Body: m.Body,
	})
	if err != nil {
		return err
	}
	file, err := os.OpenFile(s.Path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	// One write, so that lines of several processes do not mix.
	_, err = file.Write(append(line, '\n'))
	return errors.Join(err, file.Close())
}
