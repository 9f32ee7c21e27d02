package storage

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// CreateBroadband implements directory.ProfileStore.
func (p Profiles) CreateBroadband(ctx context.Context, e *directory.BroadbandEntry) error {
	offer, err := json.Marshal(e.Offer)
	if err != nil {
		return fmt.Errorf("encode offer: %w", err)
	}
	_, err = p.DB.exec(ctx, `
		insert into broadband_entries (id, user_id, provider_id, offer, created_at, updated_at) values ($1, $2, $3, $4, $5, $6)`,
		e.ID, e.ProfileID, e.ProviderID, string(offer), e.CreatedAt, e.UpdatedAt)
	return err
}

// Broadband implements directory.ProfileStore.
func (p Profiles) Broadband(ctx context.Context, profile uuid.UUID, provider string) (*directory.BroadbandEntry, error) {
	var e directory.BroadbandEntry
	var offer string
	err := p.DB.row(ctx, `
		select b.id, b.user_id, b.provider_id, c.cp_user_id, b.offer, b.created_at, b.updated_at
		from broadband_entries b join marketplace_consents c on c.user_id = b.user_id and c.provider_id = b.provider_id
		where b.user_id = $1 and b.provider_id = $2`, []any{profile, provider},
		&e.ID, &e.ProfileID, &e.ProviderID, &e.Pseudonym, &offer, timeInto(&e.CreatedAt), timeInto(&e.UpdatedAt))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(offer), &e.Offer); err != nil {
		return nil, fmt.Errorf("decode offer %s: %w", e.ID, err)
	}
	return &e, nil
}

// UpdateBroadband implements directory.ProfileStore.
func (p Profiles) UpdateBroadband(ctx context.Context, e *directory.BroadbandEntry) error {
	offer, err := json.Marshal(e.Offer)
	if err != nil {
		return fmt.Errorf("encode offer: %w", err)
	}
	return p.one(ctx, `update broadband_entries set offer = $2, updated_at = $3 where id = $1`, e.ID, string(offer), e.UpdatedAt)
}
