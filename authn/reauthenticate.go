package authn

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// ProvePassword tries the password of a user who is signed in already and
// changes something that must not change without it. It is an attempt like any
// other: the same limits, the same count of failures, a trace. It signs nobody
// in. A wrong password is [ErrRefused].
func (s *Service) ProvePassword(ctx context.Context, userID uuid.UUID, password string, from netip.Addr) error {
	t := &trial{
		Attempt: Attempt{Front: Browser, Factor: Password, UserID: userID, Secret: password, Network: from},
		service: s, at: s.Clock(), limiter: s.Cache,
	}
	outcome, err := t.provePassword(ctx)
	_, err = t.settle(ctx, outcome, err)
	return err
}

func (t *trial) provePassword(ctx context.Context) (*Outcome, error) {
	if err := t.throttle(ctx); err != nil {
		return nil, err
	}
	if len(t.Secret) > maxPasswordBytes {
		return nil, t.refuse("password", "too long to be one")
	}
	hash, err := t.credentials(ctx)
	if err != nil {
		return nil, err
	}
	if !t.reserved {
		return nil, t.refuseUncompared(ctx)
	}
	match, err := t.service.Hasher.Verify(ctx, hash, t.Secret)
	if err != nil {
		return nil, err
	}
	if !match {
		return nil, t.wrongPassword(ctx, hash)
	}
	return t.proved(ctx)
}

// proved forgives the failures of passwords, with the trace of it.
func (t *trial) proved(ctx context.Context) (*Outcome, error) {
	s := t.service
	t.step("password", "of who is signed in", "pass")
	err := s.Directory.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.PasswordProved(ctx, t.user.ID); err != nil {
			return err
		}
		return t.record(ctx, authenticated)
	})
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return nil, t.refuse("password", "the user has changed meanwhile")
	case err != nil:
		return nil, fmt.Errorf("prove password: %w", err)
	}
	t.reserved = false
	return &Outcome{User: t.user, At: t.at}, nil
}

// ChangePassword is [Service.StorePassword] for somebody who is signed in and
// has proved the old password: every session ends, that one too, and a new one
// takes its place in this browser alone. The token is the new session's.
func (s *Service) ChangePassword(ctx context.Context, session *Session, p PreparedPassword, info SessionInfo) (token string, err error) {
	err = s.Directory.InTx(ctx, func(ctx context.Context) error {
		user, err := s.Directory.User(ctx, session.UserID)
		if err != nil {
			return fmt.Errorf("find user: %w", err)
		}
		actor := directory.Actor{Kind: "user", ID: user.ID.String()}
		if err := s.storePassword(ctx, user.ID, p, actor, session.ID); err != nil {
			return err
		}
		again := &Outcome{User: user, AMR: session.AMR, ACR: session.ACR, At: s.Clock(), Browser: session.BrowserID.UUID}
		token, _, err = s.StartSession(ctx, again, info)
		return err
	})
	return token, err
}
