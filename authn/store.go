package authn

import (
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// Store keeps what must outlive a lost Redis: counters, passwords, sessions,
// used sign-ins and traces. Methods join the transaction in ctx. Where a row is
// missing or a condition is not met they return directory.ErrNotFound.
type Store interface {
	linkStore
	passkeyStore
	totpStore
	recoveryStore
	browserStore

	// Attempt counts a failure of a user before its proof is looked at, and returns
	// what there is to prove. It is directory.ErrNotFound for nobody, and
	// directory.ErrConflict, with nothing counted, for an address that is of several.
	// A failure is counted unless the user is locked or may not sign in; those of
	// codes are also counted apart.
	Attempt(ctx context.Context, t Tried) (*Attempted, error)
	// ReleaseFailure takes one reservation back, and the lock it may have made.
	ReleaseFailure(ctx context.Context, userID uuid.UUID, code bool) error
	// SignedIn marks a sign-in as used, see UseSignIn, sets the count to zero, notes
	// when an active user signed in, and, when emailProved, that the address is still
	// theirs. It is for a transaction, which ends with its error, if not before.
	SignedIn(ctx context.Context, userID uuid.UUID, signIn string, expires time.Time, emailProved bool, at time.Time) error
	// PasswordProved forgives the failures of passwords and keeps those of codes. In a
	// transaction its error may come at the end.
	PasswordProved(ctx context.Context, userID uuid.UUID) error
	// SignedInElsewhere sets the count to zero for a user who is not archived,
	// notes when they signed in and under which session of the trusted
	// application, and, when emailProved, that the address is still theirs.
	SignedInElsewhere(ctx context.Context, userID, session uuid.UUID, emailProved bool, at time.Time) error
	// Unlock sets the count to zero.
	Unlock(ctx context.Context, userID uuid.UUID) error
	// UseSignIn marks a sign-in as used until expires; the second time it is
	// directory.ErrConflict.
	UseSignIn(ctx context.Context, id string, expires time.Time) error

	// Account returns a user and what the user can prove, from one query.
	Account(ctx context.Context, userID uuid.UUID) (*directory.User, Enrolment, error)

	Password(ctx context.Context, userID uuid.UUID) (hash string, err error)
	// PutPassword stores a hash of ours and notes when it changed.
	PutPassword(ctx context.Context, userID uuid.UUID, hash string, at time.Time) error
	// PutImportedPassword stores a hash made elsewhere, unless there is one that was
	// made here.
	PutImportedPassword(ctx context.Context, userID uuid.UUID, hash string, at time.Time) error
	// AdoptPassword stores a hash of ours for an active user who has no password.
	AdoptPassword(ctx context.Context, userID uuid.UUID, hash string, at time.Time) error
	DeletePassword(ctx context.Context, userID uuid.UUID) error
	// ReplacePassword stores another hash of the same password, unless old is
	// no longer the stored one.
	ReplacePassword(ctx context.Context, userID uuid.UUID, old, hash string) error

	// SetLanguage notes what a user is spoken to in; directory.ErrNotFound for an
	// unknown user.
	SetLanguage(ctx context.Context, userID uuid.UUID, l directory.Language) error

	// CreateSession stores a session and notes what its user is spoken to in from
	// now on, both or nothing; "" leaves that as it is.
	CreateSession(ctx context.Context, s *Session, tokenHash []byte, l directory.Language) error
	// Session returns a session that was seen after idleSince and has not
	// expired, with its user, who is active, not locked, and has not changed
	// the password since.
	Session(ctx context.Context, tokenHash []byte, now, idleSince time.Time) (*Session, *directory.User, error)
	TouchSession(ctx context.Context, id uuid.UUID, at time.Time) error
	DeleteSession(ctx context.Context, tokenHash []byte) (*Session, error)
	// DeleteSessions ends every session of a user but one, and returns which it ended.
	DeleteSessions(ctx context.Context, userID, except uuid.UUID) ([]uuid.UUID, error)
	// Sessions lists a user's sessions, the one used last first.
	Sessions(ctx context.Context, userID uuid.UUID, now, idleSince time.Time) ([]*Session, error)

	RecordTrace(ctx context.Context, t *Trace) error

	// DeleteSessionOf deletes one session of a user.
	DeleteSessionOf(ctx context.Context, userID, id uuid.UUID) (*Session, error)
	// RefusedAttempts returns when attempts on a user were refused before a time,
	// zero for now, the latest first.
	RefusedAttempts(ctx context.Context, userID uuid.UUID, before time.Time, limit int) ([]time.Time, error)
	// DeleteFactors takes from a user every factor but the password and passkeys,
	// the browsers that are known, and links.
	DeleteFactors(ctx context.Context, userID uuid.UUID) error
}

// Tried is what a store is told of an attempt.
type Tried struct {
	Who
	Code    bool // and not the password
	Pending bool // users who are not active yet may sign in
	At      time.Time
	// Browser are the tokens that the browser shows, of which those last used at
	// UnusedSince or before count no more.
	Browser     BrowserTokens
	UnusedSince time.Time
}

// Who is whom an attempt is about, by one of these; nobody by none.
type Who struct {
	ID              uuid.UUID
	Username, Email string // as typed
}

// Attempted is what a store knows of a user who is tried, from one round trip.
type Attempted struct {
	User     *directory.User // as they were before
	Has      Enrolment
	Hash     string        // of the password; "" when there is none
	Failures int           // the count with this attempt; 0 when it was not counted
	Browser  *KnownBrowser // the one that a token is of; nil when none is known
}

// Cache keeps what may be lost with a sign-in. Methods return
// directory.ErrUnavailable when it does not answer.
type Cache interface {
	limiter
	// Tally counts one more under a key and returns the count, which is forgotten
	// when a time is over since the first.
	Tally(ctx context.Context, key string, within time.Duration) (int, error)
	PutSignIn(ctx context.Context, id string, state []byte, ttl time.Duration) error
	// SignIn returns directory.ErrNotFound for one that is unknown or has expired.
	SignIn(ctx context.Context, id string) ([]byte, error)
	DeleteSignIn(ctx context.Context, id string) error
	// PutCeremony keeps what an authenticator was asked.
	PutCeremony(ctx context.Context, id string, state []byte, ttl time.Duration) error
	// TakeCeremony returns it and forgets it in one step; directory.ErrNotFound
	// when it is unknown, was taken or has expired.
	TakeCeremony(ctx context.Context, id string) ([]byte, error)
	// AddCode makes a code acceptable, unless the user has most live codes
	// already or the code's sign-in has used up its tries.
	AddCode(ctx context.Context, c LiveCode, now time.Time, most, tries int) (added bool, err error)
	// TryCode counts a try at the codes of c's sign-in and compares, in one
	// step. A right code takes the sign-in's codes with it, and so does the
	// last try.
	TryCode(ctx context.Context, c LiveCode, now time.Time, tries int) (CodeVerdict, error)
	// AddUserCode makes a code without a sign-in acceptable, unless the user has
	// most live ones already. It is remembered for keep after it has expired.
	AddUserCode(ctx context.Context, c LiveCode, now time.Time, most int, keep time.Duration) (added bool, err error)
	// UseUserCode uses such a code up: CodeRight with its expiry, CodeGone when
	// it was used or has expired, CodeWrong when there was none like it.
	UseUserCode(ctx context.Context, c LiveCode, now time.Time) (CodeVerdict, time.Time, error)
}

// limiter holds buckets of tries.
type limiter interface {
	// Take takes one try; wait is how long to wait when there is none left.
	Take(ctx context.Context, b Bucket, now time.Time) (wait time.Duration, err error)
	// GiveBack returns one.
	GiveBack(ctx context.Context, b Bucket, now time.Time) error
}

// LiveCode is a code that was sent: what it is bound to and its MAC.
type LiveCode struct {
	UserID    uuid.UUID
	SignIn    string // the sign-in's id, a hash of its token
	MAC       string // over the code, its purpose, its user and its sign-in
	ExpiresAt time.Time
}

// CodeVerdict is the result of one try.
type CodeVerdict int

// The verdicts.
const (
	CodeGone  CodeVerdict = iota // no live code to compare with: expired, used, or never sent
	CodeWrong                    // and more tries are left
	CodeDead                     // wrong, and it was the last try
	CodeRight
)
