package directory

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// platformStore is the part of [Store] that platform administrators look at.
type platformStore interface {
	// UsersBetween returns at most limit users and what they belong to, the
	// oldest account first; ErrNotFound when the one to come after is not there.
	UsersBetween(ctx context.Context, q UserQuery, limit int) ([]*User, map[uuid.UUID]Memberships, error)
	// LiveServicesBetween returns the live services that the same users belong to.
	LiveServicesBetween(ctx context.Context, q UserQuery, limit int) (map[uuid.UUID][]Service, error)
	// KindOf tells what an id is: "organisation", "service", "email_branding",
	// "letter_branding", "user" or "template_folder", and of which service.
	KindOf(ctx context.Context, id uuid.UUID) (kind string, service uuid.NullUUID, err error)
	// CountLive counts the live services that count as such, and the
	// organisations that have one.
	CountLive(ctx context.Context) (organisations, services int, err error)
}

// UserQuery chooses active users; what is zero chooses all. Times are inclusive at
// their start and exclusive at their end.
type UserQuery struct {
	CreatedFrom, CreatedTo   time.Time
	LoggedInFrom, LoggedInTo time.Time
	TakePartInResearch       *bool
	After                    uuid.NullUUID
}
