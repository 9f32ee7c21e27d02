package directory

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// ErrUnreadable says that an encrypted value does not open: its key is gone, or
// it stands in a place that it was not written to.
var ErrUnreadable = errors.New("an encrypted value cannot be read")

// ProfileStore keeps the profiles of the marketplace, the consents to see them
// and the entries about them. Lookups return [ErrNotFound], a taken value a
// [*ConflictError], a value that does not open [ErrUnreadable].
type ProfileStore interface {
	InTx(ctx context.Context, f func(ctx context.Context) error) error
	AppendEvent(ctx context.Context, e Event) error

	// CreateProfile adds a profile; a conflict of "email" when the partner has
	// one of that address.
	CreateProfile(ctx context.Context, p *Profile) error
	// HoldProfile makes other changes of a profile wait for the transaction's end.
	HoldProfile(ctx context.Context, id uuid.UUID) error
	// UpdateProfile writes a profile's data.
	UpdateProfile(ctx context.Context, p *Profile) error
	// DeleteProfile erases a profile that is held, with its consents and entries.
	DeleteProfile(ctx context.Context, id uuid.UUID, partner string) error
	// Profile returns a profile as a company sees it at a moment: by its id, or by
	// a provider's pseudonym. [ErrNotFound] is all there is of one that it may not see.
	Profile(ctx context.Context, c Company, id uuid.UUID, now time.Time) (*SeenProfile, error)
	// FindProfile is Profile for those who need no more than its id, which can be
	// had of a profile that does not open.
	FindProfile(ctx context.Context, c Company, id uuid.UUID, now time.Time) (uuid.UUID, error)
	// ProfileByEmail returns the id of a partner's profile of an address.
	ProfileByEmail(ctx context.Context, partner, email string) (uuid.UUID, error)
	// Profiles returns a page of what a company sees, the newest first, and how
	// many there are in all. What does not open is marked Unreadable.
	Profiles(ctx context.Context, q ProfileQuery) ([]SeenProfile, int64, error)

	consentStore
	ownStore
	broadbandStore
}

// consentStore is the part of [ProfileStore] about who may see what.
type consentStore interface {
	// GiveConsent lets a provider see a profile that is held, and returns the
	// consent with the pseudonym that the pair has had all along. A new pair's is
	// the sub by which the provider knows the person, when they have signed in
	// there, and otherwise c's. [ErrNotFound] when there is no such provider.
	GiveConsent(ctx context.Context, c ProfileConsent) (*ProfileConsent, error)
	// EndConsent withdraws a consent that nobody has withdrawn yet; [ErrNotFound]
	// when there is none.
	EndConsent(ctx context.Context, profile uuid.UUID, provider string, at time.Time) error
	// ConsentByPseudonym returns a consent whether it stands or not, and the
	// partner that owns the profile.
	ConsentByPseudonym(ctx context.Context, pseudonym uuid.UUID) (c *ProfileConsent, partner string, err error)
}

// ownStore is the part of [ProfileStore] about people whose profiles they are: by
// an address that was checked, of a user who may act.
type ownStore interface {
	// ProfilesOf returns a user's profiles by the names of their partners.
	ProfilesOf(ctx context.Context, user uuid.UUID, provider string, now time.Time) ([]OwnProfile, error)
	// EndConsentsOf withdraws every consent to see a user's profiles that stands,
	// also those that the user gave for what is theirs no more, and returns whose.
	EndConsentsOf(ctx context.Context, user uuid.UUID, provider string, at time.Time) ([]uuid.UUID, error)
	// EndConsentsBy withdraws every consent that a user gave and that stands, and
	// returns for which profiles and providers.
	EndConsentsBy(ctx context.Context, user uuid.UUID, at time.Time) ([]ProfileConsent, error)
	// HoldOwner makes others wait who change a user, until the transaction in ctx
	// ends. Profiles are held before, and the user is looked at afterwards.
	HoldOwner(ctx context.Context, user uuid.UUID) error
	// CountVisit adds a visit to those profiles of a user that a provider may see.
	CountVisit(ctx context.Context, user uuid.UUID, provider string, at time.Time) error
}

// broadbandStore is the part of [ProfileStore] about broadband entries.
type broadbandStore interface {
	// CreateBroadband adds an entry; a conflict when its profile and provider have one.
	CreateBroadband(ctx context.Context, e *BroadbandEntry) error
	Broadband(ctx context.Context, profile uuid.UUID, provider string) (*BroadbandEntry, error)
	UpdateBroadband(ctx context.Context, e *BroadbandEntry) error
}

// MaxProfileIDs is how many ids a query may name.
const MaxProfileIDs = 100

// ProfileQuery chooses profiles among those that a company sees.
type ProfileQuery struct {
	Company Company
	Now     time.Time
	Email   string // an exact address in any case; "" for every one
	// IDs are ids or pseudonyms, at most [MaxProfileIDs]; nil for every one, and
	// an empty list for none.
	IDs    []uuid.UUID
	Offset int64
	Limit  int64
}
