package directory

import (
	"context"
	"fmt"
)

// CheckNewUser reports whether somebody may be created as n says, whoever has the
// address. The error is a [*FieldError].
func (r *Registry) CheckNewUser(n NewUser) error {
	_, err := r.newUser(n)
	return err
}

// RegisterUser writes the account of somebody who has registered and proved that
// the address is theirs: active, in no team. An account for the address that was
// never finished becomes theirs. The function also sets its password in the same
// transaction. Errors: [*FieldError], [*ConflictError] when the address has an
// account, [ErrUnavailable].
func (r *Registry) RegisterUser(ctx context.Context, n NewUser, also func(ctx context.Context, u *User) error) (*User, error) {
	n.ID, n.State = r.NewID(), Active
	if n.AuthType == "" {
		n.AuthType = defaultAuthType(n.MobileNumber)
	}
	users, err := r.Store.UsersByEmail(ctx, n.EmailAddress)
	if err != nil {
		return nil, fmt.Errorf("look up address: %w", err)
	}
	begun := unfinished(users)
	if begun == nil {
		return r.CreateUser(ctx, n, Actor{Kind: "user", ID: n.ID.String()}, also)
	}
	now, actor := r.Clock(), Actor{Kind: "user", ID: begun.ID.String()}
	change := UserChange{Name: &n.Name, MobileNumber: &n.MobileNumber, AuthType: &n.AuthType, EmailAccessValidatedAt: &now}
	_, err = r.UpdateUser(ctx, begun.ID, change, actor, func(ctx context.Context, u *User) error {
		if u.State != Pending {
			return &ConflictError{Field: "email_address"} // finished meanwhile
		}
		return also(ctx, u)
	})
	if err != nil {
		return nil, err
	}
	return r.ActivateUser(ctx, begun.ID, actor)
}

// Registrable reports whether an address is free for somebody to register with,
// as [Registry.RegisterUser] sees it, and returns whose it is when it is not.
func (r *Registry) Registrable(ctx context.Context, email string) (*User, error) {
	users, err := r.Store.UsersByEmail(ctx, email)
	if err != nil {
		return nil, fmt.Errorf("look up address: %w", err)
	}
	if len(users) == 0 || unfinished(users) != nil {
		return nil, nil
	}
	return users[0], nil
}
