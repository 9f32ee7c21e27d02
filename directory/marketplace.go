package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Marketplace lets partners keep profiles and providers see them. Every change
// and its audit event are one transaction. What a company may not see is
// [ErrNotFound] to it, like what is not there.
type Marketplace struct {
	Store ProfileStore
	Clock Clock
	// NewID returns a fresh random identifier.
	NewID func() uuid.UUID
}

// ProfileTakenError says that the partner has a profile of the address already.
type ProfileTakenError struct{ ID uuid.UUID }

func (e *ProfileTakenError) Error() string { return "email already exists" }

// Is makes errors.Is(err, ErrConflict) true.
func (e *ProfileTakenError) Is(target error) bool { return target == ErrConflict }

// Create adds a profile of a partner, with what the partner knows from before:
// the data, AnonUserID, and the visits. Errors: [ProfileFaults],
// [*ProfileTakenError], [ErrUnavailable].
func (m *Marketplace) Create(ctx context.Context, by Company, known Profile) (*SeenProfile, error) {
	now := m.now()
	if err := known.ValidateNew(now); err != nil {
		return nil, err
	}
	p := &known
	p.ID, p.PartnerID, p.CreatedAt, p.UpdatedAt = m.NewID(), by.ID, now, now
	err := m.Store.InTx(ctx, func(ctx context.Context) error {
		if err := m.Store.CreateProfile(ctx, p); err != nil {
			return err
		}
		return m.record(ctx, "create_marketplace_user", by.actor(), p.ID, nil)
	})
	if err != nil {
		return nil, m.taken(ctx, by.ID, p.Email, fmt.Errorf("create profile: %w", err))
	}
	return &SeenProfile{Profile: p}, nil
}

// taken names the profile that a conflict is with.
func (m *Marketplace) taken(ctx context.Context, partner, email string, err error) error {
	if !errors.Is(err, ErrConflict) {
		return err
	}
	id, lookup := m.Store.ProfileByEmail(ctx, partner, email)
	if lookup != nil {
		return errors.Join(err, lookup)
	}
	return &ProfileTakenError{ID: id}
}

// Profile returns a profile that a company may see, by its id or by the
// company's pseudonym for it.
func (m *Marketplace) Profile(ctx context.Context, by Company, id uuid.UUID) (*SeenProfile, error) {
	return m.Store.Profile(ctx, by, id, m.now())
}

// Profiles returns a page of the profiles that a company may see, the newest
// first, and how many there are in all.
func (m *Marketplace) Profiles(ctx context.Context, q ProfileQuery) ([]SeenProfile, int64, error) {
	q.Now = m.now()
	return m.Store.Profiles(ctx, q)
}

// Update changes a profile that a company may see. The function change is given
// the profile as it is and changes its data, while nobody else can change them, and says the names of
// the fields that it changed. Only the owner changes the address: by it a
// profile finds its person. Errors: those of [Marketplace.Create], and change's.
func (m *Marketplace) Update(ctx context.Context, by Company, id uuid.UUID, change func(p *SeenProfile) ([]string, error)) (*SeenProfile, error) {
	var seen *SeenProfile
	var email string
	err := m.Store.InTx(ctx, func(ctx context.Context) error {
		if _, err := m.held(ctx, by, id); err != nil {
			return err
		}
		var err error
		if seen, err = m.Store.Profile(ctx, by, id, m.now()); err != nil {
			return err
		}
		before := seen.Email
		names, err := change(seen)
		if err != nil {
			return err
		}
		email = seen.Email
		if email != before && by.Kind != Partner {
			return ProfileFaults{{Field: "email", Reason: "can only be changed by the partner that owns the user"}}
		}
		if err := seen.Validate(); err != nil {
			return err
		}
		if len(names) == 0 {
			return nil
		}
		seen.UpdatedAt = m.now()
		if err := m.Store.UpdateProfile(ctx, seen.Profile); err != nil {
			return err
		}
		return m.record(ctx, "update_marketplace_user", by.actor(), seen.ID, map[string]any{"fields": names})
	})
	if err != nil {
		return nil, m.taken(ctx, by.ID, email, fmt.Errorf("update profile: %w", err))
	}
	return seen, nil
}

// held looks a profile up, makes others wait, and looks whether the company may
// still see it.
func (m *Marketplace) held(ctx context.Context, by Company, id uuid.UUID) (uuid.UUID, error) {
	now := m.now()
	found, err := m.Store.FindProfile(ctx, by, id, now)
	if err != nil {
		return uuid.Nil, err
	}
	if err := m.Store.HoldProfile(ctx, found); err != nil {
		return uuid.Nil, err
	}
	return m.Store.FindProfile(ctx, by, id, now)
}

// Erase deletes a partner's profile with everything about it. What remains is
// the event, which holds the random id and nothing of the person.
func (m *Marketplace) Erase(ctx context.Context, by Company, id uuid.UUID) error {
	err := m.Store.InTx(ctx, func(ctx context.Context) error {
		if _, err := m.held(ctx, by, id); err != nil {
			return err
		}
		if err := m.Store.DeleteProfile(ctx, id, by.ID); err != nil {
			return err
		}
		return m.record(ctx, "erase_marketplace_user", by.actor(), id, nil)
	})
	if err != nil {
		return fmt.Errorf("erase profile: %w", err)
	}
	return nil
}

// now is as exact as what is kept.
func (m *Marketplace) now() time.Time { return m.Clock().UTC().Truncate(time.Microsecond) }

func (m *Marketplace) record(ctx context.Context, kind string, by Actor, subject uuid.UUID, data map[string]any) error {
	return m.Store.AppendEvent(ctx, Event{ID: m.NewID(), Type: kind, Actor: by, Subject: subject.String(), Data: data, At: m.now()})
}

// GiveConsent records for a partner that the person of its profile lets a
// provider see it, until expires or, when that is zero, until they end it. A
// consent that stands is given its new end. [ErrNotFound] for a profile that is
// not the partner's, [ProfileFaults] for a provider that is not one or a past time.
func (m *Marketplace) GiveConsent(ctx context.Context, by Company, id uuid.UUID, provider string, expires time.Time) (*ProfileConsent, error) {
	now := m.now()
	var given *ProfileConsent
	err := m.Store.InTx(ctx, func(ctx context.Context) error {
		if _, err := m.held(ctx, by, id); err != nil {
			return err
		}
		if !expires.IsZero() && !expires.After(now) {
			return ProfileFaults{{Field: "expires_at", Reason: "must be in the future"}}
		}
		var err error
		given, err = m.Store.GiveConsent(ctx, ProfileConsent{ProfileID: id, ProviderID: provider, Pseudonym: m.NewID(), GivenAt: now, ExpiresAt: expires})
		if errors.Is(err, ErrNotFound) {
			return ProfileFaults{{Field: "cp_id", Reason: "is not a provider"}}
		}
		if err != nil {
			return err
		}
		return m.record(ctx, "give_marketplace_consent", by.actor(), id, map[string]any{"provider": provider})
	})
	if err != nil {
		return nil, fmt.Errorf("give consent: %w", err)
	}
	return given, nil
}

// EndConsent ends a provider's sight of a partner's profile at once.
// [ErrNotFound] when the profile is not the partner's, or there is no consent.
func (m *Marketplace) EndConsent(ctx context.Context, by Company, id uuid.UUID, provider string) error {
	err := m.Store.InTx(ctx, func(ctx context.Context) error {
		if _, err := m.held(ctx, by, id); err != nil {
			return err
		}
		if err := m.Store.EndConsent(ctx, id, provider, m.now()); err != nil {
			return err
		}
		return m.record(ctx, "end_marketplace_consent", by.actor(), id, map[string]any{"provider": provider})
	})
	if err != nil {
		return fmt.Errorf("end consent: %w", err)
	}
	return nil
}
