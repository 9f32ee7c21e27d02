package directory

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// OwnProfile is a profile of somebody who signs in: a partner keeps it under an
// address that they have shown to be theirs.
type OwnProfile struct {
	ID      uuid.UUID
	Partner Wording // the name of the company that keeps it
	// Seen says that the provider in question may see it already.
	Seen bool
}

// ProfilesOf returns the profiles that a user may let a provider see, by the
// names of their partners; none for a user who may not act, or whose address
// nobody has checked.
func (m *Marketplace) ProfilesOf(ctx context.Context, user uuid.UUID, provider string) ([]OwnProfile, error) {
	return m.Store.ProfilesOf(ctx, user, provider, m.now())
}

// Share records that a user lets a provider see a profile of theirs, until they
// end it. It joins the transaction in ctx. [ErrNotFound] for a profile that is
// not theirs, and for a provider that is not one.
func (m *Marketplace) Share(ctx context.Context, user, profile uuid.UUID, provider string) error {
	err := m.Store.InTx(ctx, func(ctx context.Context) error {
		if err := m.Store.HoldProfile(ctx, profile); err != nil {
			return err
		}
		// An account that is closed at the same moment ends this consent, or has none to give.
		if err := m.Store.HoldOwner(ctx, user); err != nil {
			return err
		}
		theirs, err := m.Store.ProfilesOf(ctx, user, provider, m.now())
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(theirs, func(p OwnProfile) bool { return p.ID == profile }) {
			return ErrNotFound
		}
		_, err = m.Store.GiveConsent(ctx, ProfileConsent{ProfileID: profile, ProviderID: provider, Pseudonym: m.NewID(), GivenBy: user, GivenAt: m.now()})
		if err != nil {
			return err
		}
		return m.record(ctx, "give_marketplace_consent", actorOf(user), profile, map[string]any{"provider": provider})
	})
	if err != nil {
		return fmt.Errorf("share profile: %w", err)
	}
	return nil
}

// Unshare ends a provider's sight of a user's profiles at once, whoever recorded
// the consents. It joins the transaction in ctx. Without a consent it does nothing.
func (m *Marketplace) Unshare(ctx context.Context, user uuid.UUID, provider string) error {
	err := m.Store.InTx(ctx, func(ctx context.Context) error {
		ended, err := m.Store.EndConsentsOf(ctx, user, provider, m.now())
		for _, profile := range ended {
			if err == nil {
				err = m.record(ctx, "end_marketplace_consent", actorOf(user), profile, map[string]any{"provider": provider})
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("end sight of profiles: %w", err)
	}
	return nil
}

// UnshareAll ends every consent that a user gave, as with the end of their account.
// It joins the transaction in ctx. What partners recorded stands: their profiles
// are theirs.
func (m *Marketplace) UnshareAll(ctx context.Context, user uuid.UUID) error {
	err := m.Store.InTx(ctx, func(ctx context.Context) error {
		ended, err := m.Store.EndConsentsBy(ctx, user, m.now())
		for _, c := range ended {
			if err == nil {
				err = m.record(ctx, "end_marketplace_consent", Actor{Kind: "system"}, c.ProfileID, map[string]any{"provider": c.ProviderID, "given_by": user})
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("end what a user shared: %w", err)
	}
	return nil
}

// Visited counts that a user signed in at a provider, in the profiles that it may see.
func (m *Marketplace) Visited(ctx context.Context, user uuid.UUID, provider string) error {
	return m.Store.CountVisit(ctx, user, provider, m.now())
}

func actorOf(user uuid.UUID) Actor { return Actor{Kind: "user", ID: user.String()} }
