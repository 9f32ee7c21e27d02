package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"gatehouse/oauth"
)

// relying takes logout tokens, as a service does.
type relying struct {
	*httptest.Server
	mu     sync.Mutex
	tokens []string
}

func newRelying(t *testing.T) *relying {
	t.Helper()
	s := &relying{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.tokens = append(s.tokens, r.PostFormValue("logout_token"))
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *relying) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.tokens...)
}

// sid verifies a token of a client and returns its sid.
func (s *server) sid(client, token string) string {
	s.t.Helper()
	keys := oidc.NewRemoteKeySet(s.t.Context(), s.url+"/oauth/jwks")
	verified, err := oidc.NewVerifier(s.issuer(), keys, &oidc.Config{ClientID: client, SupportedSigningAlgs: []string{oauth.RS256}}).Verify(s.t.Context(), token)
	if err != nil {
		s.t.Fatal(err)
	}
	var claims struct {
		SessionID string `json:"sid"`
	}
	if err := verified.Claims(&claims); err != nil {
		s.t.Fatal(err)
	}
	return claims.SessionID
}

func (s *server) issuer() string {
	s.t.Helper()
	var m struct{ Issuer string }
	do(s.t, http.DefaultClient, request(s.t, http.MethodGet, s.url+"/.well-known/openid-configuration", nil)).json(s.t, &m)
	return m.Issuer
}

// TestServicesLearnThatAPersonHasLeft signs a person in three times and out in
// three ways: by the service, by the page that asks, and by archiving.
func TestServicesLearnThatAPersonHasLeft(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		const farewell = "https://rp.example.com/bye"
		d.vars["GATEHOUSE_OUTBOUND_NETWORKS"] = "127.0.0.0/8"
		service := newRelying(t)
		rp := d.client("--id", "rp", "--name", "A relying service", "--grant", "authorization_code", "--grant", "refresh_token", "--scope", "openid",
			"--scope", "offline_access", "--redirect-uri", callback, "--first-party",
			"--post-logout-redirect-uri", farewell, "--backchannel-logout-uri", service.URL+"/logout")
		if rp.BackchannelLogoutURI != service.URL+"/logout" {
			t.Errorf("registered %q", rp.BackchannelLogoutURI)
		}
		machine := d.client("--id", "machine", "--grant", "client_credentials", "--scope", "notify.admin")
		person := d.person()
		s := d.start()
		leave := map[int]func(j *journey, idToken string){
			1: func(j *journey, idToken string) {
				j.get(s.url + "/oauth/end-session?" + url.Values{"id_token_hint": {idToken}, "post_logout_redirect_uri": {farewell}, "state": {"s"}}.Encode())
				if j.at != farewell+"?state=s" {
					t.Errorf("ended at %s: %d", j.at, j.last.status)
				}
			},
			2: func(j *journey, _ string) {
				if asked := j.get(s.url + "/oauth/end-session"); asked.status != http.StatusOK {
					t.Errorf("%d", asked.status)
				}
				if left := j.submit("/signout", url.Values{}); left.status != http.StatusOK || j.at != s.url+"/signed-out" {
					t.Errorf("ended at %s: %d", j.at, left.status)
				}
			},
			3: func(*journey, string) {
				if res := s.call(s.token(machine, "notify.admin"), http.MethodPost, "/user/"+person.ID.String()+"/archive", nil); res.status != http.StatusNoContent {
					t.Fatalf("archive: %d %s", res.status, res.body)
				}
			},
		}
		for n := 1; n <= 3; n++ {
			j := d.journey(s)
			j.authorize(rp, "openid offline_access")
			j.signIn(person, n)
			_, got := s.exchange(rp, j.code())
			leave[n](j, got.IDToken)
			known, told := s.sid("rp", got.IDToken), n
			if n == 3 {
				told = 5 // also of the two sessions whose access while away has ended
			}
			eventually(t, "the service is told", func() bool { return len(service.got()) >= told })
			if !slices.ContainsFunc(service.got()[n-1:], func(token string) bool { return s.sid("rp", token) == known }) {
				t.Errorf("%d: not told of %s", n, known)
			}
			status := s.call(got.AccessToken, http.MethodGet, "/oauth/userinfo", nil).status
			if n == 3 && status != http.StatusUnauthorized || n < 3 && status != http.StatusOK {
				t.Errorf("%d: userinfo with offline access %d", n, status)
			}
		}
		var deliveries []deliveryOutput
		eventually(t, "the deliveries are recorded", func() bool {
			d.command("", &deliveries, "client", "deliveries", "rp", "--json")
			for _, delivery := range deliveries {
				if delivery.State != "sent" || delivery.Attempts != 1 || delivery.Reason != "" {
					return false
				}
			}
			return len(deliveries) == 5
		})
	})
}
