package message

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// Queue writes messages to the outbox. It implements authn.Messages.
type Queue struct {
	Store  Store
	Sealer Sealer
	Clock  directory.Clock
	NewID  func() uuid.UUID
	// ServiceName is who the messages say they are from; "" is "Gatehouse".
	ServiceName string
	// Wake is called when a message has been committed, so that it need not
	// wait for the worker's next look; nil when the worker is elsewhere.
	Wake func()
}

// payload is the part of a message that must not be readable at rest.
type payload struct {
	To              string         `json:"to"`
	ReplyTo         string         `json:"reply_to,omitempty"`
	Subject         string         `json:"subject,omitempty"`
	Body            string         `json:"body"`
	HTML            string         `json:"html,omitempty"`
	Personalisation map[string]any `json:"personalisation"`
}

// Send words a message and queues it, in the transaction in ctx when there is
// one. Wording it now, not when it is sent, shows a mistake to the caller and
// lets a worker of another release send it. It fails for a template that is
// unknown, of the other channel, or not given exactly the keys it needs.
func (q *Queue) Send(ctx context.Context, m authn.Message) error {
	if m.To == "" {
		return errors.New("queue message: no recipient")
	}
	m.Language = cmp.Or(m.Language, directory.LanguageFrom(ctx))
	words, err := render(m, q.ServiceName)
	if err != nil {
		return fmt.Errorf("queue message: %w", err)
	}
	plaintext, err := json.Marshal(payload{
		To: m.To, ReplyTo: m.ReplyTo, Personalisation: m.Personalisation,
		Subject: words.subject, Body: words.text, HTML: words.html,
	})
	if err != nil {
		return fmt.Errorf("queue message: %w", err)
	}
	return q.enqueue(ctx, Row{Channel: m.Channel, Template: m.Template, ExpiresAt: m.ExpiresAt}, plaintext)
}

// Notify queues what a service has to be told, in the transaction in ctx when
// there is one. How it is worded is its sender's business.
func (q *Queue) Notify(ctx context.Context, clientID string, notice []byte, expires time.Time) error {
	return q.enqueue(ctx, Row{Channel: Logout, Template: Logout, ClientID: clientID, ExpiresAt: expires}, notice)
}

func (q *Queue) enqueue(ctx context.Context, row Row, plaintext []byte) error {
	row.ID, row.CreatedAt = q.NewID(), q.Clock()
	row.Payload = q.Sealer.Seal(plaintext, place(row.ID))
	if err := q.Store.Enqueue(ctx, row); err != nil {
		return fmt.Errorf("queue message: %w", err)
	}
	if q.Wake != nil {
		q.Store.AfterCommit(ctx, q.Wake)
	}
	return nil
}

// place binds a sealed payload to its row.
func place(id uuid.UUID) string { return "outbox/" + id.String() }

// open returns the message in a row.
func (r *Row) open(s Sealer) (*Outgoing, error) {
	plaintext, err := s.Open(r.Payload, place(r.ID))
	if err != nil {
		return nil, err
	}
	m := &Outgoing{ID: r.ID, At: r.CreatedAt, Channel: r.Channel, Template: r.Template, ClientID: r.ClientID, ExpiresAt: r.ExpiresAt}
	if r.ClientID != "" {
		m.Notice = plaintext
		return m, nil
	}
	var p payload
	if err := json.Unmarshal(plaintext, &p); err != nil {
		return nil, errors.New("malformed payload")
	}
	m.To, m.ReplyTo, m.Subject, m.Body, m.HTML, m.Personalisation = p.To, p.ReplyTo, p.Subject, p.Body, p.HTML, p.Personalisation
	return m, nil
}
