package authn

import (
	"context"
	"errors"
	"fmt"
)

// Try is what a limit counts that is no matter of people's: a request of a client,
// or of a network that has proved nothing.
type Try struct {
	Kind    string // which limit, as the audit trail and the metrics name it
	Subject string // whose tries are counted; kept behind a MAC
	Client  string // the client that the audit trail names; "" for none
	Limit   Limit
	// Here counts in this process alone, where asking Redis would take longer
	// than what is counted.
	Here bool
}

// CountTry takes a try. It fails with a [*ThrottledError] when there is none left,
// which is in the audit trail once an hour, and with directory.ErrUnavailable when
// that cannot be known.
func (s *Service) CountTry(ctx context.Context, t Try) error {
	now, counter := s.Clock(), s.counter(t)
	err := takeAll(ctx, counter, []Bucket{s.bucket(t.Kind, t.Subject, t.Limit)}, now)
	if limit, ok := errors.AsType[*ThrottledError](err); ok {
		s.noteLimit(ctx, counter, limit.full, now, map[string]any{"client": t.Client})
		return err
	}
	if err != nil {
		return fmt.Errorf("limit %s: %w", t.Kind, err)
	}
	return nil
}

// ForgiveTry gives back a try that turned out to be none of those that the limit
// is for.
func (s *Service) ForgiveTry(ctx context.Context, t Try) error {
	return s.counter(t).GiveBack(ctx, s.bucket(t.Kind, t.Subject, t.Limit), s.Clock())
}

func (s *Service) counter(t Try) limiter {
	if t.Here {
		return &s.tries
	}
	return s.Cache
}
