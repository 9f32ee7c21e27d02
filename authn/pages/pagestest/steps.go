package pagestest

import (
	"context"
	"log/slog"
	"sync"

	"gatehouse/authn/pages"
)

// Steps is a log that keeps nothing but the steps that browsers were led by.
type Steps struct {
	mu    sync.Mutex
	taken []pages.Step
}

// Last is the step that was taken last; the zero Step when none was.
func (s *Steps) Last() pages.Step {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.taken) == 0 {
		return pages.Step{}
	}
	return s.taken[len(s.taken)-1]
}

// Enabled implements [slog.Handler].
func (s *Steps) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements [slog.Handler]: nothing that is added is a step.
func (s *Steps) WithAttrs([]slog.Attr) slog.Handler { return s }

// WithGroup implements [slog.Handler].
func (s *Steps) WithGroup(string) slog.Handler { return s }

// Handle implements [slog.Handler].
func (s *Steps) Handle(_ context.Context, record slog.Record) error {
	record.Attrs(func(a slog.Attr) bool {
		if a.Key == "step" {
			s.keep(a.Value.Group())
		}
		return true
	})
	return nil
}

func (s *Steps) keep(step []slog.Attr) {
	var taken pages.Step
	for _, a := range step {
		switch a.Key {
		case "from":
			taken.From = pages.Page(a.Value.String())
		case "on":
			taken.On = pages.Event(a.Value.String())
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken, taken)
}
