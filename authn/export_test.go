package authn

import (
	"context"

	"gatehouse/directory"
)

// Identify lets tests that need a real store reach identify.
func (s *Service) Identify(ctx context.Context, identifier string) (*directory.User, error) {
	return s.identify(ctx, Attempt{Identifier: identifier})
}

// Fill lets as many callers wait for a turn to hash as may.
func (h *Hasher) Fill() { h.inside.Add(int64(h.queue() + 1024)) }
