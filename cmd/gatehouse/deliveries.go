package main

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"gatehouse/storage"
)

type clientDeliveriesCommand struct {
	ID    string `arg:"" name:"id" optional:"" help:"The client's id; every client's when missing."`
	Limit int    `help:"How many to show, the latest first." default:"100"`
	JSON  bool   `name:"json" help:"Print JSON."`
}

// deliveryOutput is the record of one notice, which never holds what was sent.
type deliveryOutput struct {
	ID       uuid.UUID `json:"id"`
	ClientID string    `json:"client_id"`
	QueuedAt time.Time `json:"queued_at"`
	State    string    `json:"state"`
	Attempts int       `json:"attempts"`
	// Reason is why the last attempt failed.
	Reason  string    `json:"reason,omitempty"`
	NextAt  time.Time `json:"next_attempt_at,omitzero"`
	EndedAt time.Time `json:"ended_at,omitzero"`
}

// Run lists the notices of sign-outs that clients were, or will be, sent.
func (c clientDeliveriesCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		all, err := storage.Outbox{DB: a.stores.DB}.Deliveries(env.ctx, c.ID, c.Limit)
		if err != nil {
			return err
		}
		out := make([]deliveryOutput, len(all))
		for i, d := range all {
			out[i] = deliveryOutput(d)
		}
		if c.JSON {
			return printJSON(env.stdout, out)
		}
		for _, d := range out {
			fmt.Fprintf(env.stdout, "%s\t%s\t%s\t%d\t%s\n", d.QueuedAt.Format(time.RFC3339), d.ClientID, d.State, d.Attempts, d.Reason)
		}
		return nil
	})
}
