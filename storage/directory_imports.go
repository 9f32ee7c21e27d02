package storage

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// Imports keeps what comes from other systems, and reads all there is for them.
type Imports struct{ Directory }

// StartImport returns how far the import of a file has come. One that was
// finished starts again.
func (i Imports) StartImport(ctx context.Context, source, digest string, at time.Time) (directory.ImportProgress, error) {
	p := directory.ImportProgress{Source: source, Digest: digest}
	err := i.InTx(ctx, func(ctx context.Context) error {
		if _, err := i.DB.exec(ctx, `
			insert into imports (source, digest, records, created, updated, unchanged, rejected, started_at, updated_at)
			values ($1, $2, 0, 0, 0, 0, 0, $3, $3) on conflict (source, digest) do nothing`, source, digest, at); err != nil {
			return err
		}
		if _, err := i.DB.exec(ctx, `
			update imports set records = 0, created = 0, updated = 0, unchanged = 0, rejected = 0, started_at = $3,
				updated_at = $3, finished_at = null
			where source = $1 and digest = $2 and finished_at is not null`, source, digest, at); err != nil {
			return err
		}
		return i.DB.row(ctx, `
			select records, created, updated, unchanged, rejected, updated_at from imports where source = $1 and digest = $2`,
			[]any{source, digest}, &p.Records, &p.Created, &p.Updated, &p.Unchanged, &p.Rejected, timeInto(&p.UpdatedAt))
	})
	return p, err
}

// AdvanceImport writes how far an import has come since it had dealt with from
// records; directory.ErrConflict when somebody else has taken it further.
func (i Imports) AdvanceImport(ctx context.Context, p directory.ImportProgress, from int64) error {
	n, err := i.DB.exec(ctx, `
		update imports set records = $4, created = $5, updated = $6, unchanged = $7, rejected = $8, updated_at = $9, finished_at = $10
		where source = $1 and digest = $2 and records = $3 and finished_at is null`,
		p.Source, p.Digest, from, p.Records, p.Created, p.Updated, p.Unchanged, p.Rejected, p.UpdatedAt, p.FinishedAt)
	if err == nil && n == 0 {
		return directory.ErrConflict
	}
	return err
}

// Recount lets PostgreSQL see how much it holds by now. What it has planned for
// tables that were empty reads them whole, and it would go on so for a minute of
// the fastest growth there is, until it looks by itself. SQLite needs no figures.
func (i Imports) Recount(ctx context.Context) error {
	if i.DB.Engine == SQLite {
		return nil
	}
	_, err := i.DB.exec(ctx, "analyze users, passwords, imported_records, marketplace_users, marketplace_consents")
	return err
}

// HoldImport makes others wait who would advance an import, which must be at
// from records: the row is locked by being changed, which both engines can do.
func (i Imports) HoldImport(ctx context.Context, p directory.ImportProgress, from int64) error {
	n, err := i.DB.exec(ctx, `update imports set records = records where source = $1 and digest = $2 and records = $3 and finished_at is null`,
		p.Source, p.Digest, from)
	if err == nil && n == 0 {
		return directory.ErrConflict
	}
	return err
}

// ImportedRecords returns which of these records of a source are here, by
// external id.
func (i Imports) ImportedRecords(ctx context.Context, source, kind string, externalIDs []string) (map[string]directory.Imported, error) {
	found := map[string]directory.Imported{}
	err := i.DB.each(ctx, `
		select external_id, subject_id, digest from imported_records
		where source = $1 and kind = $2 and external_id in (select key from json_each($3))`,
		[]any{source, kind, keys(externalIDs)}, func(scan func(...any) error) error {
			r := directory.Imported{Kind: kind}
			err := scan(&r.ExternalID, &r.ID, &r.Digest)
			found[r.ExternalID] = r
			return err
		})
	return found, err
}

// keys makes of values the names of an object: json_each is the one way to hand
// over a list that both engines have.
func keys(values []string) string {
	object := make(map[string]int, len(values))
	for _, value := range values {
		object[value] = 0
	}
	text, _ := json.Marshal(object) // strings and numbers always encode
	return string(text)
}

const insertImported = `
	insert into imported_records (source, kind, external_id, subject_id, digest, imported_at) values ($1, $2, $3, $4, $5, $6)`

// PutImported keeps where a record has gone.
func (i Imports) PutImported(ctx context.Context, source string, r directory.Imported, at time.Time) error {
	_, err := i.DB.exec(ctx, insertImported+`
		on conflict (source, kind, external_id) do update set digest = excluded.digest, imported_at = excluded.imported_at`,
		source, r.Kind, r.ExternalID, r.ID, r.Digest, at)
	return err
}

// UserClaims returns the users who have one of these values: usernames and
// addresses as they are normalised.
func (i Imports) UserClaims(ctx context.Context, usernames, addresses, numbers []string) ([]directory.UserClaim, error) {
	var all []directory.UserClaim
	err := i.DB.each(ctx, `
		select id, username_normalised, email_normalised, number from users
		where username_normalised in (select key from json_each($1))
		union select id, username_normalised, email_normalised, number from users
		where email_normalised in (select key from json_each($2))
		union select id, username_normalised, email_normalised, number from users
		where number in (select cast(key as bigint) from json_each($3))`,
		[]any{keys(usernames), keys(addresses), keys(numbers)}, func(scan func(...any) error) error {
			var c directory.UserClaim
			err := scan(&c.ID, stringInto(&c.Username), stringInto(&c.Email), numberInto(&c.Number))
			all = append(all, c)
			return err
		})
	return all, err
}

// OrganisationsByName returns the organisations of these names.
func (i Imports) OrganisationsByName(ctx context.Context, names []string) (map[string]uuid.UUID, error) {
	return i.named(ctx, `select name, id from organisations where name in (select key from json_each($1))`, names)
}

// ServicesByName returns the services of these names.
func (i Imports) ServicesByName(ctx context.Context, names []string) (map[string]uuid.UUID, error) {
	return i.named(ctx, `select name, id from services where name in (select key from json_each($1))`, names)
}

func (i Imports) named(ctx context.Context, query string, names []string) (map[string]uuid.UUID, error) {
	found := map[string]uuid.UUID{}
	err := i.DB.each(ctx, query, []any{keys(names)}, func(scan func(...any) error) error {
		var name string
		var id uuid.UUID
		err := scan(&name, &id)
		found[name] = id
		return err
	})
	return found, err
}

// ReserveUserNumbers reserves numbers of the Delius API and returns the first of
// them. Those up to above are left out for good: an import brings its own.
func (i Imports) ReserveUserNumbers(ctx context.Context, n int, above int64) (int64, error) {
	var last int64
	err := i.DB.row(ctx, `
		update counters set value = case when value < $2 then $2 else value end + $1 where name = 'user_number' returning value`,
		[]any{n, above}, &last)
	return last - int64(n) + 1, err
}

// InsertImportedUsers writes new users with all that is theirs.
func (i Imports) InsertImportedUsers(ctx context.Context, source string, users []directory.ImportedUser, at time.Time) error {
	var rows, passwords, services, organisations, imported, events [][]any
	for n := range users {
		u := &users[n]
		rows = append(rows, userValues(u.User))
		if u.PasswordHash != "" {
			passwords = append(passwords, []any{u.User.ID, u.PasswordHash, true, at})
		}
		services = append(services, memberValues(u.Services)...)
		organisations = append(organisations, memberValues(u.Organisations)...)
		imported = append(imported, []any{source, u.Kind, u.ExternalID, u.ID, u.Digest, at})
		event, err := eventValues(u.Event)
		if err != nil {
			return err
		}
		events = append(events, event)
	}
	// Users first: the others refer to them.
	for _, part := range []struct {
		insert string
		rows   [][]any
	}{
		{insertUser, rows}, {insertPassword, passwords}, {insertServiceMember, services},
		{insertOrganisationMember, organisations}, {insertImported, imported}, {insertEvent, events},
	} {
		if err := userConflict(i.DB.insertAll(ctx, part.insert, part.rows)); err != nil {
			return err
		}
	}
	return nil
}

func memberValues(all []directory.Membership) [][]any {
	rows := make([][]any, len(all))
	for n, m := range all {
		rows[n] = []any{m.Of, m.UserID, m.Permissions, m.CreatedAt}
	}
	return rows
}

// PutMembership makes a user a member of an organisation or service, or changes
// what a member may do.
func (i Imports) PutMembership(ctx context.Context, kind string, m directory.Membership) error {
	if kind == "service" {
		_, err := i.DB.exec(ctx, insertServiceMember+` on conflict (service_id, user_id) do update set permissions = excluded.permissions`,
			m.Of, m.UserID, m.Permissions, m.CreatedAt)
		return err
	}
	if kind != "organisation" {
		return errors.New("membership of what?")
	}
	_, err := i.DB.exec(ctx, insertOrganisationMember+` on conflict (organisation_id, user_id) do update set permissions = excluded.permissions`,
		m.Of, m.UserID, m.Permissions, m.CreatedAt)
	return err
}
