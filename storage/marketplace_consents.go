package storage

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// GiveConsent implements directory.ProfileStore: a row for the pair is made, or
// taken up again, or given its new end. Whichever of these counts the consent as
// new is one conditional statement.
func (p Profiles) GiveConsent(ctx context.Context, c directory.ProfileConsent) (*directory.ProfileConsent, error) {
	if err := p.takeSubject(ctx, &c); err != nil {
		return nil, err
	}
	n, err := p.DB.exec(ctx, `
		insert into marketplace_consents (user_id, provider_id, cp_user_id, user_created_at, given_by, given_at, expires_at)
		select u.id, clients.id, $3, u.created_at, $4, $5, $6 from marketplace_users u, clients
		where u.id = $1 and clients.id = $2 and clients.kind = 'provider'
		on conflict (user_id, provider_id) do nothing`,
		c.ProfileID, c.ProviderID, c.Pseudonym, nullableID(c.GivenBy), c.GivenAt, c.ExpiresAt)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		if n, err = p.DB.exec(ctx, `
			update marketplace_consents set given_by = $3, given_at = $4, expires_at = $5, ended_at = null
			where user_id = $1 and provider_id = $2 and ended_at is not null`,
			c.ProfileID, c.ProviderID, nullableID(c.GivenBy), c.GivenAt, c.ExpiresAt); err != nil {
			return nil, err
		}
	}
	if n > 0 {
		return p.given(ctx, c, p.count(ctx, c.ProviderID, 1))
	}
	return p.given(ctx, c, p.one(ctx, `
		update marketplace_consents set given_by = $3, given_at = $4, expires_at = $5
		where user_id = $1 and provider_id = $2 and ended_at is null`,
		c.ProfileID, c.ProviderID, nullableID(c.GivenBy), c.GivenAt, c.ExpiresAt))
}

// given reads a consent that was written without an error.
func (p Profiles) given(ctx context.Context, c directory.ProfileConsent, err error) (*directory.ProfileConsent, error) {
	if err != nil {
		return nil, err
	}
	return &c, p.DB.row(ctx, `select cp_user_id from marketplace_consents where user_id = $1 and provider_id = $2`,
		[]any{c.ProfileID, c.ProviderID}, &c.Pseudonym)
}

func nullableID(id uuid.UUID) uuid.NullUUID {
	return uuid.NullUUID{UUID: id, Valid: id != uuid.Nil}
}

// EndConsent implements directory.ProfileStore.
func (p Profiles) EndConsent(ctx context.Context, profile uuid.UUID, provider string, at time.Time) error {
	err := p.one(ctx, `
		update marketplace_consents set ended_at = $3
		where user_id = $1 and provider_id = $2 and ended_at is null`, profile, provider, at)
	if err != nil {
		return err
	}
	return p.count(ctx, provider, -1)
}

// ConsentByPseudonym implements directory.ProfileStore.
func (p Profiles) ConsentByPseudonym(ctx context.Context, pseudonym uuid.UUID) (*directory.ProfileConsent, string, error) {
	var c directory.ProfileConsent
	var partner string
	var giver uuid.NullUUID
	err := p.DB.row(ctx, `
		select c.user_id, c.provider_id, c.cp_user_id, c.given_by, c.given_at, c.expires_at, c.ended_at, u.partner_id
		from marketplace_consents c join marketplace_users u on u.id = c.user_id where c.cp_user_id = $1`,
		[]any{pseudonym}, &c.ProfileID, &c.ProviderID, &c.Pseudonym, &giver, timeInto(&c.GivenAt),
		timeInto(&c.ExpiresAt), timeInto(&c.EndedAt), &partner)
	c.GivenBy = giver.UUID
	return &c, partner, err
}

// EndExpired ends consents that are over by themselves, and reports how many: so
// the totals need count off but a few.
func (p Profiles) EndExpired(ctx context.Context, now time.Time) (int64, error) {
	var total int64
	for {
		ended, err := p.endExpired(ctx, now)
		total += ended
		if err != nil || ended < cleanupBatch {
			return total, err
		}
	}
}

func (p Profiles) endExpired(ctx context.Context, now time.Time) (ended int64, err error) {
	err = p.DB.InTx(ctx, func(ctx context.Context) error {
		ended, err = p.endAll(ctx, `
			update marketplace_consents set ended_at = expires_at
			where ended_at is null and expires_at <= $1 and (user_id, provider_id) in (
				select user_id, provider_id from marketplace_consents
				where expires_at <= $1 and ended_at is null and expires_at is not null order by expires_at limit $2)
			returning provider_id`, now, cleanupBatch)
		return err
	})
	return ended, err
}

// endAll runs a statement that ends consents and returns whose they were, counts
// them off, and reports how many. Everybody takes consents first and then totals,
// in the order of their companies, so that no two wait for each other.
func (p Profiles) endAll(ctx context.Context, query string, args ...any) (ended int64, err error) {
	providers := map[string]int64{}
	err = p.DB.each(ctx, query, args, func(scan func(...any) error) error {
		var provider string
		err := scan(&provider)
		providers[provider]++
		ended++
		return err
	})
	for _, provider := range slices.Sorted(maps.Keys(providers)) {
		if err == nil {
			err = p.count(ctx, provider, -providers[provider])
		}
	}
	return ended, err
}
