package main

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/storage"
)

const (
	// cleanUpEvery is how often rows that nobody needs any more are deleted.
	cleanUpEvery = 15 * time.Minute
	// cleanUpLease is how long the replica that deletes may be silent before
	// another one does it. A stop gives the lease back at once.
	cleanUpLease = 40 * time.Minute
	// cleanUpTimeout bounds a whole run; what it leaves waits for the next one.
	cleanUpTimeout = 10 * time.Minute
	// releaseTimeout bounds what a stop waits for.
	releaseTimeout = time.Second

	cleanUpJob = "clean up"
)

// cleaner deletes what is over, on one replica at a time.
type cleaner struct {
	leases storage.Leases
	rows   storage.Cleanup
	holder uuid.UUID // this process
	clock  directory.Clock
	log    *slog.Logger
	// profiles, when not nil, are looked after as well: consents that expired are
	// ended, and a rotation of keys that stopped half-way goes on.
	profiles *storage.Profiles

	// deleted counts rows by table since the start; its keys never change.
	deleted map[string]*atomic.Int64
	// succeeded is when a run of this process last ended well, in Unix seconds.
	succeeded atomic.Int64
}

func newCleaner(db *storage.DB, holder uuid.UUID, clock directory.Clock, log *slog.Logger) *cleaner {
	c := &cleaner{
		leases: storage.Leases{DB: db}, rows: storage.Cleanup{DB: db}, holder: holder, clock: clock, log: log,
		deleted: map[string]*atomic.Int64{},
	}
	for _, table := range c.rows.Tables() {
		c.deleted[table] = &atomic.Int64{}
	}
	return c
}

// run cleans up now and then until ctx ends, the first time at once.
func (c *cleaner) run(ctx context.Context) {
	ticker := time.NewTicker(cleanUpEvery)
	defer ticker.Stop()
	for {
		if _, err := c.once(ctx); err != nil && ctx.Err() == nil {
			c.log.ErrorContext(ctx, "clean up", "error", err)
		}
		select {
		case <-ctx.Done():
			c.release(ctx)
			return
		case <-ticker.C:
		}
	}
}

// once cleans up unless another replica does, and reports whether it did.
func (c *cleaner) once(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, cleanUpTimeout)
	defer cancel()
	now := c.clock()
	mine, err := c.leases.Take(ctx, cleanUpJob, c.holder, now, now.Add(cleanUpLease))
	if err != nil || !mine {
		return false, err
	}
	var total int64
	err = c.rows.Run(ctx, now, func(table string, rows int64) {
		c.deleted[table].Add(rows)
		total += rows
	})
	if total > 0 {
		c.log.InfoContext(ctx, "cleaned up", "rows", total)
	}
	err = errors.Join(err, c.lookAfterProfiles(ctx, now))
	if err == nil {
		c.succeeded.Store(now.Unix())
	}
	return true, err
}

func (c *cleaner) lookAfterProfiles(ctx context.Context, now time.Time) error {
	if c.profiles == nil {
		return nil
	}
	_, ending := c.profiles.EndExpired(ctx, now)
	done, err := c.profiles.Reencrypt(ctx, nil)
	if done.Unreadable > 0 {
		c.log.ErrorContext(ctx, "encrypted values cannot be read", "users", done.Unreadable)
	}
	return errors.Join(ending, err)
}

// release lets another replica go on at once.
func (c *cleaner) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if err := c.leases.Release(ctx, cleanUpJob, c.holder); err != nil {
		c.log.WarnContext(ctx, "give back the clean-up", "error", err)
	}
}
