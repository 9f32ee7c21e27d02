package authn

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// AttemptRefused is the kind of an [Activity] that was a failure to sign in.
const AttemptRefused = "refused"

// Activity is something that happened to an account.
type Activity struct {
	At   time.Time
	Kind string // the type of an audit event, or [AttemptRefused]
	// ByOther reports that somebody who looks after accounts did it.
	ByOther bool
}

// Activity returns what happened to an account and how often somebody failed to
// sign in before a time, which is zero for now: the latest first, at most limit.
// more is the time to go on before, zero when there is nothing older.
func (s *Service) Activity(ctx context.Context, userID uuid.UUID, before time.Time, limit int) (page []Activity, more time.Time, err error) {
	all, err := s.activity(ctx, userID, before, limit+1)
	if err != nil || len(all) <= limit {
		return all, time.Time{}, err
	}
	// What happened at one moment is not parted, since the next page begins before it.
	cut := limit
	for cut > 0 && all[cut-1].At.Equal(all[cut].At) {
		cut--
	}
	if cut == 0 {
		cut = limit
	}
	return all[:cut], all[cut-1].At, nil
}

// activity merges the audit trail and the traces, up to limit of each.
func (s *Service) activity(ctx context.Context, userID uuid.UUID, before time.Time, limit int) ([]Activity, error) {
	events, err := s.Directory.Events(ctx, directory.EventQuery{Subject: userID.String(), To: before}, limit)
	if err != nil {
		return nil, fmt.Errorf("read audit trail: %w", err)
	}
	refusals, err := s.Store.RefusedAttempts(ctx, userID, before, limit)
	if err != nil {
		return nil, fmt.Errorf("read traces: %w", err)
	}
	all := make([]Activity, 0, len(events)+len(refusals))
	for _, e := range events {
		other := e.Actor.ID != userID.String() && e.Actor.Kind != "system"
		all = append(all, Activity{At: e.At, Kind: e.Type, ByOther: other})
	}
	for _, at := range refusals {
		all = append(all, Activity{At: at, Kind: AttemptRefused})
	}
	slices.SortStableFunc(all, func(a, b Activity) int { return b.At.Compare(a.At) })
	return all, nil
}

// CloseAccount takes from a user everything that signs in and tells them, in the
// transaction in ctx, which archives them.
func (s *Service) CloseAccount(ctx context.Context, u *directory.User) error {
	if err := s.Disable(ctx, u.ID); err != nil {
		return err
	}
	return s.tell(ctx, u, "account_closed")
}

// EndSessionOf ends one session of a user, and the browser it was in is not known
// any more; directory.ErrNotFound for one that is
// somebody else's, or nobody's.
func (s *Service) EndSessionOf(ctx context.Context, userID, id uuid.UUID) error {
	err := s.Directory.InTx(ctx, func(ctx context.Context) error {
		session, err := s.Store.DeleteSessionOf(ctx, userID, id)
		if err != nil {
			return err
		}
		if session.BrowserID.Valid {
			if err := s.Store.ForgetBrowser(ctx, session.BrowserID.UUID); err != nil {
				return err
			}
		}
		return s.ended(ctx, session)
	})
	if err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}
