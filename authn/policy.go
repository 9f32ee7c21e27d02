package authn

import (
	"slices"
	"time"

	"gatehouse/directory"
)

// plan is what the policy wants of one attempt.
type plan struct {
	// next is the factor that the password must be followed by; "" when it is enough.
	next Factor
	// refused says why the user cannot be authenticated at this front at all.
	refused string
}

// policy decides which factors a user needs at a front, given the levels that
// the relying service asked for. It is pure: it looks at nothing else.
//
// Codes sent by e-mail never make two factors (NIST SP 800-63B-4, 3.1.3.1). A
// service that asks for two gets them from a user with a mobile number.
func policy(u *directory.User, front Front, acrValues []string) plan {
	switch {
	case !u.Enabled():
		return plan{refused: "archived"}
	case front != Browser:
		return plan{}
	case u.State != directory.Active:
		return plan{refused: "not active"}
	}
	switch u.AuthType {
	case directory.SMSAuth:
		return needing(SMSCode, u.MobileNumber)
	case directory.EmailAuth:
		if slices.Contains(acrValues, ACRMulti) && u.MobileNumber != "" {
			return plan{next: SMSCode}
		}
		return needing(EmailCode, u.EmailAddress)
	default:
		// Also for an authentication type that this program does not know.
		return plan{next: SecurityKey}
	}
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

// needing asks for a code, which needs somewhere to be sent to.
func needing(code Factor, to string) plan {
	if to == "" {
		return plan{refused: "nowhere to send a code"}
	}
	return plan{next: code}
}

// AMR returns the authentication methods (RFC 8176) of a password followed by
// factor f, or of a password alone.
func (f Factor) AMR() []string {
	switch f {
	case SMSCode:
		return []string{"pwd", "sms", "mfa"}
	case EmailCode:
		return []string{"pwd", "otp"}
	case SecurityKey:
		return []string{"pwd", "hwk", "mfa"}
	default:
		return []string{"pwd"}
	}
}

// acr is the level that a password followed by factor f reaches.
func (f Factor) acr() string {
	if f == SMSCode || f == SecurityKey {
		return ACRMulti
	}
	return ACRSingle
}
