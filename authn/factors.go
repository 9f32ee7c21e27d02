package authn

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// ErrLastFactor says that a factor is the last one that can follow the password.
var ErrLastFactor = errors.New("the last factor of the account")

// stillOpens takes a removal back that leaves the user nothing to follow the
// password with. It is asked after it, in its transaction, which holds the user:
// of two factors that are removed at once the second is seen to be the last.
// directory.ErrLastCredential is for the key of an account that signs in with
// keys, [ErrLastFactor] for what else there was.
func (s *Service) stillOpens(ctx context.Context, userID uuid.UUID) error {
	user, has, err := s.Store.Account(ctx, userID)
	switch {
	case err != nil:
		return fmt.Errorf("find factors: %w", err)
	case user.AuthType == directory.WebAuthnAuth && has.keys() == 0:
		return directory.ErrLastCredential
	case len(secondFactors(user, has, Want{})) == 0:
		return ErrLastFactor
	}
	return nil
}

// Recoverable reports whether recovery codes would open the user's account: they
// stand in for another second factor, and never for a security key that the
// account's type demands.
func (e Enrolment) Recoverable(u *directory.User) bool {
	e.RecoveryCodes = 1
	return slices.Contains(secondFactors(u, e, Want{}), RecoveryCode)
}

// Enrolled returns what a user can prove beside the password and codes that are sent.
func (s *Service) Enrolled(ctx context.Context, userID uuid.UUID) (Enrolment, error) {
	_, has, err := s.Store.Account(ctx, userID)
	if err != nil {
		return Enrolment{}, fmt.Errorf("find factors: %w", err)
	}
	return has, nil
}

// ResetFactors takes from a user everything that was enrolled, so that what the
// account's type asks for is enough again, and ends every session. It is for an
// operator who has made sure that it is the owner who asks.
func (s *Service) ResetFactors(ctx context.Context, userID uuid.UUID, actor directory.Actor) error {
	user, err := s.Directory.User(ctx, userID)
	if err != nil {
		return fmt.Errorf("find user: %w", err)
	}
	return s.changeFactors(ctx, user, uuid.Nil, "factors_reset", actor, func(ctx context.Context) error {
		if err := s.Store.DeletePasskeys(ctx, userID); err != nil {
			return err
		}
		return s.Store.DeleteFactors(ctx, userID)
	})
}

// changeFactors makes a change of what signing in rests on, in one transaction
// with its audit event, which is named like the message that tells the owner, and
// with the end of every session but the one it was made in.
func (s *Service) changeFactors(
	ctx context.Context, u *directory.User, session uuid.UUID, what string, actor directory.Actor, change func(ctx context.Context) error,
) error {
	err := s.Directory.InTx(ctx, func(ctx context.Context) error {
		if err := s.Directory.LockUser(ctx, u.ID); err != nil {
			return fmt.Errorf("lock user: %w", err)
		}
		if err := change(ctx); err != nil {
			return err
		}
		if err := s.event(ctx, what, actor, u.ID, nil); err != nil {
			return err
		}
		return s.factorsChanged(ctx, u, session, what, actor)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// factorsChanged is what follows from such a change, in its transaction: whoever
// was in already does not stay in, and the owner is told.
func (s *Service) factorsChanged(ctx context.Context, u *directory.User, session uuid.UUID, what string, actor directory.Actor) error {
	if err := s.EndSessions(ctx, u.ID, session, actor); err != nil {
		return err
	}
	return s.tell(ctx, u, what)
}

// owner is a user who acts on their own account.
func owner(u *directory.User) directory.Actor {
	return directory.Actor{Kind: "user", ID: u.ID.String()}
}

// possession tries a factor that nothing was sent for. The try is counted on the
// sign-in, whose last one ends it, before anything is compared.
func (t *trial) possession(ctx context.Context, in *signIn) (*Outcome, error) {
	s := t.service
	tries := s.bucket("signin", in.id, Limit{Burst: s.codeTries(), Per: s.signInTTL()})
	wait, err := s.Cache.Take(ctx, tries, t.at)
	switch {
	case err != nil:
		return nil, fmt.Errorf("count a try: %w", err)
	case wait > 0:
		// Nothing was compared, so that it was no failure.
		t.release(ctx)
		s.end(ctx, in)
		return nil, t.refuse(string(t.Factor), "no try is left")
	case t.Factor == TOTP:
		return t.totp(ctx, in)
	default:
		return t.recoveryCode(ctx, in)
	}
}
