package authn

import (
	"slices"
	"strings"
	"time"

	"gatehouse/directory"
)

// Want is what the relying service wants of a sign-in: the stricter counts.
type Want struct {
	// ACRValues are the levels that the request asked for, and Floor the least
	// that the service accepts whatever a request says; "" for any.
	ACRValues []string `json:"acr_values,omitempty"`
	Floor     string   `json:"floor,omitempty"`
}

func (w Want) multi() bool { return w.Floor == ACRMulti || slices.Contains(w.ACRValues, ACRMulti) }

func (a Attempt) want() Want { return Want{ACRValues: a.ACRValues, Floor: a.Floor} }

// Enrolment is what a user can prove beside the password and codes that are sent.
type Enrolment struct {
	TOTP bool // an authenticator app that was confirmed
	// Passkeys can sign in alone, SecurityKeys after a password only.
	Passkeys     int
	SecurityKeys int
	// RecoveryCodes are those not used yet.
	RecoveryCodes int
}

// strong reports whether the user has a factor of their own choice that no
// message is needed for.
func (e Enrolment) strong() bool { return e.TOTP || e.keys() > 0 }

func (e Enrolment) keys() int { return e.Passkeys + e.SecurityKeys }

// plan is what the policy wants of one attempt.
type plan struct {
	// next are the factors of which one must follow the password, the one to offer
	// first in front; none when the password is enough.
	next []Factor
	// refused says why the user cannot be authenticated at this front at all.
	refused string
}

// policy decides which factors a user needs at a front, given what the user has
// and what the relying service wants. It is pure: it looks at nothing else.
//
// A service that wants two factors gets them from whoever has them. Who has not
// is signed in with what there is, at the level that it reaches: whether that is
// enough the service's own front decides.
func policy(u *directory.User, e Enrolment, front Front, want Want) plan {
	if why := closed(u, front); why != "" {
		return plan{refused: why}
	}
	if front != Browser {
		return plan{}
	}
	choices := secondFactors(u, e, want)
	if len(choices) == 0 {
		return plan{refused: "nowhere to send a code"}
	}
	return plan{next: choices}
}

// closed says why a front is closed to a user whatever they prove; "" when it is not.
func closed(u *directory.User, front Front) string {
	switch {
	case !u.Enabled():
		return "archived"
	case front == Browser && u.State != directory.Active:
		return "not active"
	default:
		return ""
	}
}

// secondFactors are those that may follow a user's password, the strongest first.
//
// Codes sent by e-mail never make two factors (NIST SP 800-63B-4, 3.1.3.1): they
// serve while there is nothing better and nobody wants more. A recovery code
// stands in for another second factor and for nothing else.
func secondFactors(u *directory.User, e Enrolment, want Want) []Factor {
	if u.AuthType != directory.SMSAuth && u.AuthType != directory.EmailAuth {
		// Nothing weaker opens such an account (seed 002). Also for an
		// authentication type that this program does not know.
		return []Factor{SecurityKey}
	}
	var all []Factor
	add := func(f Factor, has bool) {
		if has {
			all = append(all, f)
		}
	}
	add(SecurityKey, e.keys() > 0)
	add(TOTP, e.TOTP)
	add(SMSCode, u.MobileNumber != "" && (u.AuthType == directory.SMSAuth || want.multi() && !e.strong()))
	add(RecoveryCode, e.RecoveryCodes > 0 && len(all) > 0)
	add(EmailCode, u.AuthType == directory.EmailAuth && u.EmailAddress != "" && len(all) == 0)
	return all
}

// anyOf names factors of which one is enough.
func anyOf(factors []Factor) string {
	names := make([]string, len(factors))
	for i, f := range factors {
		names[i] = string(f)
	}
	return strings.Join(names, " or ")
}

// admitted is how the policy sees a pending user who becomes active with the
// sign-in it decides about; otherwise it sees users as they are.
func admitted(u *directory.User, pending bool) *directory.User {
	if !pending || u.State != directory.Pending {
		return u
	}
	active := *u
	active.State = directory.Active
	return &active
}

// mustRevalidate reports whether a user who has proved the second factor must
// also prove that the e-mail address is still theirs, as they must when that was
// last proved this long ago or longer; every 0 is never (seed 002). It raises no
// level: whoever reads the mail has not thereby proved to be the user.
func mustRevalidate(u *directory.User, proved Factor, at time.Time, every time.Duration) bool {
	return every > 0 && proved != EmailCode && u.EmailAddress != "" && at.Sub(u.EmailAccessValidatedAt) >= every
}

// AMR returns the authentication methods (RFC 8176) of a password followed by
// factor f, of a password alone, or of a passkey.
func (f Factor) AMR() []string {
	switch f {
	case SMSCode:
		return []string{"pwd", "sms", "mfa"}
	case EmailCode:
		return []string{"pwd", "otp"}
	case TOTP, RecoveryCode:
		return []string{"pwd", "otp", "mfa"}
	case SecurityKey:
		return []string{"pwd", "hwk", "mfa"}
	case Passkey:
		return []string{"swk", "user", "mfa"}
	case MagicLink:
		return []string{"otp"}
	default:
		return []string{"pwd"}
	}
}

// LevelOf is the level of an authentication by these methods, which one of
// [Factor.AMR] or a key stated.
func LevelOf(amr []string) string {
	switch {
	case slices.Contains(amr, "mfa"):
		return ACRMulti
	case slices.Contains(amr, "pwd"):
		return ACRSingle
	default:
		return ACREmail
	}
}

// acr is the level that a password followed by factor f reaches, or a passkey. A
// list of recovery codes is something one has (NIST SP 800-63B-4, 3.1.2).
func (f Factor) acr() string {
	switch f {
	case SMSCode, SecurityKey, TOTP, RecoveryCode, Passkey:
		return ACRMulti
	case MagicLink:
		return ACREmail
	default:
		return ACRSingle
	}
}
