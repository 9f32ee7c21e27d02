package marketplace

import (
	"strings"
	"testing"
	"time"
)

// cast is a user with everything about it, and who may see it.
type cast struct{ id, pseudonym, withdrawn, expired string }

func (s *server) cast() cast {
	c := cast{id: s.create("ada@example.com")}
	c.pseudonym = s.consent(c.id, "consented", "")
	c.withdrawn = s.consent(c.id, "withdrawn", "")
	c.expired = s.consent(c.id, "expired", `,"expires_at":"2026-01-31T13:00:00Z"`)
	for _, pseudonym := range []string{c.pseudonym, c.withdrawn, c.expired} {
		s.want(200, "owner", "POST", "/users/broadband", `{"cp_user_id":"`+pseudonym+`","broadbandPpm":"20"}`)
	}
	s.want(204, "owner", "DELETE", "/users/"+c.id+"/consents/withdrawn", "")
	s.now = s.now.Add(time.Hour)
	return c
}

// access is what each company is answered, in the order of who.
type access [8]int

var who = [8]string{"owner", "rival", "consented", "withdrawn", "expired", "stranger", "no scope", "person"}

// TestCompaniesReachWhatTheyMay D01 D02 D03 is every route for every company: one
// that may not see a user cannot tell it from one that is not there.
func TestCompaniesReachWhatTheyMay(t *testing.T) {
	own, provider, nobody := access{200, 404, 403, 403, 403, 403, 403, 403}, access{200, 404, 200, 404, 404, 404, 403, 403}, access{404, 404, 404, 404, 404, 404, 403, 403}
	listed := access{200, 200, 200, 200, 200, 200, 403, 403}
	ending := access{204, 404, 403, 403, 403, 403, 403, 403}
	created := access{409, 200, 403, 403, 403, 403, 403, 403}
	taken := access{409, 404, 409, 404, 404, 404, 403, 403}
	ownersOnly, mine := access{200, 404, 404, 404, 404, 404, 403, 403}, access{404, 404, 200, 404, 404, 404, 403, 403}
	eachServer(t, func(t *testing.T, s *server) {
		c := s.cast()
		const missing = "/users/00000000-0000-4000-8000-000000000000"
		gone := s.do("stranger", "GET", missing, "").body
		for _, row := range []struct {
			method, path, body string
			want               access
		}{
			{"GET", "/users", "", listed},
			{"POST", "/users", minimal, created},
			{"GET", "/users/" + c.id, "", provider},
			{"GET", "/users/" + c.pseudonym, "", mine},
			{"GET", "/users/" + c.withdrawn, "", nobody},
			{"GET", "/users/" + c.expired, "", nobody},
			{"GET", missing, "", nobody},
			{"GET", "/users/none", "", nobody},
			{"POST", "/users/" + c.id, `{"title":"Countess"}`, provider},
			{"POST", "/users/" + c.withdrawn, `{"title":"Countess"}`, nobody},
			{"POST", "/users/" + c.id + "/consents", `{"cp_id":"consented"}`, own},
			{"POST", "/users/broadband", `{"cp_user_id":"` + c.pseudonym + `"}`, taken},
			{"POST", "/users/broadband", `{"cp_user_id":"` + c.id + `"}`, nobody},
			{"GET", "/users/broadband/" + c.pseudonym, "", provider},
			{"GET", "/users/broadband/" + c.withdrawn, "", ownersOnly},
			{"GET", "/users/broadband/" + c.expired, "", ownersOnly},
			{"GET", "/users/broadband/" + c.id, "", nobody},
			{"POST", "/users/broadband/" + c.pseudonym, `{"broadbandPpm":"21"}`, provider},
			{"POST", "/users/broadband/" + c.withdrawn, `{"broadbandPpm":"21"}`, ownersOnly},
			{"DELETE", "/users/" + c.id + "/consents/consented", "", ending},
			{"DELETE", "/users/" + c.pseudonym, "", access{404, 404, 403, 403, 403, 403, 403, 403}},
			{"DELETE", "/users/" + c.id, "", ending},
		} {
			// The owner comes last: what it ends is ended for all.
			for i := len(who) - 1; i >= 0; i-- {
				res := s.do(who[i], row.method, row.path, row.body)
				if res.status != row.want[i] {
					t.Errorf("%s %s %s: %d %s, want %d", who[i], row.method, row.path, res.status, res.body, row.want[i])
				}
				if res.status == 404 && res.body != gone {
					t.Errorf("%s %s %s: %q tells more than %q", who[i], row.method, row.path, res.body, gone)
				}
				if res.status == 403 && !strings.Contains(res.header.Get("WWW-Authenticate"), "insufficient_scope") {
					t.Errorf("%s %s %s: no challenge", who[i], row.method, row.path)
				}
			}
		}
	})
}

// TestListsShowWhatSingleReadsDo compares a provider's list with its single reads.
func TestListsShowWhatSingleReadsDo(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		c := s.cast()
		for company, total := range map[string]string{"owner": "1", "rival": "0", "consented": "1", "withdrawn": "0", "expired": "0", "stranger": "0"} {
			list := s.do(company, "GET", "/users", "")
			if !strings.Contains(list.body, `"total":`+total+`,`) {
				t.Errorf("%s: %s, want a total of %s", company, list.body, total)
			}
		}
		single := strings.TrimSpace(s.do("consented", "GET", "/users/"+c.pseudonym, "").body)
		list := s.do("consented", "GET", "/users", "").body
		if list != `{"items":[`+single+`],"total":1,"page":0,"size":50}`+"\n" {
			t.Errorf("list %s\nsingle %s", list, single)
		}
		if strings.Contains(list, c.id) || s.do("consented", "GET", "/users/"+c.id, "").body != single+"\n" {
			t.Error("the provider is told the owner's id, or another user by it")
		}
	})
}
