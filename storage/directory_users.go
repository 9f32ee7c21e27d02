package storage

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"gatehouse/directory"
)

// change runs a statement that must change a row.
func (d Directory) change(ctx context.Context, query string, args ...any) error {
	n, err := d.DB.exec(ctx, query, args...)
	if err == nil && n == 0 {
		return directory.ErrNotFound
	}
	return err
}

// LockUser implements directory.Store. Writing the row, if only what it holds, is
// a lock on both engines.
func (d Directory) LockUser(ctx context.Context, id uuid.UUID) error {
	return d.change(ctx, `update users set state = state where id = $1`, id)
}

// likeEscapes makes a text stand for itself in a pattern with ! as its escape.
var likeEscapes = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// A search answers at most a thousand users, whatever the directory holds.
const (
	// The inner limit keeps the planner from walking the order of the addresses,
	// which is long when fewer match than it expects. Of more than ten thousand
	// that match, any are ordered.
	findUsers = `
		select ` + userColumns + ` from (select * from users f where f.email_normalised like $1 escape '!' limit 10000) u
		order by u.email_normalised, u.id limit 1000`
	// A shorter text than a trigram: lower keeps away from their index, all of
	// which would be read.
	findUsersByFragment = `
		select ` + userColumns + ` from users u where lower(u.email_normalised) like $1 escape '!'
		order by u.email_normalised, u.id limit 1000`
)

// FindUsers implements directory.Store.
func (d Directory) FindUsers(ctx context.Context, part string) ([]*directory.User, error) {
	part = strings.ToLower(norm.NFKC.String(part))
	pattern := "%" + likeEscapes.Replace(part) + "%"
	if utf8.RuneCountInString(part) < 3 {
		return d.users(ctx, findUsersByFragment, pattern)
	}
	return d.users(ctx, findUsers, pattern)
}

// SetCurrentSession implements directory.Store.
func (d Directory) SetCurrentSession(ctx context.Context, userID uuid.UUID, session uuid.NullUUID) error {
	return d.change(ctx, `update users set current_session_id = $2 where id = $1`, userID, session)
}

// RemoveMemberships implements directory.Store. Rights to folders go with them.
func (d Directory) RemoveMemberships(ctx context.Context, userID uuid.UUID) error {
	if _, err := d.DB.exec(ctx, `delete from service_members where user_id = $1`, userID); err != nil {
		return err
	}
	_, err := d.DB.exec(ctx, `delete from organisation_members where user_id = $1`, userID)
	return err
}

// SetOrganisationPermissions implements directory.Store.
func (d Directory) SetOrganisationPermissions(ctx context.Context, m directory.Membership) error {
	return d.change(ctx, `update organisation_members set permissions = $3 where organisation_id = $1 and user_id = $2`,
		m.Of, m.UserID, m.Permissions)
}

// OrganisationsOf implements directory.Store.
func (d Directory) OrganisationsOf(ctx context.Context, userID uuid.UUID) ([]directory.ListedOrganisation, error) {
	var all []directory.ListedOrganisation
	err := d.DB.each(ctx, `
		select o.id, o.name, o.active, o.organisation_type,
			(select count(*) from services s where s.organisation_id = o.id and s.active and not s.restricted)
		from organisation_members m join organisations o on o.id = m.organisation_id
		where m.user_id = $1 and o.active
		order by o.name, o.id`, []any{userID}, func(scan func(...any) error) error {
		var o directory.ListedOrganisation
		if err := scan(&o.ID, &o.Name, &o.Active, &o.Type, &o.CountOfLiveServices); err != nil {
			return err
		}
		all = append(all, o)
		return nil
	})
	return all, err
}

// ServicesOf implements directory.Store.
func (d Directory) ServicesOf(ctx context.Context, userID uuid.UUID) ([]directory.Service, error) {
	var all []directory.Service
	err := d.DB.each(ctx, `
		select s.id, s.name, s.active, s.restricted, s.organisation_id
		from service_members m join services s on s.id = m.service_id
		where m.user_id = $1 and s.active
		order by s.name, s.id`, []any{userID}, func(scan func(...any) error) error {
		var s directory.Service
		if err := scan(&s.ID, &s.Name, &s.Active, &s.Restricted, &s.OrganisationID); err != nil {
			return err
		}
		all = append(all, s)
		return nil
	})
	return all, err
}

// credentialColumns are scanned by credentialFields, in this order.
const credentialColumns = `id, user_id, name, credential_data, registration_response, created_at, updated_at, logged_in_at`

func credentialFields(c *directory.WebAuthnCredential) []any {
	return []any{
		&c.ID, &c.UserID, &c.Name, &c.Data, &c.RegistrationResponse,
		timeInto(&c.CreatedAt), timeInto(&c.UpdatedAt), timeInto(&c.LoggedInAt),
	}
}

// CreateCredential implements directory.Store.
func (d Directory) CreateCredential(ctx context.Context, c *directory.WebAuthnCredential) error {
	_, err := d.DB.exec(ctx, `
		insert into webauthn_credentials (id, user_id, name, credential_data, registration_response, created_at)
		values ($1, $2, $3, $4, $5, $6)`, c.ID, c.UserID, c.Name, c.Data, c.RegistrationResponse, c.CreatedAt)
	return err
}

// Credential implements directory.Store.
func (d Directory) Credential(ctx context.Context, userID, id uuid.UUID) (*directory.WebAuthnCredential, error) {
	var c directory.WebAuthnCredential
	err := d.DB.row(ctx, `select `+credentialColumns+` from webauthn_credentials where user_id = $1 and id = $2`,
		[]any{userID, id}, credentialFields(&c)...)
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// Credentials implements directory.Store.
func (d Directory) Credentials(ctx context.Context, userID uuid.UUID) ([]*directory.WebAuthnCredential, error) {
	var all []*directory.WebAuthnCredential
	err := d.DB.each(ctx, `select `+credentialColumns+` from webauthn_credentials where user_id = $1 order by created_at, id`,
		[]any{userID}, func(scan func(...any) error) error {
			var c directory.WebAuthnCredential
			all = append(all, &c)
			return scan(credentialFields(&c)...)
		})
	return all, err
}

// RenameCredential implements directory.Store.
func (d Directory) RenameCredential(ctx context.Context, userID, id uuid.UUID, name string, at time.Time) error {
	return d.change(ctx, `update webauthn_credentials set name = $3, updated_at = $4 where user_id = $1 and id = $2`, userID, id, name, at)
}

// UseCredential implements directory.Store.
func (d Directory) UseCredential(ctx context.Context, userID, id uuid.UUID, at time.Time) error {
	return d.change(ctx, `
		update webauthn_credentials set logged_in_at = $3, updated_at = $3 where user_id = $1 and id = $2`, userID, id, at)
}

// DeleteCredential implements directory.Store.
func (d Directory) DeleteCredential(ctx context.Context, userID, id uuid.UUID) error {
	return d.change(ctx, `delete from webauthn_credentials where user_id = $1 and id = $2`, userID, id)
}
