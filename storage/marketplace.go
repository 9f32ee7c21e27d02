package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// Profiles implements directory.ProfileStore. What is particularly sensitive is
// encrypted with Keys before it leaves this package for the database.
type Profiles struct {
	DB   *DB
	Keys *FieldKeys
}

var _ directory.ProfileStore = Profiles{}

// InTx implements directory.ProfileStore.
func (p Profiles) InTx(ctx context.Context, f func(ctx context.Context) error) error {
	return p.DB.InTx(ctx, f)
}

// AppendEvent implements directory.ProfileStore.
func (p Profiles) AppendEvent(ctx context.Context, e directory.Event) error {
	return Directory{DB: p.DB}.AppendEvent(ctx, e)
}

const insertProfile = `
	insert into marketplace_users (id, partner_id, email, email_normalised, anon_user_id, profile, meta,
		national_insurance_number, passport_number, dob, partner_dob, key_id, visits, last_visited, version, created_at, updated_at,
		partner_reference)
	values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`

// CreateProfile implements directory.ProfileStore.
func (p Profiles) CreateProfile(ctx context.Context, profile *directory.Profile) error {
	values, err := p.values(ctx, profile)
	if err != nil {
		return err
	}
	if _, err = p.DB.exec(ctx, insertProfile, values...); err != nil {
		return err
	}
	return p.count(ctx, profile.PartnerID, 1)
}

// values are those of insertProfile, with what is sensitive encrypted.
func (p Profiles) values(ctx context.Context, profile *directory.Profile) ([]any, error) {
	details, err := json.Marshal(profile.ProfileDetails)
	if err != nil {
		return nil, fmt.Errorf("encode profile: %w", err)
	}
	sealed, key, err := p.seal(ctx, profile)
	if err != nil {
		return nil, err
	}
	return []any{
		profile.ID, profile.PartnerID, profile.Email, directory.NormaliseEmail(profile.Email), nullable(profile.AnonUserID),
		string(details), string(profile.Meta), sealed.nationalInsurance, sealed.passport, sealed.birth, sealed.partnerBirth, key,
		profile.Visits, profile.LastVisited, int64(1), profile.CreatedAt, profile.UpdatedAt,
		profile.PartnerReference,
	}, nil
}

// count adds to the total of a company.
func (p Profiles) count(ctx context.Context, company string, n int64) error {
	_, err := p.DB.exec(ctx, `
		insert into marketplace_totals (company_id, total) values ($1, $2)
		on conflict (company_id) do update set total = marketplace_totals.total + excluded.total`, company, n)
	return err
}

// HoldProfile implements directory.ProfileStore: the row is locked by being
// changed, which both engines can do.
func (p Profiles) HoldProfile(ctx context.Context, id uuid.UUID) error {
	return p.one(ctx, `update marketplace_users set version = version + 1 where id = $1`, id)
}

// one runs a statement that must change a row.
func (p Profiles) one(ctx context.Context, query string, args ...any) error {
	n, err := p.DB.exec(ctx, query, args...)
	if err == nil && n == 0 {
		return directory.ErrNotFound
	}
	return err
}

// UpdateProfile implements directory.ProfileStore.
func (p Profiles) UpdateProfile(ctx context.Context, profile *directory.Profile) error {
	details, err := json.Marshal(profile.ProfileDetails)
	if err != nil {
		return fmt.Errorf("encode profile: %w", err)
	}
	sealed, key, err := p.seal(ctx, profile)
	if err != nil {
		return err
	}
	return p.one(ctx, `
		update marketplace_users set email = $2, email_normalised = $3, profile = $4, meta = $5,
			national_insurance_number = $6, passport_number = $7, dob = $8, partner_dob = $9, key_id = $10,
			updated_at = $11, partner_reference = $12, version = version + 1
		where id = $1`,
		profile.ID, profile.Email, directory.NormaliseEmail(profile.Email), string(details), string(profile.Meta),
		sealed.nationalInsurance, sealed.passport, sealed.birth, sealed.partnerBirth, key, profile.UpdatedAt,
		profile.PartnerReference)
}

// DeleteProfile implements directory.ProfileStore. Nobody gives a consent while
// the profile is held, so that the totals stay true.
func (p Profiles) DeleteProfile(ctx context.Context, id uuid.UUID, partner string) error {
	_, err := p.endAll(ctx, `
		update marketplace_consents set ended_at = given_at where user_id = $1 and ended_at is null returning provider_id`, id)
	if err != nil {
		return err
	}
	if err := p.one(ctx, `delete from marketplace_users where id = $1 and partner_id = $2`, id, partner); err != nil {
		return err
	}
	return p.count(ctx, partner, -1)
}

// FindProfile implements directory.ProfileStore.
func (p Profiles) FindProfile(ctx context.Context, c directory.Company, id uuid.UUID, now time.Time) (uuid.UUID, error) {
	var found uuid.UUID
	if c.Kind == directory.Partner {
		err := p.DB.row(ctx, `select id from marketplace_users where id = $1 and partner_id = $2`, []any{id, c.ID}, &found)
		return found, err
	}
	err := p.DB.row(ctx, `
		select user_id from marketplace_consents
		where (cp_user_id = $1 or user_id = $1) and provider_id = $2 and ended_at is null and (expires_at is null or expires_at > $3)`,
		[]any{id, c.ID, now}, &found)
	return found, err
}

// Profile implements directory.ProfileStore.
func (p Profiles) Profile(ctx context.Context, c directory.Company, id uuid.UUID, now time.Time) (*directory.SeenProfile, error) {
	r := newProfileRow()
	var err error
	if c.Kind == directory.Partner {
		err = p.DB.row(ctx, `select `+profileColumns+` from marketplace_users u where u.id = $1 and u.partner_id = $2`, []any{id, c.ID}, r.fields()...)
	} else {
		err = p.DB.row(ctx, `
			select `+profileColumns+`, c.cp_user_id from marketplace_consents c join marketplace_users u on u.id = c.user_id
			where (c.cp_user_id = $1 or c.user_id = $1) and c.provider_id = $2 and c.ended_at is null
				and (c.expires_at is null or c.expires_at > $3)`,
			[]any{id, c.ID, now}, append(r.fields(), &r.Pseudonym)...)
	}
	if err != nil {
		return nil, err
	}
	seen, err := p.open(ctx, r)
	if err != nil {
		return nil, err
	}
	return &seen, nil
}

// ProfileByEmail implements directory.ProfileStore.
func (p Profiles) ProfileByEmail(ctx context.Context, partner, email string) (uuid.UUID, error) {
	var id uuid.UUID
	err := p.DB.row(ctx, `select id from marketplace_users where partner_id = $1 and email_normalised = $2`,
		[]any{partner, directory.NormaliseEmail(email)}, &id)
	return id, err
}
