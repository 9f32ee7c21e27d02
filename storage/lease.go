package storage

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Leases give work that one replica at a time does to one of them.
type Leases struct{ DB *DB }

// Take gives the work of a name to a holder until a time, and reports whether it
// has it: because nobody did, because its own lease goes on, or because
// another's has ended. Of racing holders one has it.
func (l Leases) Take(ctx context.Context, name string, holder uuid.UUID, now, until time.Time) (bool, error) {
	n, err := l.DB.exec(ctx, `
		insert into leases (name, holder, until) values ($1, $2, $3)
		on conflict (name) do update set holder = excluded.holder, until = excluded.until
		where leases.holder = excluded.holder or leases.until <= $4`, name, holder, until, now)
	return n > 0, err
}

// Release ends a holder's lease, so that another need not wait for its end.
func (l Leases) Release(ctx context.Context, name string, holder uuid.UUID) error {
	_, err := l.DB.exec(ctx, `delete from leases where name = $1 and holder = $2`, name, holder)
	return err
}
