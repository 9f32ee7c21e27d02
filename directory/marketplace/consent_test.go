package marketplace

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

func TestPseudonymsAreStableForThePair(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ada, ben := s.create("ada@example.com"), s.create("ben@example.com")
		seen := map[string]bool{ada: true, ben: true}
		for _, user := range []string{ada, ben} {
			for _, provider := range []string{"consented", "stranger"} {
				pseudonym := s.consent(user, provider, "")
				if seen[pseudonym] {
					t.Errorf("%s is known already", pseudonym)
				}
				seen[pseudonym] = true
				s.want(204, "owner", "DELETE", "/users/"+user+"/consents/"+provider, "")
				s.want(404, "owner", "DELETE", "/users/"+user+"/consents/"+provider, "")
				s.want(404, provider, "GET", "/users/"+pseudonym, "")
				if again := s.consent(user, provider, ""); again != pseudonym {
					t.Errorf("%s became %s", pseudonym, again)
				}
				s.want(200, provider, "GET", "/users/"+pseudonym, "")
			}
		}
		s.want(404, "stranger", "GET", "/users/"+s.consent(ada, "consented", ""), "")
	})
}

func TestConsentEndsAtItsTime(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		user := s.create("ada@example.com")
		s.create("ben@example.com")
		c := s.want(200, "owner", "POST", "/users/"+user+"/consents", `{"cp_id":"consented","expires_at":"2026-01-31T14:00:00+01:00"}`)
		if c["expires_at"] != "2026-01-31T13:00:00Z" || c["root_user_id"] != user || c["cp_id"] != "consented" {
			t.Errorf("consent %v", c)
		}
		pseudonym := c["cp_user_id"].(string)
		s.now = s.now.Add(time.Hour - time.Microsecond)
		s.wantList("consented", "", 1, pseudonym)
		s.now = s.now.Add(time.Microsecond)
		s.wantList("consented", "", 0)
		s.want(404, "consented", "GET", "/users/"+pseudonym, "")
		if ended, err := s.profiles().EndExpired(t.Context(), s.now); ended != 1 || err != nil {
			t.Errorf("ended %d, %v", ended, err)
		}
		s.wantList("consented", "", 0)
		if again := s.consent(user, "consented", ""); again != pseudonym {
			t.Errorf("%s became %s", pseudonym, again)
		}
		s.wantList("consented", "", 1, pseudonym)
	})
}

func (s *server) profiles() storage.Profiles { return s.market.Store.(storage.Profiles) }

func TestFaultyConsentsAreRefused(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		user := s.create("ada@example.com")
		for body, fault := range map[string]string{
			`{}`: "#/cp_id", `{"cp_id":null}`: "#/cp_id", `{"cp_id":1}`: "#/cp_id", `{"cp_id":"nobody"}`: "#/cp_id", `{"cp_id":"rival"}`: "#/cp_id",
			`{"cp_id":"consented","expires_at":"2026-01-31T12:00:00Z"}`: "#/expires_at", `{"cp_id":"consented","expires_at":"tomorrow"}`: "#/expires_at",
			`{"cp_id":"consented","cp_user_id":"x"}`: "#/cp_user_id",
		} {
			if got := pointers(s.want(400, "owner", "POST", "/users/"+user+"/consents", body)); !slices.Equal(got, []string{fault}) {
				t.Errorf("%s: faults %q", body, got)
			}
		}
		s.wantList("consented", "", 0)
	})
}

func TestConsentsAtOnceAreOne(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		user := s.create("ada@example.com")
		counts := s.race(64, func(i int) response {
			if i%4 == 3 {
				return s.do("owner", "DELETE", "/users/"+user+"/consents/consented", "")
			}
			return s.do("owner", "POST", "/users/"+user+"/consents", `{"cp_id":"consented"}`)
		})
		if counts[200] != 48 || counts[204]+counts[404] != 16 {
			t.Errorf("answers %v", counts)
		}
		s.wantList("consented", "", 1, s.consent(user, "consented", ""))
	})
}

func TestErasureLeavesNothingOfThePerson(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		c := s.cast()
		s.want(204, "owner", "DELETE", "/users/"+c.id, "")
		s.want(404, "owner", "DELETE", "/users/"+c.id, "")
		for _, company := range []string{"owner", "consented"} {
			s.wantList(company, "", 0)
			s.want(404, company, "GET", "/users/broadband/"+c.pseudonym, "")
		}
		if s.create("ada@example.com") == c.id || s.consent(s.create("ben@example.com"), "consented", "") == c.pseudonym {
			t.Error("an id means somebody else now")
		}
		events, err := storage.Directory{DB: s.stores.DB}.Events(t.Context(), eventsAbout(c.id), 100)
		if err != nil || len(events) == 0 || events[0].Type != "erase_marketplace_user" || events[0].Actor.ID != "owner" {
			t.Fatalf("%d events, %v", len(events), err)
		}
		for _, e := range events {
			if strings.Contains(string(e.Data), "ada") || strings.Contains(string(e.Data), "Lovelace") {
				t.Errorf("%s holds %s", e.Type, e.Data)
			}
		}
	})
}

// TestOwnersLeave deletes a partner's client: its users go with it, and what
// providers see is still counted right.
func TestOwnersLeave(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.consent(s.create("ada@example.com"), "consented", "")
		kept := s.want(200, "rival", "POST", "/users", minimal)["id"].(string)
		c := s.want(200, "rival", "POST", "/users/"+kept+"/consents", `{"cp_id":"consented"}`)
		if err := (storage.OAuthClients{DB: s.stores.DB}).DeleteClient(t.Context(), "owner"); err != nil {
			t.Fatal(err)
		}
		s.wantList("consented", "", 1, c["cp_user_id"].(string))
	})
}

func TestBroadbandEntriesAreOneForThePair(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		user := s.create("ada@example.com")
		pseudonym := s.consent(user, "consented", "")
		body := `{"cp_user_id":"` + pseudonym + `","broadbandProvider":"Acme","broadbandPpm":"25.00"}`
		if counts := s.race(64, func(int) response { return s.do("consented", "POST", "/users/broadband", body) }); counts[200] != 1 || counts[409] != 63 {
			t.Errorf("answers %v, want one 200 and 63 409", counts)
		}
		e := s.want(200, "consented", "GET", "/users/broadband/"+pseudonym, "")
		if e["cp_user_id"] != pseudonym || e["root_user_id"] != user || e["cp_id"] != "consented" || e["id"] == "" {
			t.Errorf("entry %v", e)
		}
		changed := s.want(200, "owner", "POST", "/users/broadband/"+pseudonym, `{"broadbandPpm":null,"broadbandDownSpeed":"80 Mbit/s"}`)
		if got := encode(t, changed["meta"]); got != `{"broadbandDownSpeed":"80 Mbit/s","broadbandProvider":"Acme"}` || changed["id"] != e["id"] {
			t.Errorf("changed to %v", changed)
		}
		for body, fault := range map[string]string{
			`{"cp_user_id":"x"}`: "#/cp_user_id", `{"broadbandPpm":25}`: "#/broadbandPpm", `{"meta":{}}`: "#/meta",
			`{"broadbandProvider":"` + strings.Repeat("x", 256) + `"}`: "#/broadbandProvider",
		} {
			if got := pointers(s.want(400, "owner", "POST", "/users/broadband/"+pseudonym, body)); !slices.Equal(got, []string{fault}) {
				t.Errorf("%.60s: faults %q", body, got)
			}
		}
		s.want(400, "owner", "POST", "/users/broadband", `{}`)
		s.want(404, "owner", "POST", "/users/broadband", `{"cp_user_id":"`+user+`"}`)
		other := s.consent(user, "stranger", "")
		s.want(404, "stranger", "GET", "/users/broadband/"+other, "")
		s.want(404, "stranger", "POST", "/users/broadband/"+other, `{}`)
		if total := s.want(200, "stranger", "GET", "/users", "")["total"]; total != json.Number("1") {
			t.Errorf("total %v", total)
		}
	})
}

// unreadable is a store in which no value opens.
type unreadable struct{ directory.ProfileStore }

func (unreadable) Profile(context.Context, directory.Company, uuid.UUID, time.Time) (*directory.SeenProfile, error) {
	return nil, directory.ErrUnreadable
}

// TestUnreadableValueIsExplained and does not keep a user from being erased.
func TestUnreadableValueIsExplained(t *testing.T) {
	s := newServer(t, storagetest.Open(t))
	id := s.create("ada@example.com")
	s.market.Store = unreadable{s.profiles()}
	for _, request := range [][2]string{{"GET", ""}, {"POST", `{"title":"Dr"}`}} {
		problem := s.want(503, "owner", request[0], "/users/"+id, request[1])
		if detail, _ := problem["detail"].(string); !strings.Contains(detail, "cannot be decrypted") {
			t.Errorf("problem %v", problem)
		}
	}
	s.consent(id, "consented", "")
	s.want(204, "owner", "DELETE", "/users/"+id+"/consents/consented", "")
	s.want(204, "owner", "DELETE", "/users/"+id, "")
}
