package storage

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/oauth"
)

// PairwiseSubject implements oauth.GrantStore. Whoever is first decides: the
// others find the row, and read what it says.
func (s OAuthGrants) PairwiseSubject(ctx context.Context, p oauth.PairwiseSubject) (uuid.UUID, error) {
	known, err := s.pairwiseSubject(ctx, p)
	if !errors.Is(err, directory.ErrNotFound) {
		return known, err
	}
	_, err = s.DB.exec(ctx, `
		insert into pairwise_subjects (sector, user_id, subject, created_at) values ($1, $2, $3, $4)
		on conflict (sector, user_id) do nothing`,
		p.Sector, p.UserID, p.Subject, p.CreatedAt)
	if err != nil {
		return uuid.Nil, err
	}
	return s.pairwiseSubject(ctx, p)
}

func (s OAuthGrants) pairwiseSubject(ctx context.Context, p oauth.PairwiseSubject) (uuid.UUID, error) {
	var subject uuid.UUID
	err := s.DB.row(ctx, `select subject from pairwise_subjects where sector = $1 and user_id = $2`, []any{p.Sector, p.UserID}, &subject)
	return subject, err
}
