package main

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// race runs f n times at once, from one barrier.
func race(n int, f func(i int)) {
	var ready, done sync.WaitGroup
	ready.Add(n)
	start := make(chan struct{})
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			f(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

// statuses counts answers by their status.
type statuses struct {
	mu  sync.Mutex
	all map[int]int
}

func (s *statuses) add(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[int]int{}
	}
	s.all[status]++
}

// busy reports whether some were told to come again, because the machine had too
// much else to do for an answer in time. The one who won may be among them.
func (s *statuses) busy() bool { return s.all[http.StatusServiceUnavailable] > 0 }

// wantOne fails unless one answer is the winner's and every other a loser's, and
// reports whether there was a winner: none only where some were told to come again.
func (s *statuses) wantOne(t *testing.T, winner, loser int) bool {
	t.Helper()
	for status := range s.all {
		if status != winner && status != loser && status != http.StatusServiceUnavailable {
			t.Errorf("answers %v", s.all)
		}
	}
	if n := s.all[winner]; n > 1 || n == 0 && !s.busy() {
		t.Errorf("%d winners: answers %v", n, s.all)
	}
	return s.all[winner] == 1
}

// eachReplicaSet runs a test against one server on SQLite, one on PostgreSQL,
// and two that share PostgreSQL and Redis; replica(i) is the i-th caller's. The
// two are slow to reach their database, so that what a replica has read is old
// by the time it writes.
func eachReplicaSet(t *testing.T, test func(t *testing.T, d *deployment, replica func(i int) *server)) {
	t.Helper()
	for name, c := range map[string]func(t testing.TB) storage.Config{"sqlite": storagetest.SQLite, "postgres": storagetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			d := newDeployment(t, c(t))
			s := d.start()
			test(t, d, func(int) *server { return s })
		})
	}
	t.Run("two replicas", func(t *testing.T) {
		c := storagetest.Postgres(t)
		address, slow := storagetest.Behind(t, c.DatabaseURL)
		c.DatabaseURL = address
		slow.Delay = 5 * time.Millisecond // before the first connection is made
		d := newDeployment(t, c)
		first := d.start()
		d.vars["GATEHOUSE_ISSUER"] = first.url
		second := d.start()
		test(t, d, func(i int) *server {
			if i%2 == 0 {
				return first
			}
			return second
		})
	})
}

// signedIn returns a journey that has a session and a remembered consent.
func signedIn(t *testing.T, d *deployment, s *server, rp clientOutput) *journey {
	t.Helper()
	person := d.person()
	j := d.journey(s)
	j.authorize(rp, "openid offline_access")
	j.signIn(person, 1)
	j.consent("accept")
	j.code()
	return j
}

// TestCodeIsRedeemedOnce (C02): of 64 exchanges at once one gets tokens, and a
// later one takes them back.
func TestCodeIsRedeemedOnce(t *testing.T) {
	t.Parallel()
	eachReplicaSet(t, func(t *testing.T, d *deployment, replica func(int) *server) {
		rp := d.relyingService()
		j := signedIn(t, d, replica(0), rp)
		for range 3 {
			j.authorize(rp, "openid offline_access")
			code := j.code()
			var got statuses
			var won tokens
			race(64, func(i int) {
				res, answer := replica(i).exchange(rp, code)
				got.add(res.status)
				if res.status == http.StatusOK {
					won = answer
				} else if answer.Error != "invalid_grant" && res.status != http.StatusServiceUnavailable {
					t.Errorf("%d %s", res.status, res.body)
				}
			})
			if !got.wantOne(t, http.StatusOK, http.StatusBadRequest) {
				continue
			}
			time.Sleep(20 * time.Millisecond) // what comes in the same moment has lost a race, and is no replay
			if res, answer := replica(1).exchange(rp, code); res.status != http.StatusBadRequest || answer.Error != "invalid_grant" {
				t.Errorf("the replay: %d %s", res.status, res.body)
			}
			if res := replica(0).call(won.AccessToken, http.MethodGet, "/oauth/userinfo", nil); res.status != http.StatusUnauthorized {
				t.Errorf("the replay ends nothing: %d", res.status)
			}
			if res, _ := replica(0).refresh(rp, won.RefreshToken); res.status != http.StatusBadRequest {
				t.Errorf("the refresh token outlives the replay: %d", res.status)
			}
		}
	})
}

// TestRefreshTokenHasOneSuccessor (F02): however often it is sent at once.
func TestRefreshTokenHasOneSuccessor(t *testing.T) {
	t.Parallel()
	eachReplicaSet(t, func(t *testing.T, d *deployment, replica func(int) *server) {
		rp := d.relyingService()
		j := signedIn(t, d, replica(0), rp)
		j.authorize(rp, "openid offline_access")
		_, first := replica(0).exchange(rp, j.code())
		var mu sync.Mutex
		successors, got := map[string]bool{}, statuses{}
		race(64, func(i int) {
			res, answer := replica(i).refresh(rp, first.RefreshToken)
			got.add(res.status)
			if res.status != http.StatusOK && res.status != http.StatusServiceUnavailable && answer.Error != "invalid_grant" {
				t.Errorf("%d %s", res.status, res.body)
			}
			mu.Lock()
			defer mu.Unlock()
			if res.status == http.StatusOK {
				successors[answer.RefreshToken] = true
			}
		})
		if n := len(successors); n > 1 || n == 0 && !got.busy() {
			t.Fatalf("%d successors, want 1: %v", n, got.all)
		}
		for successor := range successors {
			if res, _ := replica(1).refresh(rp, successor); res.status != http.StatusOK {
				t.Errorf("the family did not outlive its own client's haste: %d %s", res.status, res.body)
			}
		}
	})
}

// TestTenFailuresLockHoweverManyAtOnce (L02, L13): of 200 guesses at once at any
// replica. One that waits too long for its turn is told to come again, and not counted.
func TestTenFailuresLockHoweverManyAtOnce(t *testing.T) {
	t.Parallel()
	eachReplicaSet(t, func(t *testing.T, d *deployment, replica func(int) *server) {
		legacy := d.client("--id", "legacy", "--grant", "client_credentials", "--role", "PROBATION_API__HMPPS_AUTH__AUTHENTICATE")
		admin := d.client("--id", "admin", "--grant", "client_credentials", "--scope", "notify.admin")
		u := d.user("--name", "Lee Example", "--username", "lee.example", "--email", "lee@example.gov.uk")
		token := replica(0).token(legacy, "")
		var got statuses
		guess := func(i int) {
			res := replica(i).call(token, http.MethodPost, "/authenticate", `{"username":"Lee.Example","password":"wrong password"}`)
			if res.status != http.StatusUnauthorized && (res.status != http.StatusServiceUnavailable || res.header.Get("Retry-After") == "") {
				t.Errorf("%d %s", res.status, res.body)
			}
			got.add(res.status)
		}
		race(200, guess)
		failures := func() int {
			var shown struct {
				Data struct {
					FailedLoginCount int `json:"failed_login_count"`
				}
			}
			replica(0).call(replica(0).token(admin, "notify.admin"), http.MethodGet, "/user/"+u.ID.String(), nil).json(t, &shown)
			return shown.Data.FailedLoginCount
		}
		for i := 0; i < 10 && failures() < 10 && got.all[http.StatusServiceUnavailable] > 0; i++ {
			guess(i) // comes again
		}
		if n := failures(); n != 10 {
			t.Errorf("failed_login_count %d, want 10 (answers %v)", n, got.all)
		}
		right := replica(1).call(token, http.MethodPost, "/authenticate", `{"username":"lee.example","password":"`+testPassword+`"}`)
		wrong := replica(1).call(token, http.MethodPost, "/authenticate", `{"username":"lee.example","password":"wrong password"}`)
		if right.status != wrong.status || right.body != wrong.body || right.status == http.StatusOK {
			t.Errorf("a locked account tells the password: %d %q, %d %q", right.status, right.body, wrong.status, wrong.body)
		}
		var unlocked userOutput
		d.command("", &unlocked, "user", "unlock", u.ID.String(), "--json")
		if res := replica(0).call(token, http.MethodPost, "/authenticate", `{"username":"lee.example","password":"`+testPassword+`"}`); unlocked.Locked || res.status != http.StatusOK {
			t.Errorf("after unlock: %+v, %d %s", unlocked, res.status, res.body)
		}
	})
}

func TestCodeOfAMessageIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	eachReplicaSet(t, func(t *testing.T, d *deployment, replica func(int) *server) {
		rp, person := d.relyingService(), d.person()
		j := d.journey(replica(0))
		j.authorize(rp, "openid")
		flow := j.flow()
		j.submit("/signin?flow="+flow, url.Values{"flow": {flow}, "identifier": {person.Email}, "password": {testPassword}})
		code := d.code(person.Mobile, 1)
		here, err := url.Parse(j.s.url)
		if err != nil {
			t.Fatal(err)
		}
		cookies := j.browser.Jar.Cookies(here)
		var got statuses
		race(50, func(i int) {
			s := replica(i)
			r := request(t, http.MethodPost, s.url+"/signin/code?flow="+flow, url.Values{"flow": {flow}, "code": {code}}, "Sec-Fetch-Site", "same-origin")
			for _, c := range cookies {
				r.AddCookie(c)
			}
			res := do(t, &http.Client{CheckRedirect: j.browser.CheckRedirect}, r)
			session := 0
			for _, c := range res.header.Values("Set-Cookie") {
				if len(c) > 40 && c[:len("gatehouse_session=")] == "gatehouse_session=" && c[len("gatehouse_session=")] != ';' {
					session = 1
				}
			}
			switch {
			case session == 1:
				got.add(http.StatusOK)
			case res.status < http.StatusInternalServerError:
				got.add(http.StatusForbidden)
			default:
				got.add(res.status)
			}
		})
		got.wantOne(t, http.StatusOK, http.StatusForbidden)
	})
}

// TestPushedRequestIsUsedOnceOnAnyReplica (P01): 64 uses at once, one code.
func TestPushedRequestIsUsedOnceOnAnyReplica(t *testing.T) {
	t.Parallel()
	eachReplicaSet(t, func(t *testing.T, d *deployment, replica func(int) *server) {
		rp := d.relyingService()
		j := signedIn(t, d, replica(0), rp)
		here, err := url.Parse(j.s.url)
		if err != nil {
			t.Fatal(err)
		}
		cookies := j.browser.Jar.Cookies(here)
		for range 3 {
			r := request(t, http.MethodPost, replica(1).url+"/oauth/par", url.Values{
				"client_id": {rp.ClientID}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}, "state": {"the-state-1234"},
				"code_challenge": {challenge()}, "code_challenge_method": {"S256"},
			})
			r.SetBasicAuth(rp.ClientID, rp.ClientSecret)
			var pushed struct {
				RequestURI string `json:"request_uri"`
			}
			if do(t, http.DefaultClient, r).json(t, &pushed); pushed.RequestURI == "" {
				t.Fatal("nothing was pushed")
			}
			var got statuses
			race(64, func(i int) {
				q := url.Values{"client_id": {rp.ClientID}, "request_uri": {pushed.RequestURI}}
				r := request(t, http.MethodGet, replica(i).url+"/oauth/authorize?"+q.Encode(), nil)
				for _, c := range cookies {
					r.AddCookie(c)
				}
				res := do(t, &http.Client{CheckRedirect: j.browser.CheckRedirect}, r)
				if location := res.header.Get("Location"); res.status == http.StatusSeeOther && !strings.Contains(location, "code=") {
					t.Errorf("sent to %.60s", location)
				}
				got.add(res.status)
			})
			got.wantOne(t, http.StatusSeeOther, http.StatusBadRequest)
		}
	})
}
