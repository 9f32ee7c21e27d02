package directory

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// MaxFailedLogins is the number of consecutive failures, at any door, that
// locks an account (seed 002).
const MaxFailedLogins = 10

// State is where a user is in their life here.
type State string

// States of a user. Only an active user can sign in on the hosted pages.
const (
	Pending  State = "pending"  // created, not yet activated
	Active   State = "active"   // may sign in
	Inactive State = "inactive" // archived
)

// AuthType is the second factor an account uses (seed 002).
type AuthType string

// Authentication types.
const (
	SMSAuth      AuthType = "sms_auth"
	EmailAuth    AuthType = "email_auth"
	WebAuthnAuth AuthType = "webauthn_auth"
)

// User is somebody who can sign in. The password is not here: package authn
// keeps it.
type User struct {
	ID uuid.UUID
	// Number is the 64-bit identifier of the Delius API; 0 when the user has none.
	Number int64
	// Username is the optional unique name of the Delius API as stored; "" when
	// the user has none. It is matched without regard to case and is never
	// shaped like a UUID.
	Username string
	// Name is the full name; FirstName and Surname are what the Delius API
	// shows, derived from Name when they were not given.
	Name      string
	FirstName string
	Surname   string
	// EmailAddress as given; "" when none. Two users without a Username never
	// share an address (compared by [NormaliseEmail]); Delius users may.
	EmailAddress string
	// MobileNumber as given; "" when none.
	MobileNumber string
	AuthType     AuthType
	State        State
	// PlatformAdmin may administer everything.
	PlatformAdmin bool
	// Roles are the Delius role names, such as "ABC001".
	Roles []string

	// FailedLoginCount counts consecutive failures at every door; at
	// MaxFailedLogins the account is locked.
	FailedLoginCount int
	// LockedAt is when the tenth failure happened; zero when not locked.
	LockedAt time.Time
	// CurrentSessionID is Notify's single session; uuid.Nil when none, see
	// SignedOut for the archived user's all-zero value.
	CurrentSessionID uuid.NullUUID
	LoggedInAt       time.Time // zero when never
	PasswordChangedAt,
	EmailAccessValidatedAt time.Time
	// RecognisedAt is when a browser became known as the user's for the first time;
	// zero when none ever was.
	RecognisedAt time.Time

	TakePartInResearch       bool
	ReceivesNewFeaturesEmail bool
	// Language is what the user was last spoken to in; "" when that is not known.
	Language Language

	CreatedAt time.Time
	UpdatedAt time.Time // zero when never changed
}

// Locked reports whether ten failures have locked the account.
func (u *User) Locked() bool { return u.FailedLoginCount >= MaxFailedLogins }

// Enabled reports whether the account may be used at all: not archived, whatever its lock.
func (u *User) Enabled() bool { return u.State != Inactive }

// Archived reports whether the account was archived here, which is more than not
// being enabled: what was theirs is gone.
func (u *User) Archived() bool {
	return !u.Enabled() && strings.HasPrefix(u.EmailAddress, archivedPrefix)
}

// NewUser is what a caller may choose about a user it creates.
type NewUser struct {
	ID                     uuid.UUID // uuid.Nil: generated
	Number                 int64     // 0 with a Username: generated
	Username               string
	Name                   string
	FirstName              string
	Surname                string
	EmailAddress           string
	MobileNumber           string
	AuthType               AuthType // "": SMSAuth with a mobile number, else EmailAuth
	State                  State    // "": Pending
	PlatformAdmin          bool
	Roles                  []string
	TakeNoPartInResearch   bool
	NoNewFeaturesEmail     bool
	EmailAccessValidatedAt time.Time // zero: now
}

// SplitName derives the Delius pair from a full name: the last word is the surname.
func SplitName(name string) (first, surname string) {
	words := strings.Fields(name)
	if len(words) == 0 {
		return "", ""
	}
	last := len(words) - 1
	return strings.Join(words[:last], " "), words[last]
}
