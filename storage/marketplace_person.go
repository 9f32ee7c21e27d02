package storage

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/oauth"
)

// sameAddress joins the users u, who may act, to the profiles p of an address that
// they have shown to be theirs.
const sameAddress = ` u.email_normalised = p.email_normalised and u.state = 'active' and u.email_access_validated_at is not null`

// ProfilesOf implements directory.ProfileStore.
func (p Profiles) ProfilesOf(ctx context.Context, user uuid.UUID, provider string, now time.Time) ([]directory.OwnProfile, error) {
	var all []directory.OwnProfile
	err := p.DB.each(ctx, `
		select p.id, partners.name, partners.metadata, exists (select 1 from marketplace_consents c
			where c.user_id = p.id and c.provider_id = $1 and c.ended_at is null and (c.expires_at is null or c.expires_at > $2))
		from users u join marketplace_users p on`+sameAddress+` join clients partners on partners.id = p.partner_id
		where u.id = $3 order by partners.name, p.id`, []any{provider, now, user}, func(scan func(...any) error) error {
		var o directory.OwnProfile
		err := scan(&o.ID, &o.Partner.Plain, namesInto(&o.Partner), &o.Seen)
		all = append(all, o)
		return err
	})
	return all, err
}

// EndConsentsOf implements directory.ProfileStore.
func (p Profiles) EndConsentsOf(ctx context.Context, user uuid.UUID, provider string, at time.Time) ([]uuid.UUID, error) {
	var ended []uuid.UUID
	err := p.DB.each(ctx, `
		update marketplace_consents set ended_at = $1
		where provider_id = $2 and ended_at is null and (given_by = $3
			or user_id in (select p.id from users u join marketplace_users p on`+sameAddress+` where u.id = $3))
		returning user_id`, []any{at, provider, user}, func(scan func(...any) error) error {
		var profile uuid.UUID
		err := scan(&profile)
		ended = append(ended, profile)
		return err
	})
	if err != nil || len(ended) == 0 {
		return nil, err
	}
	return ended, p.count(ctx, provider, -int64(len(ended)))
}

// EndConsentsBy implements directory.ProfileStore.
func (p Profiles) EndConsentsBy(ctx context.Context, user uuid.UUID, at time.Time) ([]directory.ProfileConsent, error) {
	var ended []directory.ProfileConsent
	err := p.DB.each(ctx, `
		update marketplace_consents set ended_at = $1 where given_by = $2 and ended_at is null returning user_id, provider_id`,
		[]any{at, user}, func(scan func(...any) error) error {
			var c directory.ProfileConsent
			err := scan(&c.ProfileID, &c.ProviderID)
			ended = append(ended, c)
			return err
		})
	// Totals are taken in the order of their companies, as endAll does.
	slices.SortFunc(ended, func(a, b directory.ProfileConsent) int { return strings.Compare(a.ProviderID, b.ProviderID) })
	for _, c := range ended {
		if err == nil {
			err = p.count(ctx, c.ProviderID, -1)
		}
	}
	return ended, err
}

// HoldOwner implements directory.ProfileStore.
func (p Profiles) HoldOwner(ctx context.Context, user uuid.UUID) error {
	return p.DB.holdAddress(ctx, user) // and thereby in the order that others take
}

// CountVisit implements directory.ProfileStore.
func (p Profiles) CountVisit(ctx context.Context, user uuid.UUID, provider string, at time.Time) error {
	_, err := p.DB.exec(ctx, `
		update marketplace_users set visits = visits + 1, last_visited = $1
		where id in (
			select p.id from users u join marketplace_users p on`+sameAddress+` join marketplace_consents c on c.user_id = p.id
			where u.id = $2 and c.provider_id = $3 and c.ended_at is null and (c.expires_at is null or c.expires_at > $1))`,
		at, user, provider)
	return err
}

// holdAddress makes others wait who decide under which sub a company knows the
// people of an address: of a user, or of a profile. SQLite has one writer and
// needs no word for it. The transaction has to look again afterwards.
func (db *DB) holdAddress(ctx context.Context, id uuid.UUID) error {
	if db.Engine == SQLite {
		return nil
	}
	return db.each(ctx, `
		select id from users where email_normalised in (
			select email_normalised from users where id = $1 union all select email_normalised from marketplace_users where id = $1)
		order by id for no key update`, []any{id}, func(scan func(...any) error) error {
		var held uuid.UUID
		return scan(&held)
	})
}

// takeSubject makes the sub by which the provider knows the person already the
// pseudonym of a consent, unless another profile has it.
func (p Profiles) takeSubject(ctx context.Context, c *directory.ProfileConsent) error {
	if err := p.DB.holdAddress(ctx, c.ProfileID); err != nil {
		return err
	}
	err := p.DB.row(ctx, `
		select s.subject from marketplace_users p join users u on`+sameAddress+`
			join pairwise_subjects s on s.user_id = u.id and s.sector = $1
		where p.id = $2 and not exists (select 1 from marketplace_consents c where c.cp_user_id = s.subject)
		order by s.created_at, s.subject limit 1`, []any{oauth.CompanySector(c.ProviderID), c.ProfileID}, &c.Pseudonym)
	if errors.Is(err, directory.ErrNotFound) {
		return nil
	}
	return err
}
