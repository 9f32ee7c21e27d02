package storage

import (
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// PutTOTP implements authn.Store.
func (a Authn) PutTOTP(ctx context.Context, userID uuid.UUID, sealed []byte, at time.Time) error {
	return a.win(ctx, `
		insert into totp_secrets (user_id, sealed, last_step, created_at) values ($1, $2, 0, $3)
		on conflict (user_id) do update set sealed = excluded.sealed, created_at = excluded.created_at
		where totp_secrets.confirmed_at is null`, userID, sealed, at)
}

// win runs a statement whose condition only one of several may meet.
func (a Authn) win(ctx context.Context, query string, args ...any) error {
	n, err := a.DB.exec(ctx, query, args...)
	if err == nil && n == 0 {
		return directory.ErrConflict
	}
	return err
}

// TOTP implements authn.Store.
func (a Authn) TOTP(ctx context.Context, userID uuid.UUID) (*authn.TOTPSecret, error) {
	var t authn.TOTPSecret
	err := a.DB.row(ctx, `select sealed, last_step, confirmed_at, created_at from totp_secrets where user_id = $1`,
		[]any{userID}, &t.Sealed, &t.LastStep, timeInto(&t.ConfirmedAt), timeInto(&t.CreatedAt))
	if err != nil {
		return nil, err
	}
	return &t, nil
}

// ConfirmTOTP implements authn.Store.
func (a Authn) ConfirmTOTP(ctx context.Context, userID uuid.UUID, sealed []byte, step int64, at time.Time) error {
	return a.win(ctx, `
		update totp_secrets set last_step = $3, confirmed_at = $4
		where user_id = $1 and sealed = $2 and confirmed_at is null`, userID, sealed, step, at)
}

// UseTOTP implements authn.Store. The condition and the use are one statement.
func (a Authn) UseTOTP(ctx context.Context, userID uuid.UUID, sealed []byte, step int64) error {
	return a.win(ctx, `
		update totp_secrets set last_step = $3
		where user_id = $1 and sealed = $2 and last_step < $3 and confirmed_at is not null`, userID, sealed, step)
}

// DeleteTOTP implements authn.Store.
func (a Authn) DeleteTOTP(ctx context.Context, userID uuid.UUID) error {
	return a.change(ctx, `delete from totp_secrets where user_id = $1`, userID)
}

// ReplaceRecoveryCodes implements authn.Store. It takes hold of the user first, so
// that of two that run at once only the codes of one are left.
func (a Authn) ReplaceRecoveryCodes(ctx context.Context, userID uuid.UUID, hashes [][]byte, at time.Time) error {
	return a.DB.InTx(ctx, func(ctx context.Context) error {
		if err := a.change(ctx, `update users set failed_login_count = failed_login_count where id = $1`, userID); err != nil {
			return err
		}
		if _, err := a.DB.exec(ctx, `delete from recovery_codes where user_id = $1`, userID); err != nil {
			return err
		}
		for _, hash := range hashes {
			_, err := a.DB.exec(ctx, `insert into recovery_codes (hash, user_id, created_at) values ($1, $2, $3)`, hash, userID, at)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// UseRecoveryCode implements authn.Store. The condition and the use are one statement.
func (a Authn) UseRecoveryCode(ctx context.Context, userID uuid.UUID, hash []byte, at time.Time) error {
	return a.change(ctx, `
		update recovery_codes set used_at = $3 where user_id = $1 and hash = $2 and used_at is null`, userID, hash, at)
}
