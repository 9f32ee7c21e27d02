package directory

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Store keeps the directory. Lookups return [ErrNotFound], creations a
// [*ConflictError] where a unique value is taken, and everything returns
// [ErrUnavailable] when the store cannot answer.
type Store interface {
	userStore
	credentialStore
	serviceStore
	organisationStore
	organisationInvitationStore
	brandingStore
	usageStore
	acceptanceStore

	// InTx runs f in one transaction, joining the one already in ctx. It
	// commits when f returns nil.
	InTx(ctx context.Context, f func(ctx context.Context) error) error
	// AppendEvent writes an audit row, in the transaction in ctx when there is one.
	AppendEvent(ctx context.Context, e Event) error

	CreateUser(ctx context.Context, u *User) error
	User(ctx context.Context, id uuid.UUID) (*User, error)
	// UserByUsername matches without regard to case.
	UserByUsername(ctx context.Context, username string) (*User, error)
	UserByNumber(ctx context.Context, number int64) (*User, error)
	// UsersByEmail returns every user of an address (compared by
	// [NormaliseEmail]), those without a username first, then oldest first.
	UsersByEmail(ctx context.Context, email string) ([]*User, error)
	// UsersByMobile is the same for a number in E.164.
	UsersByMobile(ctx context.Context, e164 string) ([]*User, error)
	// UpdateUser writes every mutable column except the login counters and
	// the session, which belong to package authn.
	UpdateUser(ctx context.Context, u *User) error
	// NextUserNumber reserves the next Delius number.
	NextUserNumber(ctx context.Context) (int64, error)
	MembershipsOf(ctx context.Context, userID uuid.UUID) (Memberships, error)

	// AddServiceMember returns a [*ConflictError] for somebody who is a member already.
	AddServiceMember(ctx context.Context, m Membership) error
}

// Clock tells the time; injected so that tests can move it.
type Clock func() time.Time
