package storage

import (
	"context"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// enrolmentColumns tell what the user u can prove; enrolmentFields scans them.
const enrolmentColumns = `
	(select count(*) from totp_secrets t where t.user_id = u.id and t.confirmed_at is not null),
	(select count(*) from passkeys k where k.user_id = u.id and k.passwordless),
	(select count(*) from passkeys k where k.user_id = u.id and not k.passwordless),
	(select count(*) from recovery_codes r where r.user_id = u.id and r.used_at is null)`

// enrolmentFields are where enrolmentColumns go; apps is how many authenticator
// apps there are, of which a user has one at most.
func enrolmentFields(e *authn.Enrolment, apps *int) []any {
	return []any{apps, &e.Passkeys, &e.SecurityKeys, &e.RecoveryCodes}
}

// Account implements authn.Store.
func (a Authn) Account(ctx context.Context, userID uuid.UUID) (*directory.User, authn.Enrolment, error) {
	var u directory.User
	var has authn.Enrolment
	var apps int
	err := a.DB.row(ctx, `select `+userColumns+`, `+enrolmentColumns+` from users u where u.id = $1`,
		[]any{userID}, append(userFields(&u), enrolmentFields(&has, &apps)...)...)
	if err != nil {
		return nil, authn.Enrolment{}, err
	}
	has.TOTP = apps > 0
	return &u, has, nil
}
