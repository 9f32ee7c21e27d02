package oauth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/oauth"
)

func TestAResourceTellsWhatItTakes(t *testing.T) {
	for issuer, path := range map[string]string{
		"https://id.example.org":      "/.well-known/oauth-protected-resource",
		"https://id.example.org/auth": "/.well-known/oauth-protected-resource/auth",
	} {
		resource := oauth.NewProtectedResource(issuer, "Gatehouse", []string{"notify.admin"})
		if resource.Path() != path {
			t.Errorf("%s: found at %s, want %s", issuer, resource.Path(), path)
		}
		w := httptest.NewRecorder()
		if err := resource.Metadata(w, httptest.NewRequest(http.MethodGet, path, nil)); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Resource             string   `json:"resource"`
			AuthorizationServers []string `json:"authorization_servers"`
			Scopes               []string `json:"scopes_supported"`
			Methods              []string `json:"bearer_methods_supported"`
			Algs                 []string `json:"dpop_signing_alg_values_supported"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Resource != issuer || !slices.Equal(got.AuthorizationServers, []string{issuer}) || !slices.Equal(got.Methods, []string{"header"}) ||
			!slices.Equal(got.Scopes, []string{"notify.admin"}) || !slices.Equal(got.Algs, []string{"ES256", "PS256", "EdDSA"}) {
			t.Errorf("%s: %s", issuer, w.Body)
		}
		// A challenge leads to the document, wherever the issuer is.
		s := &oauth.Server{Issuer: issuer}
		err := s.Bearer(oauth.NeedScope("notify.admin"), nil)(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		if where := `resource_metadata="https://id.example.org` + path + `"`; !strings.Contains(challengeOfError(t, err), where) {
			t.Errorf("%s: the challenge is %s, want %s in it", issuer, challengeOfError(t, err), where)
		}
	}
}

// TestAnOldOrWeakSignInIsNotEnough: RFC 9470 for people, and for nobody else.
func TestAnOldOrWeakSignInIsNotEnough(t *testing.T) {
	clock := newMoving()
	need := (&oauth.Server{Clock: clock.Now}).NeedRecent(time.Hour)
	person := func(acr string, ago time.Duration) *directory.Caller {
		return &directory.Caller{ClientID: "app", Subject: "alice", ACR: acr, AuthTime: clock.Now().Add(-ago)}
	}
	for name, c := range map[string]struct {
		caller *directory.Caller
		enough bool
	}{
		"two factors now":               {person(authn.ACRMulti, 0), true},
		"two factors an hour ago":       {person(authn.ACRMulti, time.Hour), true},
		"two factors longer ago":        {person(authn.ACRMulti, time.Hour+time.Second), false},
		"one factor":                    {person(authn.ACRSingle, 0), false},
		"a level that nobody knows":     {person("", 0), false},
		"a client on its own":           {&directory.Caller{ClientID: "machine"}, true},
		"Notify's own, for some person": {&directory.Caller{ClientID: "notify-admin", Internal: true, OnBehalfOf: "alice"}, true},
	} {
		if err := need(c.caller); (err == nil) != c.enough {
			t.Errorf("%s: %v", name, err)
		}
	}
}
