package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// pairwise registers a first-party client that gets pairwise subjects.
func (g *rig) pairwise(id, sector string, uris ...string) {
	g.t.Helper()
	g.client(oauth.Client{
		ID: id, FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token"}, RedirectURIs: append(uris, callback),
		Metadata: oauth.Metadata{SubjectType: oauth.SubjectPairwise, SectorIdentifierURI: sector},
	})
}

func TestAPairwiseSubjectIsTheSameInASectorAndNowhereElse(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.clients.Fetch = publish("https://sector.example/uris.json", `["`+callback+`"]`)
		g.pairwise("one", "")
		g.pairwise("two", "")
		g.pairwise("far", "https://sector.example/uris.json")
		sub := func(client string) string {
			claims := claimsOf(t, g.tokens(client).text("id_token"))
			s, _ := claims["sub"].(string)
			return s
		}
		one, far := sub("one"), sub("far")
		if one != sub("one") || one != sub("two") {
			t.Error("the subject changes within the sector")
		}
		if one == far || one == g.alice.ID.String() || far == g.alice.ID.String() {
			t.Errorf("subjects %q and %q of user %s can be put together", one, far, g.alice.ID)
		}
		if got := sub("conf"); got != g.alice.ID.String() {
			t.Errorf("the public subject is %q", got)
		}
	})
}

// TestEveryTokenOfAPairwiseClientSaysTheSame also checks that the directory
// still knows who it is about.
func TestEveryTokenOfAPairwiseClientSaysTheSame(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.pairwise("pair", "")
		g.client(oauth.Client{
			ID: "opaque", FirstParty: true, TokenFormat: oauth.Opaque, GrantTypes: []string{"authorization_code", "refresh_token"},
			Metadata: oauth.Metadata{SubjectType: oauth.SubjectPairwise},
		})
		for _, client := range []string{"pair", "opaque"} {
			got := g.tokens(client)
			access, sub := got.text("access_token"), claimsOf(t, got.text("id_token"))["sub"]
			if client == "pair" {
				if claims := claimsOf(t, access); claims["sub"] != sub {
					t.Errorf("%s: access token %v, ID token %v", client, claims["sub"], sub)
				}
			}
			for name, said := range map[string]*answer{
				"userinfo":             g.bearer("/oauth/userinfo", access),
				"access introspected":  g.post("/oauth/introspect", client, with(url.Values{}, "token", access)),
				"refresh introspected": g.post("/oauth/introspect", client, with(url.Values{}, "token", got.text("refresh_token"))),
			} {
				if said.text("sub") != sub {
					t.Errorf("%s: %s says %s, ID token %v", client, name, said.body, sub)
				}
				if strings.Contains(said.body, g.alice.ID.String()) {
					t.Errorf("%s: %s gives the user's id away: %s", client, name, said.body)
				}
			}
			if got := g.bearer("/admin", access); got.status != http.StatusOK || got.text("Subject") != g.alice.ID.String() {
				t.Errorf("%s: the directory sees %s", client, got.body)
			}
			if fresh := g.refresh(client, got.text("refresh_token")); claimsOf(t, fresh.text("id_token"))["sub"] != sub {
				t.Errorf("%s: another subject after a refresh", client)
			}
		}
	})
}

func TestAPairwiseHintIsAboutItsUser(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.pairwise("pair", "")
		hint := g.tokens("pair").text("id_token")
		if got := g.signedIn().authorize(request("pair", "prompt", "none", "id_token_hint", hint)).redirect(); !got.Has("code") {
			t.Errorf("its user: %v", got)
		}
		bob := g.browser()
		bob.signIn(g.user("bob@example.com"), authn.ACRSingle)
		if got := bob.authorize(request("pair", "prompt", "none", "id_token_hint", hint)).redirect(); got.Get("error") != "login_required" {
			t.Errorf("another user: %v", got)
		}
	})
}

func TestParallelFirstVisitsGetOneSubject(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		g := newRig(t, s)
		grants := storage.OAuthGrants{DB: s.DB}
		var start, all sync.WaitGroup
		start.Add(1)
		found := make([]uuid.UUID, 64)
		for i := range found {
			all.Go(func() {
				start.Wait()
				var err error
				found[i], err = grants.PairwiseSubject(t.Context(), oauth.PairwiseSubject{
					Sector: "app.example.com", UserID: g.alice.ID, Subject: uuid.New(), CreatedAt: g.clock.Now(),
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		start.Done()
		all.Wait()
		for _, subject := range found {
			if subject != found[0] || subject == uuid.Nil {
				t.Fatalf("subjects %s and %s of one user in one sector", subject, found[0])
			}
		}
	})
}

func TestAPairwiseClientHasOneSector(t *testing.T) {
	cs := clientsOn(storagetest.Open(t), newMoving())
	cs.Fetch = publish("https://a.example/uris", `["https://a.example/cb","https://b.example/cb"]`)
	for name, c := range map[string]struct {
		subject, sector string
		uris            []string
		fault           string
	}{
		"one host":           {"pairwise", "", []string{"https://a.example/cb", "https://A.example/cb2"}, ""},
		"several, announced": {"pairwise", "https://a.example/uris", []string{"https://a.example/cb", "https://b.example/cb"}, ""},
		"several":            {"pairwise", "", []string{"https://a.example/cb", "https://b.example/cb"}, "sector_identifier_uri"},
		"no host":            {"pairwise", "", []string{"com.example.app:/cb"}, "sector_identifier_uri"},
		"an http sector":     {"pairwise", "http://a.example/uris", []string{"https://a.example/cb"}, "sector_identifier_uri"},
		"several and public": {"public", "", []string{"https://a.example/cb", "https://b.example/cb"}, ""},
		"another type":       {"secret", "", []string{"https://a.example/cb"}, "subject_type"},
	} {
		_, _, err := cs.Create(t.Context(), operator, oauth.Client{
			Name: "A service", GrantTypes: []string{"authorization_code"}, RedirectURIs: c.uris,
			Metadata: oauth.Metadata{SubjectType: c.subject, SectorIdentifierURI: c.sector},
		})
		if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault+": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
