package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// Participation is a client that a session has led to.
type Participation struct {
	ClientID string
	// SessionID and Subject are the sid and the sub the client knows the session
	// and its user by; uuid.Nil for a grant that no session belongs to.
	SessionID uuid.UUID
	Subject   string
}

// EndingStore deletes what was issued. Everything joins the transaction in ctx
// and returns directory.ErrUnavailable when the store cannot answer.
type EndingStore interface {
	InTx(ctx context.Context, f func(ctx context.Context) error) error
	AppendEvent(ctx context.Context, e directory.Event) error

	// EndSession ends the grants of a session, except those for offline access,
	// and returns whom the session has led to.
	EndSession(ctx context.Context, session uuid.UUID) ([]Participation, error)
	// EndUser ends every grant of a user and returns to whom they were given.
	EndUser(ctx context.Context, user uuid.UUID) ([]Participation, error)
	// EndConsent forgets what a user has allowed a client, ends the client's
	// grants and returns in which of the user's sessions it took part.
	EndConsent(ctx context.Context, user uuid.UUID, clientID string) ([]Participation, error)
	// EndConsents forgets what a user has allowed any client, and returns which
	// clients that was.
	EndConsents(ctx context.Context, user uuid.UUID) ([]string, error)
	// MoveSession makes one session have led to what another has.
	MoveSession(ctx context.Context, from, to uuid.UUID) error
	// LedTo reports whether a session is the one a client knows by a sid.
	LedTo(ctx context.Context, session uuid.UUID, clientID string, sid uuid.UUID) (bool, error)
}

// Notices queues what clients have to be told.
type Notices interface {
	// Notify queues a notice for a client in the transaction in ctx.
	Notify(ctx context.Context, clientID string, notice []byte, expires time.Time) error
}

// Shares are the profiles of the marketplace that people let others see.
type Shares interface {
	// UnshareAll ends every consent that a user gave; it joins the transaction in ctx.
	UnshareAll(ctx context.Context, user uuid.UUID) error
}

// ClientSource knows the clients.
type ClientSource interface {
	// Get returns a client, or directory.ErrNotFound.
	Get(ctx context.Context, id string) (*Client, error)
}

// Endings ends what was issued, everything at once in one transaction with its
// record, and tells the clients that want to be told (OpenID Connect
// Back-Channel Logout 1.0). It implements [authn.Revoker].
type Endings struct {
	Store   EndingStore
	Clients ClientSource
	Notices Notices
	Shares  Shares
	Clock   directory.Clock
	NewID   func() uuid.UUID
}

var _ authn.Revoker = (*Endings)(nil)

// noticeLife is how long it is tried to tell a client. A service that has been
// away for longer than our sessions last has none left of its own to end.
const noticeLife = 24 * time.Hour

// logoutNotice is what is kept of a logout until its token is made, which is
// when it is sent: a token that waited would have expired.
type logoutNotice struct {
	SessionID uuid.UUID `json:"sid,omitzero"`
	Subject   string    `json:"sub"`
}

// EndSessions implements [authn.Revoker].
func (e *Endings) EndSessions(ctx context.Context, user uuid.UUID, sessions []uuid.UUID) error {
	return e.Store.InTx(ctx, func(ctx context.Context) error {
		told, err := e.endSessions(ctx, sessions)
		if err != nil {
			return err
		}
		return e.tell(ctx, user, "session ended", told)
	})
}

// EndUser implements [authn.Revoker].
func (e *Endings) EndUser(ctx context.Context, user uuid.UUID, sessions []uuid.UUID) error {
	return e.Store.InTx(ctx, func(ctx context.Context) error {
		told, err := e.endSessions(ctx, sessions)
		if err != nil {
			return err
		}
		others, err := e.Store.EndUser(ctx, user)
		if err != nil {
			return fmt.Errorf("end grants of user: %w", err)
		}
		return e.tell(ctx, user, "all access of the user ended", append(told, others...))
	})
}

// ForgetConsents implements [authn.Revoker].
func (e *Endings) ForgetConsents(ctx context.Context, user uuid.UUID) error {
	return e.Store.InTx(ctx, func(ctx context.Context) error {
		clients, err := e.Store.EndConsents(ctx, user)
		if err != nil {
			return fmt.Errorf("forget consents: %w", err)
		}
		for _, client := range clients {
			if err := e.audit(ctx, "withdraw_consent", directory.Actor{Kind: "system"}, user, map[string]any{"client": client}); err != nil {
				return err
			}
		}
		return e.Shares.UnshareAll(ctx, user)
	})
}

// MoveSession implements [authn.Revoker].
func (e *Endings) MoveSession(ctx context.Context, from, to uuid.UUID) error {
	if err := e.Store.MoveSession(ctx, from, to); err != nil {
		return fmt.Errorf("move session: %w", err)
	}
	return nil
}

// endConsent withdraws what a user has allowed a client.
func (e *Endings) endConsent(ctx context.Context, user uuid.UUID, clientID string) error {
	return e.Store.InTx(ctx, func(ctx context.Context) error {
		told, err := e.Store.EndConsent(ctx, user, clientID)
		if err != nil {
			return fmt.Errorf("withdraw consent: %w", err)
		}
		actor := directory.Actor{Kind: "user", ID: user.String()}
		if err := e.audit(ctx, "withdraw_consent", actor, user, map[string]any{"client": clientID}); err != nil {
			return err
		}
		return e.tell(ctx, user, "consent withdrawn", told)
	})
}

func (e *Endings) endSessions(ctx context.Context, sessions []uuid.UUID) ([]Participation, error) {
	var all []Participation
	for _, id := range sessions {
		told, err := e.Store.EndSession(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("end what a session led to: %w", err)
		}
		all = append(all, told...)
	}
	return all, nil
}

// tell queues a notice for each session that a client knows, and writes down
// whose access has ended.
func (e *Endings) tell(ctx context.Context, user uuid.UUID, reason string, ended []Participation) error {
	type pair struct {
		client string
		sid    uuid.UUID
	}
	seen := map[pair]bool{}
	var clients []string
	for _, p := range ended {
		if known := (pair{p.ClientID, p.SessionID}); !seen[known] {
			seen[known] = true
			clients = append(clients, p.ClientID)
			if err := e.notify(ctx, p); err != nil {
				return err
			}
		}
	}
	if len(clients) == 0 {
		return nil
	}
	data := map[string]any{"reason": reason, "clients": unique(clients)}
	return e.audit(ctx, "end_access", directory.Actor{Kind: "system"}, user, data)
}

func (e *Endings) notify(ctx context.Context, p Participation) error {
	client, err := e.Clients.Get(ctx, p.ClientID)
	if errors.Is(err, directory.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find whom to tell: %w", err)
	}
	if client.BackchannelLogoutURI == "" {
		return nil
	}
	notice, err := json.Marshal(logoutNotice{SessionID: p.SessionID, Subject: p.Subject})
	if err != nil {
		return fmt.Errorf("encode notice: %w", err)
	}
	return e.Notices.Notify(ctx, p.ClientID, notice, e.Clock().Add(noticeLife))
}

func (e *Endings) audit(ctx context.Context, kind string, actor directory.Actor, user uuid.UUID, data map[string]any) error {
	return e.Store.AppendEvent(ctx, directory.Event{ID: e.NewID(), Type: kind, Actor: actor, Subject: user.String(), Data: data, At: e.Clock()})
}

// WithdrawConsent takes back what a user has allowed a client: the client's
// grants end with their tokens, it sees no profile of the user any more, and it
// is told as if the user had signed out.
func (s *Server) WithdrawConsent(ctx context.Context, user uuid.UUID, clientID string) error {
	return s.Store.InTx(ctx, func(ctx context.Context) error {
		if err := s.Profiles.Unshare(ctx, user, clientID); err != nil {
			return err
		}
		return s.Endings.endConsent(ctx, user, clientID)
	})
}
