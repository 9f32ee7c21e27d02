package authn

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// SessionInfo is what a browser brings to a new session.
type SessionInfo struct {
	Network   netip.Addr // where from; the zero Addr is unknown
	UserAgent string     // as sent; kept in part
	// Replaces is the token of the session the browser had, which ends.
	Replaces string
}

// seenEvery is how often it is written down that a session is in use.
const seenEvery = time.Minute

// maxUserAgent bounds, in bytes, what is kept of a User-Agent header.
const maxUserAgent = 256

// StartSession signs a browser in after a complete authentication. The token is
// for its cookie and kept nowhere; it is always a new one, so that what somebody
// put into the browser before is worth nothing.
func (s *Service) StartSession(ctx context.Context, o *Outcome, info SessionInfo) (string, *Session, error) {
	if !o.Complete() {
		return "", nil, errors.New("start session: the authentication is not complete")
	}
	token, err := s.newToken()
	if err != nil {
		return "", nil, err
	}
	session, err := s.newSession(o, info)
	if err != nil {
		return "", nil, err
	}
	if err := s.begin(ctx, session, tokenHash(token), another(o.User, directory.LanguageFrom(ctx)), info.Replaces); err != nil {
		return "", nil, fmt.Errorf("start session: %w", err)
	}
	return token, session, nil
}

// begin stores a session, in one transaction with the end of the one it replaces.
func (s *Service) begin(ctx context.Context, session *Session, hash []byte, l directory.Language, replaces string) error {
	if len(replaces) != tokenLength {
		return s.Store.CreateSession(ctx, session, hash, l)
	}
	return s.Directory.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.CreateSession(ctx, session, hash, l); err != nil {
			return err
		}
		return s.replace(ctx, replaces, session)
	})
}

// replace ends the session that a browser had. Where the same user has signed in
// again, the services it led to go on under the new one; for them nobody has left.
func (s *Service) replace(ctx context.Context, token string, by *Session) error {
	old, err := s.Store.DeleteSession(ctx, tokenHash(token))
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return nil
	case err != nil:
		return err
	case old.UserID == by.UserID && s.Revoker != nil:
		return s.Revoker.MoveSession(ctx, old.ID, by.ID)
	case old.UserID == by.UserID:
		return nil
	}
	return s.ended(ctx, old)
}

// ended writes down that a session was signed out of, and ends what it led to.
func (s *Service) ended(ctx context.Context, session *Session) error {
	actor := directory.Actor{Kind: "user", ID: session.UserID.String()}
	if err := s.event(ctx, "sign_out", actor, session.UserID, map[string]any{"session": session.ID}); err != nil || s.Revoker == nil {
		return err
	}
	return s.Revoker.EndSessions(ctx, session.UserID, []uuid.UUID{session.ID})
}

func (s *Service) newSession(o *Outcome, info SessionInfo) (*Session, error) {
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	now := s.Clock()
	session := &Session{
		BrowserID: uuid.NullUUID{UUID: o.Browser, Valid: o.Browser != uuid.Nil},
		ID:        id, UserID: o.User.ID, AMR: o.AMR, ACR: o.ACR, AuthTime: o.At,
		CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(s.lifetime()), UserAgent: printable(info.UserAgent),
	}
	if info.Network.IsValid() {
		session.Network = info.Network.Unmap().String()
	}
	return session, nil
}

// printable keeps of a header what both databases store.
func printable(header string) string {
	header = strings.ToValidUTF8(strings.ReplaceAll(header, "\x00", ""), "")
	if len(header) > maxUserAgent {
		header = strings.ToValidUTF8(header[:maxUserAgent], "")
	}
	return header
}

// Session returns the session of a token and its user, from one query.
// [ErrNoSession] says that there is none, that it was unused or alive for too
// long, or that the user was archived or locked or has another password since.
func (s *Service) Session(ctx context.Context, token string) (*Session, *directory.User, error) {
	return s.SessionBy(ctx, token, s.Store.Session)
}

// FindSession finds a session and its user as [Store.Session] does.
type FindSession func(ctx context.Context, tokenHash []byte, now, idleSince time.Time) (*Session, *directory.User, error)

// SessionBy is [Service.Session] for who learns more of the user from the same query.
func (s *Service) SessionBy(ctx context.Context, token string, find FindSession) (*Session, *directory.User, error) {
	if len(token) != tokenLength {
		return nil, nil, ErrNoSession
	}
	now := s.Clock()
	session, user, err := find(ctx, tokenHash(token), now, now.Add(-s.idle()))
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return nil, nil, ErrNoSession
	case err != nil:
		return nil, nil, fmt.Errorf("find session: %w", err)
	}
	if now.Sub(session.SeenAt) >= seenEvery {
		s.touch(ctx, session, now)
	}
	return session, user, nil
}

// touch notes that a session is in use. Reading goes on when writing cannot.
func (s *Service) touch(ctx context.Context, session *Session, now time.Time) {
	if err := s.Store.TouchSession(ctx, session.ID, now); err != nil {
		s.log().LogAttrs(ctx, slog.LevelWarn, "note that a session is in use", slog.String("error", err.Error()))
		return
	}
	session.SeenAt = now
}

// EndSession signs a browser out: what was issued in its session ends with it,
// and the services it led to are told. It does nothing for a token of no session.
func (s *Service) EndSession(ctx context.Context, token string) error {
	if len(token) != tokenLength {
		return nil
	}
	err := s.Directory.InTx(ctx, func(ctx context.Context) error {
		session, err := s.Store.DeleteSession(ctx, tokenHash(token))
		if err != nil {
			return err
		}
		return s.ended(ctx, session)
	})
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// EndSessions ends every session of a user but except, as [Service.EndSession]
// does, and forgets the browsers that are known but the one of that session;
// uuid.Nil spares none.
func (s *Service) EndSessions(ctx context.Context, userID, except uuid.UUID, actor directory.Actor) error {
	err := s.Directory.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.ForgetBrowsers(ctx, userID, except); err != nil {
			return err
		}
		ended, err := s.Store.DeleteSessions(ctx, userID, except)
		if err != nil || len(ended) == 0 {
			return err
		}
		if err := s.event(ctx, "end_sessions", actor, userID, map[string]any{"sessions": ended}); err != nil || s.Revoker == nil {
			return err
		}
		return s.Revoker.EndSessions(ctx, userID, ended)
	})
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// EndAccess ends every session of a user and all that was issued to them, also
// what they have allowed services to keep while away.
func (s *Service) EndAccess(ctx context.Context, userID uuid.UUID, actor directory.Actor) error {
	err := s.Directory.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.Directory.User(ctx, userID); err != nil {
			return err
		}
		if err := s.endAll(ctx, userID, uuid.Nil); err != nil {
			return err
		}
		return s.event(ctx, "end_user_access", actor, userID, nil)
	})
	if err != nil {
		return fmt.Errorf("end access: %w", err)
	}
	return nil
}

// Sessions lists where a user is signed in, the session used last first.
func (s *Service) Sessions(ctx context.Context, userID uuid.UUID) ([]*Session, error) {
	now := s.Clock()
	all, err := s.Store.Sessions(ctx, userID, now, now.Add(-s.idle()))
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return all, nil
}

func tokenHash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
