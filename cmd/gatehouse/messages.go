package main

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"gatehouse/storage"
)

type messagesCommand struct {
	Limit int  `help:"How many to show, the latest first." default:"100"`
	JSON  bool `name:"json" help:"Print JSON."`
}

// messageOutput is the record of one message, which never holds what it said,
// nor to whom.
type messageOutput struct {
	ID       uuid.UUID `json:"id"`
	Channel  string    `json:"channel"`
	Template string    `json:"template"`
	QueuedAt time.Time `json:"queued_at"`
	State    string    `json:"state"`
	Attempts int       `json:"attempts"`
	// Reason is why the last attempt failed.
	Reason  string    `json:"reason,omitempty"`
	EndedAt time.Time `json:"ended_at,omitzero"`
	// Delivery is what the service that it left through told since.
	Delivery     string    `json:"delivery,omitempty"`
	BounceReason string    `json:"bounce_reason,omitempty"`
	ToldAt       time.Time `json:"told_at,omitzero"`
}

// Run lists the messages that people were, or will be, sent.
func (c messagesCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		all, err := storage.Outbox{DB: a.stores.DB}.Messages(env.ctx, c.Limit)
		if err != nil {
			return err
		}
		out := make([]messageOutput, len(all))
		for i, m := range all {
			out[i] = messageOutput(m)
		}
		if c.JSON {
			return printJSON(env.stdout, out)
		}
		for _, m := range out {
			fmt.Fprintf(env.stdout, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n",
				m.QueuedAt.Format(time.RFC3339), m.ID, m.Template, m.State, m.Attempts, m.Reason, m.Delivery, m.BounceReason)
		}
		return nil
	})
}
