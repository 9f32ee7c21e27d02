package oauth

import (
	"testing"

	"gatehouse/authn"
)

// TestAccessToTheMailServesOnlyWhoIsContentWithIt: a session that a mail began for
// one service is worth nothing to another.
func TestAccessToTheMailServesOnlyWhoIsContentWithIt(t *testing.T) {
	for _, c := range []struct {
		name    string
		allowed bool
		acr     string
		asked   []string
		want    bool
	}{
		{"content", true, authn.ACREmail, nil, true},
		{"not content", false, authn.ACREmail, nil, false},
		{"asks for it by name but is not content", false, authn.ACREmail, []string{authn.ACREmail}, false},
		{"asks for one factor", true, authn.ACREmail, []string{authn.ACRSingle}, false},
		{"asks for either", true, authn.ACREmail, []string{authn.ACRSingle, authn.ACREmail}, true},
		{"more than asked", true, authn.ACRMulti, []string{authn.ACREmail}, true},
		{"one factor of two", true, authn.ACRSingle, []string{authn.ACRMulti}, false},
		{"a level nobody knows", true, authn.ACRSingle, []string{"urn:example:gold"}, true},
	} {
		a := &authorization{client: &Client{Metadata: Metadata{EmailSignIn: c.allowed}}, acrValues: c.asked, maxAge: noMaxAge}
		session := &authn.Session{ACR: c.acr}
		if got := a.satisfiedBy(session, session.AuthTime); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
