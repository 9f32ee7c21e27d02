package oauth_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

const profileScope = "openid " + oauth.ScopeMarketplaceProfile

// market is a rig with two partners, and a provider that is first-party and may
// ask for profiles.
type market struct{ *rig }

func eachMarket(t *testing.T, test func(t *testing.T, m market)) {
	each(t, func(t *testing.T, g *rig) { test(t, newMarket(g)) })
}

func newMarket(g *rig) market {
	for _, id := range []string{"acme", "bolt"} {
		g.client(oauth.Client{ID: id, Kind: oauth.KindPartner, GrantTypes: []string{oauth.GrantClientCredentials}, Scopes: []string{oauth.ScopePartner}})
	}
	g.client(oauth.Client{
		ID: "isp", Kind: oauth.KindProvider, FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token", oauth.GrantDeviceCode},
		Scopes: append(strings.Fields(allScopes), oauth.ScopeMarketplaceProfile, oauth.ScopeProvider),
	})
	return market{g}
}

var isp = directory.Company{ID: "isp", Kind: directory.Provider}

func company(id string) directory.Company { return directory.Company{ID: id, Kind: directory.Partner} }

// profile is one that a partner keeps of an address.
func (m market) profile(partner, email string) uuid.UUID {
	m.t.Helper()
	p, err := m.market.Create(m.t.Context(), company(partner), directory.Profile{ProfileData: directory.ProfileData{
		ProfileDetails: directory.ProfileDetails{FirstName: "Alice", Surname: "Example"}, Email: email, Meta: []byte("{}"),
	}})
	if err != nil {
		m.t.Fatal(err)
	}
	return p.ID
}

// recorded is the cp_user_id of a consent that a partner recorded.
func (m market) recorded(partner string, profile uuid.UUID) string {
	m.t.Helper()
	c, err := m.market.GiveConsent(m.t.Context(), company(partner), profile, "isp", time.Time{})
	if err != nil {
		m.t.Fatal(err)
	}
	return c.Pseudonym.String()
}

// seen is what the provider sees under an id.
func (m market) seen(id string) (*directory.SeenProfile, error) {
	m.t.Helper()
	return m.market.Profile(m.t.Context(), isp, uuid.MustParse(id))
}

// asked is the flow of a request for a profile, which nothing answers unasked.
func (b *browser) asked() (flow, page string) {
	b.g.t.Helper()
	flow = b.authorize(request("isp", "scope", profileScope)).flow("/consent")
	return flow, b.get("/consent?flow=" + flow).body
}

func (b *browser) decide(flow, decision string, profile uuid.UUID) *answer {
	b.g.t.Helper()
	return b.do(http.MethodPost, "/consent", url.Values{"flow": {flow}, "consent": {decision}, "profile": {profile.String()}})
}

// share allows the provider to see a profile and returns the answer with the tokens.
func (b *browser) share(profile uuid.UUID) *answer {
	b.g.t.Helper()
	flow, _ := b.asked()
	code := b.decide(flow, "accept", profile).redirect().Get("code")
	return b.g.exchange("isp", code)
}

// subOf is the sub of an ID token, and of everything else that says it.
func (g *rig) subOf(tokens *answer) string {
	g.t.Helper()
	sub, _ := claimsOf(g.t, tokens.text("id_token"))["sub"].(string)
	for name, said := range map[string]*answer{
		"userinfo":     g.bearer("/oauth/userinfo", tokens.text("access_token")),
		"introspected": g.post("/oauth/introspect", "isp", with(url.Values{}, "token", tokens.text("access_token"))),
	} {
		if said.text("sub") != sub {
			g.t.Errorf("%s says %s, the ID token %s", name, said.body, sub)
		}
	}
	return sub
}

// TestProfileIsSharedByItsPerson is asked each time, of a first-party client too.
func TestProfileIsSharedByItsPerson(t *testing.T) {
	eachMarket(t, func(t *testing.T, m market) {
		own := m.profile("acme", "Alice@Example.com")
		b := m.signedIn()
		flow, page := b.asked()
		if strings.Count(page, `type="radio"`) != 1 || !strings.Contains(page, `value="`+own.String()+`" checked`) || !strings.Contains(page, "The service acme") {
			t.Errorf("the page does not offer the profile: %s", page)
		}
		sub := m.subOf(m.exchange("isp", b.decide(flow, "accept", own).redirect().Get("code")))
		p, err := m.seen(sub)
		if err != nil || p.ID != own || p.Pseudonym.String() != sub || p.Visits != 1 || p.LastVisited.IsZero() {
			t.Fatalf("under the sub %s the provider sees %+v, %v", sub, p, err)
		}
		b.asked() // again
		if got := b.authorize(request("isp", "scope", profileScope, "prompt", "none")).redirect().Get("error"); got != "consent_required" {
			t.Errorf("unattended: %s", got)
		}
		events, err := storage.Directory{DB: m.stores.DB}.Events(t.Context(), directory.EventQuery{Subject: own.String()}, 10)
		byAlice := func(e directory.LoggedEvent) bool {
			return e.Type == "give_marketplace_consent" && e.Actor == directory.Actor{Kind: "user", ID: m.alice.ID.String()}
		}
		if err != nil || !slices.ContainsFunc(events, byAlice) {
			t.Errorf("events %+v, %v", events, err)
		}
	})
}

// TestProfilesOfSeveralPartnersAreChosenAmong shows that the one that is seen
// already stands chosen, and that nobody shares what is not theirs.
func TestProfilesOfSeveralPartnersAreChosenAmong(t *testing.T) {
	eachMarket(t, func(t *testing.T, m market) {
		first, second := m.profile("acme", "alice@example.com"), m.profile("bolt", "alice@example.com")
		bobs := m.profile("acme", "bob@example.com")
		b := m.signedIn()
		flow, page := b.asked()
		if strings.Count(page, `type="radio"`) != 2 || !strings.Contains(page, first.String()+`" checked`) || strings.Contains(page, bobs.String()) {
			t.Errorf("page %s", page)
		}
		for _, other := range []uuid.UUID{bobs, uuid.Nil} {
			if got := b.decide(flow, "accept", other); got.status != http.StatusBadRequest {
				t.Errorf("%s: %d", other, got.status)
			}
		}
		sub := m.subOf(m.exchange("isp", b.decide(flow, "accept", second).redirect().Get("code")))
		if p, err := m.seen(sub); err != nil || p.ID != second {
			t.Errorf("the provider sees %+v, %v", p, err)
		}
		if _, page := b.asked(); !strings.Contains(page, second.String()+`" checked`) {
			t.Error("the profile that is seen is not chosen")
		}
		if again := m.subOf(b.share(first)); again != sub {
			t.Errorf("the sub %s became %s", sub, again)
		}
	})
}

// TestNoProfileNoScope tells the client why, once the user has read it. An address
// that nobody has checked is nobody's.
func TestNoProfileNoScope(t *testing.T) {
	eachMarket(t, func(t *testing.T, m market) {
		m.profile("acme", "alice@example.com")
		m.profile("acme", "eve@example.com")
		eve := m.user("eve@example.com")
		eve.EmailAccessValidatedAt = time.Time{}
		if err := (storage.Directory{DB: m.stores.DB}).UpdateUser(t.Context(), eve); err != nil {
			t.Fatal(err)
		}
		for _, u := range []*directory.User{m.user("bob@example.com"), eve} {
			b := m.browser()
			b.signIn(u, authn.ACRSingle)
			flow, page := b.asked()
			if strings.Contains(page, `value="accept"`) || !strings.Contains(page, "No partner has one") {
				t.Errorf("%s: the page offers what there is not: %s", u.EmailAddress, page)
			}
			if got := b.decide(flow, "accept", uuid.New()); got.status != http.StatusBadRequest {
				t.Errorf("accepted nothing: %d", got.status)
			}
			got := b.decide(flow, "deny", uuid.Nil).redirect()
			if got.Get("error") != "access_denied" || !strings.Contains(got.Get("error_description"), "No partner") {
				t.Errorf("%s: answer %v", u.EmailAddress, got)
			}
		}
		if got := m.device("isp", "scope", profileScope); got.text("error") != "invalid_scope" {
			t.Errorf("for a device: %s", got.body)
		}
	})
}

// TestSubjectIsThePseudonym whichever of the two there was first, and never that
// of two users.
func TestSubjectIsThePseudonym(t *testing.T) {
	eachMarket(t, func(t *testing.T, m market) {
		profile := m.profile("acme", "alice@example.com")
		pseudonym := m.recorded("acme", profile)
		if sub := m.subOf(m.tokens("isp")); sub != pseudonym {
			t.Errorf("a consent first: sub %s, cp_user_id %s", sub, pseudonym)
		}
		bob := m.user("bob@example.com")
		b := m.browser()
		b.signIn(bob, authn.ACRSingle)
		sub := m.subOf(m.exchange("isp", b.code(request("isp"))))
		bobs := m.profile("acme", "bob@example.com")
		if recorded := m.recorded("acme", bobs); recorded != sub || sub == bob.ID.String() {
			t.Errorf("a sign-in first: sub %s, cp_user_id %s", sub, recorded)
		}
		if other := m.recorded("bolt", m.profile("bolt", "bob@example.com")); other == sub {
			t.Error("two profiles have one cp_user_id")
		}
		// Who gets the address later does not become who had it.
		db := storage.Directory{DB: m.stores.DB}
		m.alice.EmailAddress = "moved@example.com"
		if err := db.UpdateUser(t.Context(), m.alice); err != nil {
			t.Fatal(err)
		}
		heir := m.browser()
		heir.signIn(m.user("alice@example.com"), authn.ACRSingle)
		if sub := m.subOf(m.exchange("isp", heir.code(request("isp")))); sub == pseudonym {
			t.Error("two users have one sub")
		}
	})
}

// TestWithdrawalEndsSightAtOnce of what the person allowed and of what a partner
// recorded. The page that lists services tells of both.
func TestWithdrawalEndsSightAtOnce(t *testing.T) {
	eachMarket(t, func(t *testing.T, m market) {
		recorded := m.recorded("bolt", m.profile("bolt", "alice@example.com"))
		listed, err := m.server.ServicesOf(t.Context(), m.alice.ID)
		if err != nil || len(listed) != 1 || listed[0].ClientID != "isp" || !slices.Equal(listed[0].Scopes, []string{oauth.ScopeMarketplaceProfile}) {
			t.Fatalf("listed %+v, %v", listed, err)
		}
		tokens := m.signedIn().share(m.profile("acme", "alice@example.com"))
		sub := m.subOf(tokens)
		if err := m.server.WithdrawConsent(t.Context(), m.alice.ID, "isp"); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{sub, recorded} {
			if _, err := m.seen(id); !errors.Is(err, directory.ErrNotFound) {
				t.Errorf("still seen: %v", err)
			}
		}
		if _, total, err := m.market.Profiles(t.Context(), directory.ProfileQuery{Company: isp, Limit: 1}); total != 0 || err != nil {
			t.Errorf("%d in the list, %v", total, err)
		}
		if m.active("isp", tokens.text("access_token")) {
			t.Error("the token lives")
		}
		if listed, err := m.server.ServicesOf(t.Context(), m.alice.ID); err != nil || len(listed) != 0 {
			t.Errorf("listed %+v, %v", listed, err)
		}
	})
}

// TestSubjectsAndPseudonymsMeet lets first sign-ins and consents of partners and of
// the person begin at once: one sub, which is the cp_user_id of one profile.
func TestSubjectsAndPseudonymsMeet(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		m := newMarket(newRig(t, s))
		grants := storage.OAuthGrants{DB: s.DB}
		for round := range 3 {
			u := m.user(fmt.Sprintf("u%d@example.com", round))
			profiles := []uuid.UUID{m.profile("acme", u.EmailAddress), m.profile("bolt", u.EmailAddress)}
			var mu sync.Mutex
			subs, pseudonyms := map[string]int{}, map[string]int{}
			atOnce(64, func(i int) {
				if i%2 == 0 {
					sub, err := grants.PairwiseSubject(t.Context(), oauth.PairwiseSubject{
						Sector: oauth.CompanySector("isp"), Company: "isp", UserID: u.ID, Subject: uuid.New(), CreatedAt: m.clock.Now(),
					})
					mu.Lock()
					defer mu.Unlock()
					if subs[sub.String()]++; err != nil {
						t.Error(err)
					}
					return
				}
				if i%4 == 1 {
					if err := m.market.Share(t.Context(), u.ID, profiles[0], "isp"); err != nil {
						t.Error(err)
					}
					return
				}
				pseudonym := m.recorded([]string{"acme", "bolt"}[i/4%2], profiles[i/4%2])
				mu.Lock()
				defer mu.Unlock()
				pseudonyms[pseudonym]++
			})
			for sub := range subs {
				if len(subs) != 1 || pseudonyms[sub] == 0 {
					t.Fatalf("subs %v, cp_user_ids %v", subs, pseudonyms)
				}
			}
			if len(pseudonyms) != 2 {
				t.Errorf("cp_user_ids %v of two profiles", pseudonyms)
			}
		}
	})
}

// atOnce runs f n times from one moment on.
func atOnce(n int, f func(i int)) {
	var ready, all sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		all.Go(func() {
			ready.Done()
			<-start
			f(i)
		})
	}
	ready.Wait()
	close(start)
	all.Wait()
}

// TestScopesOfAnotherKindAreLeftOut of a client whose row nobody checked.
func TestScopesOfAnotherKindAreLeftOut(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		all := []string{"openid", oauth.ScopePartner, oauth.ScopeProvider, oauth.ScopeMarketplaceProfile}
		for kind, want := range map[string][]string{
			"": all[:1], oauth.KindPartner: all[:2], oauth.KindProvider: {"openid", oauth.ScopeProvider, oauth.ScopeMarketplaceProfile},
		} {
			id := "kind-" + kind
			err := (storage.OAuthClients{DB: g.stores.DB}).CreateClient(t.Context(), &oauth.Client{
				ID: id, Name: id, Kind: kind, Scopes: slices.Clone(all), AuthMethod: oauth.NoAuthentication, Public: true, CreatedAt: g.clock.Now(),
			})
			if err != nil {
				t.Fatal(err)
			}
			if c, err := g.clients.Get(t.Context(), id); err != nil || !slices.Equal(c.Scopes, want) {
				t.Errorf("%s: %+v, %v", id, c, err)
			}
		}
	})
}
