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
	if p.Company != "" {
		return s.companySubject(ctx, p)
	}
	return s.newSubject(ctx, p)
}

// companySubject makes the pseudonym under which a company sees a profile of the
// user their sub, when it may see one and nobody else has that sub.
func (s OAuthGrants) companySubject(ctx context.Context, p oauth.PairwiseSubject) (uuid.UUID, error) {
	var subject uuid.UUID
	err := s.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.DB.holdAddress(ctx, p.UserID); err != nil {
			return err
		}
		standing := p
		err := s.DB.row(ctx, `
			select c.cp_user_id from users u join marketplace_users p on`+sameAddress+`
				join marketplace_consents c on c.user_id = p.id and c.provider_id = $1
			where u.id = $2 and c.ended_at is null and (c.expires_at is null or c.expires_at > $3)
				and not exists (select 1 from pairwise_subjects s where s.subject = c.cp_user_id)
			order by c.given_at, c.cp_user_id limit 1`, []any{p.Company, p.UserID, p.CreatedAt}, &standing.Subject)
		if err != nil && !errors.Is(err, directory.ErrNotFound) {
			return err
		}
		subject, err = s.newSubject(ctx, standing)
		if errors.Is(err, directory.ErrNotFound) { // somebody else was given it meanwhile
			subject, err = s.newSubject(ctx, p)
		}
		return err
	})
	return subject, err
}

// newSubject returns the subject that counts once p was offered;
// directory.ErrNotFound when p's is somebody else's.
func (s OAuthGrants) newSubject(ctx context.Context, p oauth.PairwiseSubject) (uuid.UUID, error) {
	_, err := s.DB.exec(ctx, `
		insert into pairwise_subjects (sector, user_id, subject, created_at) values ($1, $2, $3, $4)
		on conflict do nothing`,
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
