package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/oauth"
	"gatehouse/storage"
)

type explainCommand struct {
	RequestID string `arg:"" help:"The request's id: the header X-Request-Id of its answer, or the reference on an error page."`
	JSON      bool   `name:"json" help:"Print JSON."`
}

// Run prints why a request was refused, or how a sign-in was decided.
func (c explainCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		found, err := a.explain(env.ctx, c.RequestID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.stdout, found)
		}
		found.print(env.stdout)
		return nil
	})
}

// explanation is everything that is known about one request.
type explanation struct {
	RequestID string          `json:"request_id"`
	Refusals  []oauth.Refusal `json:"refusals"`
	SignIns   []signInOutput  `json:"sign_ins"`
}

// signInOutput is one decision about who somebody is.
type signInOutput struct {
	At      time.Time     `json:"at"`
	Front   authn.Front   `json:"front"`
	Factor  authn.Factor  `json:"factor"`
	Caller  string        `json:"caller,omitempty"`
	UserID  uuid.NullUUID `json:"user_id"`
	Verdict string        `json:"verdict"`
	Steps   []authn.Step  `json:"steps"`
}

// explain collects what is kept about a request: nothing is, of one that was
// not refused, is too old, or came in faster than refusals are stored.
func (a *app) explain(ctx context.Context, requestID string) (*explanation, error) {
	found := &explanation{RequestID: requestID, Refusals: []oauth.Refusal{}, SignIns: []signInOutput{}}
	refusals, err := storage.OAuthRefusals{DB: a.stores.DB}.RefusalsOf(ctx, requestID)
	if err != nil {
		return nil, fmt.Errorf("read refusals: %w", err)
	}
	found.Refusals = append(found.Refusals, refusals...)
	traces, err := storage.Authn{DB: a.stores.DB}.TracesOf(ctx, requestID)
	if err != nil {
		return nil, fmt.Errorf("read traces: %w", err)
	}
	for _, t := range traces {
		found.SignIns = append(found.SignIns, signInOutput{t.At, t.Front, t.Factor, t.Caller, t.UserID, t.Verdict, t.Steps})
	}
	if len(refusals)+len(traces) == 0 {
		return nil, fmt.Errorf("nothing is known of the request %q: it was not refused, or it was longer ago than refusals (%d days) and decisions about sign-ins (90 days) are kept",
			requestID, int(storage.KeepRefusals.Hours()/24))
	}
	return found, nil
}

func (e *explanation) print(w io.Writer) {
	for _, r := range e.Refusals {
		fmt.Fprintf(w, "%s  %s was refused: %s\n", r.At.Format(time.RFC3339), r.Endpoint, r.Reason)
		fmt.Fprintf(w, "  the client %s was told %s\n", cmp.Or(r.ClientID, "(not known)"), cmp.Or(r.Code, "nothing more than the status"))
	}
	for _, s := range e.SignIns {
		fmt.Fprintf(w, "%s  %s by %s of %s: %s\n", s.At.Format(time.RFC3339), s.Front, s.Factor, s.who(), s.Verdict)
		for _, step := range s.Steps {
			words := slices.DeleteFunc([]string{step.Rule, step.Input, step.Verdict}, func(word string) bool { return word == "" })
			fmt.Fprintf(w, "  %s\n", strings.Join(words, ": "))
		}
	}
}

func (s *signInOutput) who() string {
	if !s.UserID.Valid {
		return "nobody who is known"
	}
	return "user " + s.UserID.UUID.String()
}
