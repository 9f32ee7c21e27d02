package storage

import (
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// passkeyColumns are scanned by passkeyFields, in this order.
const passkeyColumns = `passkeys.id, passkeys.user_id, passkeys.credential_id, passkeys.credential, passkeys.sign_count, passkeys.name,
	passkeys.passwordless, passkeys.created_at, passkeys.used_at`

func passkeyFields(p *authn.Key) []any {
	return []any{
		&p.ID, &p.UserID, &p.CredentialID, &p.Credential, &p.SignCount, &p.Name,
		&p.Passwordless, timeInto(&p.CreatedAt), timeInto(&p.UsedAt),
	}
}

// CreatePasskey implements authn.Store.
func (a Authn) CreatePasskey(ctx context.Context, p *authn.Key) error {
	_, err := a.DB.exec(ctx, `
		insert into passkeys (id, user_id, credential_id, credential, sign_count, name, passwordless, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		p.ID, p.UserID, p.CredentialID, p.Credential, int64(p.SignCount), p.Name, p.Passwordless, p.CreatedAt)
	return err
}

// Passkeys implements authn.Store.
func (a Authn) Passkeys(ctx context.Context, userID uuid.UUID) ([]*authn.Key, error) {
	var all []*authn.Key
	err := a.DB.each(ctx, `select `+passkeyColumns+` from passkeys where user_id = $1 order by created_at, id`,
		[]any{userID}, func(scan func(...any) error) error {
			var p authn.Key
			all = append(all, &p)
			return scan(passkeyFields(&p)...)
		})
	return all, err
}

// PasskeyOf implements authn.Store.
func (a Authn) PasskeyOf(ctx context.Context, credentialID []byte) (*authn.Key, *directory.User, error) {
	var p authn.Key
	var u directory.User
	err := a.DB.row(ctx, `
		select `+passkeyColumns+`, `+userColumns+`
		from passkeys join users u on u.id = passkeys.user_id
		where passkeys.credential_id = $1`, []any{credentialID}, append(passkeyFields(&p), userFields(&u)...)...)
	if err != nil {
		return nil, nil, err
	}
	return &p, &u, nil
}

// UsePasskey implements authn.Store. Of two uses that were made from one counter
// the second changes nothing.
func (a Authn) UsePasskey(ctx context.Context, p *authn.Key, was uint32, at time.Time) error {
	return a.change(ctx, `
		update passkeys set credential = $3, sign_count = $4, used_at = $5 where id = $1 and sign_count = $2`,
		p.ID, int64(was), p.Credential, int64(p.SignCount), at)
}

// RenamePasskey implements authn.Store.
func (a Authn) RenamePasskey(ctx context.Context, userID, id uuid.UUID, name string) error {
	return a.change(ctx, `update passkeys set name = $3 where user_id = $1 and id = $2`, userID, id, name)
}

// DeletePasskey implements authn.Store.
func (a Authn) DeletePasskey(ctx context.Context, userID, id uuid.UUID) error {
	return a.change(ctx, `delete from passkeys where user_id = $1 and id = $2`, userID, id)
}

// DeletePasskeys implements authn.Store.
func (a Authn) DeletePasskeys(ctx context.Context, userID uuid.UUID) error {
	_, err := a.DB.exec(ctx, `delete from passkeys where user_id = $1`, userID)
	return err
}
