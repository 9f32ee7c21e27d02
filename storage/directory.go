package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// Directory implements directory.Store.
type Directory struct{ DB *DB }

var _ directory.Store = Directory{}

// InTx implements directory.Store.
func (d Directory) InTx(ctx context.Context, f func(ctx context.Context) error) error {
	return d.DB.InTx(ctx, f)
}

// AppendEvent implements directory.Store.
func (d Directory) AppendEvent(ctx context.Context, e directory.Event) error {
	values, err := eventValues(e)
	if err != nil {
		return err
	}
	return d.DB.later(ctx, statement{query: insertEvent, args: values})
}

const insertEvent = `
	insert into events (id, event_type, actor_kind, actor_id, subject, data, created_at)
	values ($1, $2, $3, $4, $5, $6, $7)`

func eventValues(e directory.Event) ([]any, error) {
	data, err := json.Marshal(e.Data)
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	return []any{e.ID, e.Type, e.Actor.Kind, e.Actor.ID, e.Subject, string(data), e.At}, nil
}

// userColumns are scanned by scanUser, in this order.
const userColumns = `u.id, u.number, u.username, u.name, u.first_name, u.surname, u.email_address, u.mobile_number,
	u.auth_type, u.state, u.platform_admin, u.roles, u.failed_login_count, u.locked_at, u.current_session_id,
	u.logged_in_at, u.password_changed_at, u.email_access_validated_at, u.take_part_in_research,
	u.receives_new_features_email, u.language, u.recognised_at, u.created_at, u.updated_at`

// userFields are where the columns of userColumns go.
func userFields(u *directory.User) []any {
	return []any{
		&u.ID, numberInto(&u.Number), stringInto(&u.Username), &u.Name, &u.FirstName, &u.Surname,
		stringInto(&u.EmailAddress), stringInto(&u.MobileNumber), &u.AuthType, &u.State, &u.PlatformAdmin,
		listInto(&u.Roles), &u.FailedLoginCount, timeInto(&u.LockedAt), &u.CurrentSessionID, timeInto(&u.LoggedInAt),
		timeInto(&u.PasswordChangedAt), timeInto(&u.EmailAccessValidatedAt), &u.TakePartInResearch,
		&u.ReceivesNewFeaturesEmail, &u.Language, timeInto(&u.RecognisedAt), timeInto(&u.CreatedAt), timeInto(&u.UpdatedAt),
	}
}

// CreateUser implements directory.Store.
func (d Directory) CreateUser(ctx context.Context, u *directory.User) error {
	_, err := d.DB.exec(ctx, insertUser, userValues(u)...)
	return userConflict(err)
}

const insertUser = `
	insert into users (id, number, username, username_normalised, name, first_name, surname, email_address,
		email_normalised, mobile_number, mobile_e164, auth_type, state, platform_admin, roles, failed_login_count, locked_at,
		password_changed_at, email_access_validated_at, take_part_in_research, receives_new_features_email, language, created_at)
	values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)`

// userValues are the parameters of insertUser.
func userValues(u *directory.User) []any {
	return []any{
		u.ID, nullableNumber(u.Number), nullable(u.Username), normalisedUsername(u.Username), u.Name, u.FirstName, u.Surname,
		nullable(u.EmailAddress), normalisedEmail(u.EmailAddress), nullable(u.MobileNumber), e164(u.MobileNumber),
		string(u.AuthType), string(u.State), u.PlatformAdmin, u.Roles, u.FailedLoginCount, u.LockedAt, u.PasswordChangedAt,
		u.EmailAccessValidatedAt, u.TakePartInResearch, u.ReceivesNewFeaturesEmail, string(u.Language), u.CreatedAt,
	}
}

// UpdateUser implements directory.Store.
func (d Directory) UpdateUser(ctx context.Context, u *directory.User) error {
	n, err := d.DB.exec(ctx, `
		update users set number = $2, username = $3, username_normalised = $4, name = $5, first_name = $6, surname = $7,
			email_address = $8, email_normalised = $9, mobile_number = $10, mobile_e164 = $11, auth_type = $12,
			state = $13, platform_admin = $14, roles = $15, email_access_validated_at = $16,
			take_part_in_research = $17, receives_new_features_email = $18, updated_at = $19
		where id = $1`,
		u.ID, nullableNumber(u.Number), nullable(u.Username), normalisedUsername(u.Username), u.Name, u.FirstName, u.Surname,
		nullable(u.EmailAddress), normalisedEmail(u.EmailAddress), nullable(u.MobileNumber), e164(u.MobileNumber),
		string(u.AuthType), string(u.State), u.PlatformAdmin, u.Roles, u.EmailAccessValidatedAt,
		u.TakePartInResearch, u.ReceivesNewFeaturesEmail, u.UpdatedAt)
	if err == nil && n == 0 {
		return directory.ErrNotFound
	}
	return userConflict(err)
}

// userConflict names the address's field as it is called on the wire.
func userConflict(err error) error {
	var conflict *directory.ConflictError
	if errors.As(err, &conflict) && conflict.Field == "email" {
		return &directory.ConflictError{Field: "email_address"}
	}
	return err
}

func normalisedUsername(username string) any {
	if username == "" {
		return nil
	}
	return directory.NormaliseUsername(username)
}

func normalisedEmail(address string) any {
	if address == "" {
		return nil
	}
	return directory.NormaliseEmail(address)
}

// e164 is the number's international form; NULL when it has none.
func e164(mobile string) any {
	number, err := directory.ParseMobile(mobile)
	if mobile == "" || err != nil {
		return nil
	}
	return number
}

// User implements directory.Store.
func (d Directory) User(ctx context.Context, id uuid.UUID) (*directory.User, error) {
	return d.user(ctx, `select `+userColumns+` from users u where u.id = $1`, id)
}

// UserByUsername implements directory.Store.
func (d Directory) UserByUsername(ctx context.Context, username string) (*directory.User, error) {
	return d.user(ctx, `select `+userColumns+` from users u where u.username_normalised = $1`, directory.NormaliseUsername(username))
}

// UserByNumber implements directory.Store.
func (d Directory) UserByNumber(ctx context.Context, number int64) (*directory.User, error) {
	return d.user(ctx, `select `+userColumns+` from users u where u.number = $1`, number)
}

func (d Directory) user(ctx context.Context, query string, args ...any) (*directory.User, error) {
	var u directory.User
	if err := d.DB.row(ctx, query, args, userFields(&u)...); err != nil {
		return nil, err
	}
	return &u, nil
}

// maxSharing bounds how many users of one address or number are ever returned.
const maxSharing = 100

// UsersByEmail implements directory.Store.
func (d Directory) UsersByEmail(ctx context.Context, email string) ([]*directory.User, error) {
	return d.users(ctx, `
		select `+userColumns+` from users u where u.email_normalised = $1
		order by u.username_normalised is not null, u.created_at, u.id limit $2`, directory.NormaliseEmail(email), maxSharing)
}

// UsersByMobile implements directory.Store.
func (d Directory) UsersByMobile(ctx context.Context, e164 string) ([]*directory.User, error) {
	return d.users(ctx, `
		select `+userColumns+` from users u where u.mobile_e164 = $1
		order by u.username_normalised is not null, u.created_at, u.id limit $2`, e164, maxSharing)
}

func (d Directory) users(ctx context.Context, query string, args ...any) ([]*directory.User, error) {
	var all []*directory.User
	err := d.DB.each(ctx, query, args, func(scan func(...any) error) error {
		var u directory.User
		all = append(all, &u)
		return scan(userFields(&u)...)
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// NextUserNumber implements directory.Store.
func (d Directory) NextUserNumber(ctx context.Context) (int64, error) {
	var n int64
	err := d.DB.row(ctx, `update counters set value = value + 1 where name = 'user_number' returning value`, nil, &n)
	return n, err
}
