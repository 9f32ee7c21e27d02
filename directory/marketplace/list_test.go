package marketplace

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/directory"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// listed are the ids of a page, in order, and its total.
func (s *server) listed(company, query string) ([]string, string) {
	s.t.Helper()
	list := s.want(200, company, "GET", "/users"+query, "")
	ids := []string{}
	items, _ := list["items"].([]any)
	for _, item := range items {
		u, _ := item.(map[string]any)
		id, _ := u["id"].(string)
		ids = append(ids, id)
	}
	total, _ := list["total"].(json.Number)
	return ids, total.String()
}

func (s *server) wantList(company, query string, total int, want ...string) {
	s.t.Helper()
	if want == nil {
		want = []string{}
	}
	if ids, got := s.listed(company, query); !slices.Equal(ids, want) || got != fmt.Sprint(total) {
		s.t.Errorf("%s %s: %d users %v of %s, want %d %v of %d", company, query, len(ids), ids, got, len(want), want, total)
	}
}

func TestUsersAreListedNewestFirst(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		var own, seen []string
		for i := range 7 {
			if i%2 == 0 { // two of a moment are in the order of their ids
				s.now = s.now.Add(time.Second)
			}
			own = append(own, s.create(fmt.Sprintf("u%d@example.com", i)))
		}
		for i := 0; i < 7; i += 2 {
			pair := own[i:min(i+2, 7)]
			slices.Sort(pair)
			slices.Reverse(pair)
		}
		slices.Reverse(own)
		for _, id := range own {
			seen = append(seen, s.consent(id, "consented", ""))
		}
		for company, all := range map[string][]string{"owner": own, "consented": seen} {
			s.wantList(company, "", 7, all...)
			s.wantList(company, "?size=3", 7, all[:3]...)
			s.wantList(company, "?size=3&page=2", 7, all[6])
			s.wantList(company, "?size=3&page=3", 7)
			s.wantList(company, "?page=2147483647&size=100", 7)
		}
	})
}

func TestFiltersNarrow(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ada, ben := s.create("ada@example.com"), s.create("ben@example.com")
		rivals := s.want(200, "rival", "POST", "/users", minimal)["id"].(string)
		seenAda, seenBen := s.consent(ada, "consented", ""), s.consent(ben, "consented", "")
		both := []string{ada, ben}
		slices.Sort(both)
		s.wantList("owner", "?email=ADA@Example.com", 1, ada)
		s.wantList("owner", "?email=eve@example.com", 0)
		s.wantList("owner", "?ids[]="+ben+"&ids%5B%5D="+ada, 2, both...)
		s.wantList("owner", "?ids[]="+ben+"&ids[]="+ada+"&size=1&page=1", 2, both[1])
		s.wantList("owner", "?ids[]="+ben+"&email=ada@example.com", 0)
		s.wantList("owner", "?ids[]="+ada+"&ids[]="+ada+"&email=ada@example.com", 1, ada)
		s.wantList("owner", "?ids[]="+rivals, 0)
		s.wantList("owner", "?ids[]=none&ids[]=", 0)
		s.wantList("consented", "?email=ada@example.com", 1, seenAda)
		s.wantList("consented", "?ids[]="+seenBen, 1, seenBen)
		s.wantList("consented", "?ids[]="+ben+"&ids[]="+seenBen, 1, seenBen)
		s.wantList("consented", "?ids[]="+rivals, 0)
		s.wantList("stranger", "?ids[]="+seenBen+"&ids[]="+ben, 0)
		s.wantList("stranger", "?email=ada@example.com", 0)
	})
}

// TestPagesOutOfBoundsAreRefused D19.
func TestPagesOutOfBoundsAreRefused(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		for query, fault := range map[string]string{
			"?size=0": "size", "?size=101": "size", "?size=-1": "size", "?size=1000000000": "size", "?size=abc": "size", "?size=": "size",
			"?size=10&size=20": "size", "?page=-1": "page", "?page=1.5": "page", "?page=99999999999999999999": "page", "?page=2147483648": "page",
			"?page=0&page=0": "page", "?email=a@example.com&email=b@example.com": "email", "?ids[]=" + strings.Repeat("x&ids[]=", 100): "ids[]",
		} {
			if got := pointers(s.want(400, "owner", "GET", "/users"+query, "")); !slices.Equal(got, []string{"#/" + fault}) {
				t.Errorf("%.40s: faults %q, want %s", query, got, fault)
			}
		}
		s.want(400, "owner", "GET", "/users?email=%zz", "")
	})
}

// TestTextIsNeverSQL D18: what means something to a database finds nobody, or is
// kept as it is.
func TestTextIsNeverSQL(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		id := s.create("ada@example.com")
		for _, text := range []string{"'", `"`, ";--", `\`, "$1", "$$", "%", "_", "’", "' or 1=1 --", "' AND pg_sleep(3)--", "\x00", "\xff"} {
			escaped := url.QueryEscape(text)
			s.wantList("owner", "?email="+escaped, 0)
			s.wantList("owner", "?ids[]="+escaped, 0)
			s.wantList("consented", "?email="+escaped+"&ids[]="+escaped, 0)
			if text == "\x00" || text == "\xff" {
				continue
			}
			s.want(404, "owner", "GET", "/users/"+url.PathEscape(text), "")
			s.want(404, "owner", "DELETE", "/users/"+id+"/consents/"+url.PathEscape(text), "")
			s.want(400, "owner", "POST", "/users/"+id+"/consents", `{"cp_id":`+encode(t, text)+`}`)
			if got := s.want(200, "owner", "POST", "/users/"+id, `{"county":`+encode(t, text)+`}`)["county"]; got != text {
				t.Errorf("%q became %v", text, got)
			}
		}
		s.want(400, "owner", "POST", "/users/"+id+"/consents", `{"cp_id":"\u0000"}`)
	})
}

// TestUnreadableUserStaysInLists writes one with keys that the server does not
// have, as after a loss: the others of a page are not lost with it.
func TestUnreadableUserStaysInLists(t *testing.T) {
	keyring, err := storage.ParseKeyring(strings.Repeat("A", 43) + "=")
	if err != nil {
		t.Fatal(err)
	}
	eachServer(t, func(t *testing.T, s *server) {
		lost := &storage.FieldKeys{DB: storagetest.Open(t).DB, Sealer: keyring, Clock: func() time.Time { return s.now }}
		for range 2 { // makes them, and then has them at hand
			if err := lost.Ensure(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		kept := s.market.Store
		seen := map[string]bool{} // by both companies: readable or not
		for i, store := range []directory.ProfileStore{kept, storage.Profiles{DB: s.stores.DB, Keys: lost}} {
			s.market.Store = store
			u := s.want(200, "owner", "POST", "/users", fmt.Sprintf(`{"first_name":"A","surname":"B","email":"u%d@example.com","passport_number":"CANARY"}`, i))
			id, _ := u["id"].(string)
			seen[id], seen[s.consent(id, "consented", "")] = i == 0, i == 0
		}
		s.market.Store = kept
		for _, company := range []string{"owner", "consented"} {
			items, _ := s.want(200, company, "GET", "/users", "")["items"].([]any)
			if len(items) != 2 {
				t.Fatalf("%s: %v", company, items)
			}
			for _, item := range items {
				u, _ := item.(map[string]any)
				id, _ := u["id"].(string)
				_, marked := u["unreadable"]
				readable, known := seen[id]
				if !known || marked == readable || (u["passport_number"] == "CANARY") != readable || u["surname"] != "B" {
					t.Errorf("%s: %v", company, u)
				}
				filtered, _ := s.want(200, company, "GET", "/users?ids[]="+id, "")["items"].([]any)
				if len(filtered) != 1 || encode(t, filtered[0]) != encode(t, item) {
					t.Errorf("%s: by id %v", company, filtered)
				}
			}
		}
	})
}
