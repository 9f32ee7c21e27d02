package authn

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// Front is the door an attempt came through. The rules behind it are the same.
type Front string

// The fronts.
const (
	Browser Front = "browser" // hosted pages: password, then whatever the policy asks for
	Legacy  Front = "legacy"  // POST /authenticate: password alone, never a session
	Machine Front = "machine" // Notify's verify/password and verify/code, called by a trusted application
)

// Factor is one proof.
type Factor string

// Factors, named for the state machine; their RFC 8176 values are in [Factor.AMR].
const (
	Password  Factor = "password"
	SMSCode   Factor = "sms_code"
	EmailCode Factor = "email_code"
	// SecurityKey is asked for by accounts of type webauthn_auth, and of others
	// whose owners have added one.
	SecurityKey Factor = "security_key"
	// TOTP is a code of an authenticator app (RFC 6238).
	TOTP Factor = "totp"
	// Passkey replaces the password and the second factor: it verifies its user.
	Passkey Factor = "passkey"
	// RecoveryCode stands in for a factor that was lost.
	RecoveryCode Factor = "recovery_code"
	// MagicLink is a link that was sent by e-mail.
	MagicLink Factor = "magic_link"
)

// Refusals. They say nothing about which rule refused: that is in the trace.
var (
	// ErrRefused is the one answer to a wrong, unknown, locked or disabled
	// account and to a wrong, used or expired code.
	ErrRefused = errors.New("authentication refused")
	// ErrNoSignIn says that the sign-in under way is unknown or has expired.
	ErrNoSignIn = errors.New("no sign-in under way")
	// ErrNoSession says that a session is unknown, ended or expired.
	ErrNoSession = errors.New("no session")
	// ErrWeakPassword says that a new password breaks the policy; see [PasswordError].
	ErrWeakPassword = errors.New("password not acceptable")
)

// ThrottledError says that a limit other than the account's own was reached.
type ThrottledError struct {
	RetryAfter time.Duration
	// full is the bucket in which none was left; "" for a limit that is no bucket.
	full string
}

func (e *ThrottledError) Error() string { return "too many attempts" }

// PasswordError says why a new password is not acceptable, in a sentence for its owner.
type PasswordError struct{ Reason string }

func (e *PasswordError) Error() string { return e.Reason }

// Is makes errors.Is(err, ErrWeakPassword) true.
func (e *PasswordError) Is(target error) bool { return target == ErrWeakPassword }

// Attempt is one try at one factor.
type Attempt struct {
	Front Front
	// SignIn continues a sign-in that [Outcome.SignIn] began; "" begins one.
	SignIn string
	// Factor is what is tried: Password begins, the others continue.
	Factor Factor
	// Identifier is what was typed to begin: an e-mail address, a username or a
	// mobile number. UserID replaces it where a trusted caller knows the user.
	Identifier string
	UserID     uuid.UUID
	// Secret is the password, the code, or an authenticator's response as JSON.
	Secret string
	// Known is what the cookie [KnownCookie] holds, and UserAgent the header as sent;
	// of the hosted pages only.
	Known, UserAgent string
	// BrowserSecret is what [Service.BeginPasskey] was given; for passkeys only.
	BrowserSecret string
	// ACRValues are the levels the relying service asked for, strongest need first.
	ACRValues []string
	// Floor is the least level that the relying service accepts; "" for any.
	Floor string
	// Network is where the attempt came from; the zero Addr is unknown.
	Network netip.Addr
	// Caller is the client that presented the attempt, for limits and the trace.
	Caller string
	// AdmitPending begins a sign-in of a user who is not active yet. It completes
	// only if Also makes them active.
	AdmitPending bool
	// Begin, when not nil, says with what to start a session once the sign-in is
	// complete, in its transaction; nil starts none. See [Service.StartSession].
	Begin *SessionInfo
	// Also, when not nil, runs in the transaction that completes the sign-in,
	// which fails with it.
	Also func(ctx context.Context, u *directory.User) error
}

// Outcome is what an attempt that was not refused led to.
type Outcome struct {
	User *directory.User
	// Next is the factor still needed; "" when the user is authenticated.
	Next Factor
	// Choices are the factors that serve in the place of Next, itself among them.
	Choices []Factor
	// Revalidation says that Next is no factor of the sign-in but proof, due from
	// time to time, that the e-mail address is still the user's.
	Revalidation bool
	// SignIn identifies the sign-in under way while Next is not empty. It is a
	// secret of the browser that began it.
	SignIn string
	// Keys is how many passkeys and security keys the user has, while Next is not empty.
	Keys int
	// Hint tells where a code was sent, masked, such as "•••••••0123".
	Hint string
	// AMR are the authentication methods used (RFC 8176), ACR the level reached.
	AMR []string
	ACR string
	At  time.Time
	// Browser is the known browser that a complete sign-in was made in, uuid.Nil for
	// none, and Known what its cookie [KnownCookie] must hold from now on.
	Browser uuid.UUID
	Known   string
	// Session is the token of the session that was started, see Attempt.Begin.
	Session string
}

// Complete reports whether the user is authenticated.
func (o *Outcome) Complete() bool { return o.Next == "" }

// Session is a browser that is signed in.
type Session struct {
	// ID is public: it is the sid claim and names the session in lists. The
	// cookie's token is a different value, kept only as its SHA-256.
	ID        uuid.UUID
	UserID    uuid.UUID
	AMR       []string
	ACR       string
	AuthTime  time.Time // of the last full authentication
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time // absolute
	Network   string    // where it was started, for the owner to recognise
	UserAgent string
	// BrowserID is the known browser that it was started in, if there is one.
	BrowserID uuid.NullUUID
}

// Levels of authentication, the acr values issued and understood.
const (
	// ACREmail is below one factor: access to the mail, which is no authenticator
	// (NIST SP 800-63B-4, 3.1.3.1).
	ACREmail  = "urn:gatehouse:acr:email"
	ACRSingle = "urn:gatehouse:acr:single-factor"
	ACRMulti  = "urn:gatehouse:acr:multi-factor"
)

// Messages queues what is sent to people; it joins the transaction in ctx.
type Messages interface {
	Send(ctx context.Context, m Message) error
}

// Message is one message to one person, before it is worded.
type Message struct {
	Channel         string // "sms" or "email"
	To              string // an address or a number, as stored
	Template        string // the name of a template of package message
	Personalisation map[string]any
	ReplyTo         string
	// Language is what the message is worded in; "" is that of whoever's request
	// it is ([directory.LanguageFrom]), or else English.
	Language directory.Language
	// ExpiresAt is when the message is no longer worth sending, as when its
	// code is no longer accepted; zero is never.
	ExpiresAt time.Time
}

// Revoker ends what was issued on the strength of sessions, in the transaction
// in ctx, and sees to it that the services that rely on them are told. The
// sessions it is given were deleted in that transaction.
type Revoker interface {
	// EndSessions ends what was issued in sessions of a user, except what the
	// user has allowed a service to keep while away.
	EndSessions(ctx context.Context, userID uuid.UUID, sessions []uuid.UUID) error
	// EndUser ends all that was issued to a user, in these sessions or whenever.
	EndUser(ctx context.Context, userID uuid.UUID, sessions []uuid.UUID) error
	// ForgetConsents takes back what a user has allowed services, for good.
	ForgetConsents(ctx context.Context, userID uuid.UUID) error
	// MoveSession lets one session of a user take the place of another.
	MoveSession(ctx context.Context, from, to uuid.UUID) error
}

// Step is one decision of an attempt's trace: which rule looked at what and
// said what. It never holds a secret, an address or a number.
type Step struct {
	Rule    string `json:"rule"`            // "limit.network", "lock", "password", "policy", …
	Input   string `json:"input,omitempty"` // what it looked at, in words or counts
	Verdict string `json:"verdict"`         // "pass", "refuse", "need sms_code", …
}

// Trace is the record of one attempt, kept for `gatehouse explain`.
type Trace struct {
	ID        uuid.UUID
	At        time.Time
	RequestID string
	Front     Front
	Factor    Factor
	Caller    string
	UserID    uuid.NullUUID // unset when the identifier matched nobody
	Verdict   string        // "authenticated", "more", "refused", "throttled", "unavailable"
	Steps     []Step
}
