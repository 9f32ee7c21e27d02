package directory

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// CreateBroadband adds the entry of a pseudonym, for the provider whose
// pseudonym it is or the partner that owns the profile. Errors: [ErrNotFound],
// [ErrConflict] when there is one, [ProfileFaults].
func (m *Marketplace) CreateBroadband(ctx context.Context, by Company, pseudonym uuid.UUID, offer BroadbandOffer) (*BroadbandEntry, error) {
	if err := offer.validate(); err != nil {
		return nil, err
	}
	var entry *BroadbandEntry
	err := m.Store.InTx(ctx, func(ctx context.Context) error {
		consent, err := m.consentHeld(ctx, by, pseudonym)
		if err != nil {
			return err
		}
		now := m.now()
		entry = &BroadbandEntry{
			ID: m.NewID(), ProfileID: consent.ProfileID, ProviderID: consent.ProviderID, Pseudonym: pseudonym,
			Offer: offer, CreatedAt: now, UpdatedAt: now,
		}
		if err := m.Store.CreateBroadband(ctx, entry); err != nil {
			return err
		}
		return m.record(ctx, "create_broadband_entry", by.actor(), entry.ID, map[string]any{"user": consent.ProfileID, "provider": consent.ProviderID})
	})
	if err != nil {
		return nil, fmt.Errorf("create broadband entry: %w", err)
	}
	return entry, nil
}

// consentSeen returns the consent behind a pseudonym to the companies that it is
// between: the provider while it stands, and the owner of the profile.
func (m *Marketplace) consentSeen(ctx context.Context, by Company, pseudonym uuid.UUID) (*ProfileConsent, error) {
	consent, partner, err := m.Store.ConsentByPseudonym(ctx, pseudonym)
	if err != nil {
		return nil, err
	}
	switch by.Kind {
	case Partner:
		if partner == by.ID {
			return consent, nil
		}
	case Provider:
		if consent.ProviderID == by.ID && consent.Stands(m.now()) {
			return consent, nil
		}
	}
	return nil, ErrNotFound
}

// consentHeld looks a consent up, makes others wait who would change it, and looks
// whether it is still one.
func (m *Marketplace) consentHeld(ctx context.Context, by Company, pseudonym uuid.UUID) (*ProfileConsent, error) {
	consent, err := m.consentSeen(ctx, by, pseudonym)
	if err != nil {
		return nil, err
	}
	if err := m.Store.HoldProfile(ctx, consent.ProfileID); err != nil {
		return nil, err
	}
	return m.consentSeen(ctx, by, pseudonym)
}

// Broadband returns the entry of a pseudonym to those who may have created it.
func (m *Marketplace) Broadband(ctx context.Context, by Company, pseudonym uuid.UUID) (*BroadbandEntry, error) {
	consent, err := m.consentSeen(ctx, by, pseudonym)
	if err != nil {
		return nil, err
	}
	return m.Store.Broadband(ctx, consent.ProfileID, consent.ProviderID)
}

// UpdateBroadband changes the entry of a pseudonym; change is given the offer as
// it is, while nobody else can change it.
func (m *Marketplace) UpdateBroadband(ctx context.Context, by Company, pseudonym uuid.UUID, change func(*BroadbandOffer) error) (*BroadbandEntry, error) {
	var entry *BroadbandEntry
	err := m.Store.InTx(ctx, func(ctx context.Context) error {
		consent, err := m.consentHeld(ctx, by, pseudonym)
		if err != nil {
			return err
		}
		if entry, err = m.Store.Broadband(ctx, consent.ProfileID, consent.ProviderID); err != nil {
			return err
		}
		if err := change(&entry.Offer); err != nil {
			return err
		}
		if err := entry.Offer.validate(); err != nil {
			return err
		}
		entry.UpdatedAt = m.now()
		if err := m.Store.UpdateBroadband(ctx, entry); err != nil {
			return err
		}
		return m.record(ctx, "update_broadband_entry", by.actor(), entry.ID, map[string]any{"user": consent.ProfileID, "provider": consent.ProviderID})
	})
	if err != nil {
		return nil, fmt.Errorf("update broadband entry: %w", err)
	}
	return entry, nil
}
