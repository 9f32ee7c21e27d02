package main

import (
	"context"
	"time"
)

// cleanUpEvery is how often rows that nothing refers to any more are deleted.
// Several replicas may do so at once: each deletes what it finds.
const cleanUpEvery = time.Hour

// keepRefusals is how long `gatehouse explain` knows why a request was refused.
const keepRefusals = 14 * 24 * time.Hour

// cleanUp deletes what has expired until ctx ends.
func (a *app) cleanUp(ctx context.Context) {
	ticker := time.NewTicker(cleanUpEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := a.authn.Sweep(ctx); err != nil {
			a.log.ErrorContext(ctx, "clean up sign-ins", "error", err)
		}
		if err := a.server.Store.DeleteExpired(ctx, a.clock.Now()); err != nil {
			a.log.ErrorContext(ctx, "clean up grants", "error", err)
		}
		if err := a.registry.CleanUp(ctx); err != nil {
			a.log.ErrorContext(ctx, "clean up directory", "error", err)
		}
	}
}
