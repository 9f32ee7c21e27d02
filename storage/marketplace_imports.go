package storage

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// Companies returns of which kind these clients are; "" is no company.
func (p Profiles) Companies(ctx context.Context, ids []string) (map[string]directory.CompanyKind, error) {
	found := map[string]directory.CompanyKind{}
	err := p.DB.each(ctx, `select id, kind from clients where id in (select key from json_each($1))`,
		[]any{keys(ids)}, func(scan func(...any) error) error {
			var id, kind string
			err := scan(&id, &kind)
			found[id] = directory.CompanyKind(kind)
			return err
		})
	return found, err
}

// ProfileClaims returns who has one of these addresses, as they are normalised.
func (p Profiles) ProfileClaims(ctx context.Context, addresses []string) ([]directory.ProfileClaim, error) {
	var all []directory.ProfileClaim
	err := p.DB.each(ctx, `
		select id, partner_id, email_normalised from marketplace_users where email_normalised in (select key from json_each($1))`,
		[]any{keys(addresses)}, func(scan func(...any) error) error {
			var c directory.ProfileClaim
			err := scan(&c.ID, &c.PartnerID, &c.Email)
			all = append(all, c)
			return err
		})
	return all, err
}

const insertConsent = `
	insert into marketplace_consents (user_id, provider_id, cp_user_id, user_created_at, given_by, given_at, expires_at, ended_at)
	values ($1, $2, $3, $4, $5, $6, $7, $8)`

// InsertImportedProfiles writes new profiles with all that is theirs, and counts
// them and their consents.
func (p Profiles) InsertImportedProfiles(ctx context.Context, source string, all []directory.ImportedProfile, at time.Time) error {
	var profiles, consents, imported, events [][]any
	partners, providers := map[string]int64{}, map[string]int64{}
	for _, one := range all {
		values, err := p.values(ctx, one.Profile)
		if err != nil {
			return err
		}
		event, err := eventValues(one.Event)
		if err != nil {
			return err
		}
		profiles, events = append(profiles, values), append(events, event)
		imported = append(imported, []any{source, one.Kind, one.ExternalID, one.ID, one.Digest, at})
		partners[one.Profile.PartnerID]++
		for _, c := range one.Consents {
			consents = append(consents, []any{c.ProfileID, c.ProviderID, c.Pseudonym, one.Profile.CreatedAt, nullableID(c.GivenBy), c.GivenAt, c.ExpiresAt, c.EndedAt})
			if c.EndedAt.IsZero() {
				providers[c.ProviderID]++
			}
		}
	}
	for _, part := range []struct {
		insert string
		rows   [][]any
	}{{insertProfile, profiles}, {insertConsent, consents}, {insertImported, imported}, {insertEvent, events}} {
		if err := p.DB.insertAll(ctx, part.insert, part.rows); err != nil {
			return err
		}
	}
	// In the order in which an erasure takes the totals, so that neither waits for the other.
	for _, totals := range []map[string]int64{providers, partners} {
		for _, company := range slices.Sorted(maps.Keys(totals)) {
			if err := p.count(ctx, company, totals[company]); err != nil {
				return err
			}
		}
	}
	return nil
}

// ConsentsOf returns every consent there has been to see a profile.
func (p Profiles) ConsentsOf(ctx context.Context, profile uuid.UUID) ([]directory.ProfileConsent, error) {
	return p.consentsBetween(ctx, profile, profile)
}

// consentsBetween returns the consents of the profiles from one to another, in
// their order.
func (p Profiles) consentsBetween(ctx context.Context, first, last uuid.UUID) ([]directory.ProfileConsent, error) {
	var all []directory.ProfileConsent
	err := p.DB.each(ctx, `
		select user_id, provider_id, cp_user_id, given_by, given_at, expires_at, ended_at from marketplace_consents
		where user_id >= $1 and user_id <= $2 order by user_id, provider_id`, []any{first, last}, func(scan func(...any) error) error {
		var c directory.ProfileConsent
		var giver uuid.NullUUID
		err := scan(&c.ProfileID, &c.ProviderID, &c.Pseudonym, &giver, timeInto(&c.GivenAt), timeInto(&c.ExpiresAt), timeInto(&c.EndedAt))
		c.GivenBy = giver.UUID
		all = append(all, c)
		return err
	})
	return all, err
}

// ExportProfiles returns at most limit profiles whose ids come after one, in their
// order. What is encrypted is opened only when it is asked for.
func (p Profiles) ExportProfiles(ctx context.Context, after uuid.UUID, limit int, secrets bool) ([]directory.ExportedProfile, error) {
	rows, err := p.rows(ctx, false, `select `+profileColumns+` from marketplace_users u where u.id > $1 order by u.id limit $2`, after, limit)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	all := make([]directory.ExportedProfile, len(rows))
	of := make(map[uuid.UUID]*directory.ExportedProfile, len(rows))
	for n, r := range rows {
		if !secrets {
			r.secrets = sealedSecrets{}
		}
		seen, err := p.open(ctx, r)
		if err != nil {
			return nil, err
		}
		all[n].Profile = seen.Profile
		of[seen.ID] = &all[n]
	}
	consents, err := p.consentsBetween(ctx, all[0].ID, all[len(all)-1].ID)
	for _, c := range consents {
		if e, ok := of[c.ProfileID]; ok { // else made since the page was read
			e.Consents = append(e.Consents, c)
		}
	}
	return all, err
}
