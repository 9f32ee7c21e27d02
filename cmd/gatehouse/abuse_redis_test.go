package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// atCode is a browser in which the password was right, and the n-th code.
func (f *faulty) atCode(t *testing.T, n int) (j *journey, code string) {
	t.Helper()
	j = &journey{t: t, d: f.d, s: f.s, browser: newBrowser(t)}
	if j.submit("/signin", url.Values{"identifier": {f.person.Email}, "password": {testPassword}}); !strings.HasSuffix(j.at, "/signin/code") {
		t.Fatalf("at %s: %d %s", j.at, j.last.status, j.last.body)
	}
	return j, f.d.code(f.person.Mobile, n)
}

// TestNoCodeOutlivesALostRedis (O13): while Redis hangs a code is answered 503, what
// was lost is no sign-in any more, and a code that was used does not come back with
// an old copy.
func TestNoCodeOutlivesALostRedis(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	c := storage.Config{RedisURL: f.d.vars["GATEHOUSE_REDIS_URL"], RedisPrefix: f.d.vars["GATEHOUSE_REDIS_PREFIX"]}
	j, code := f.atCode(t, 1)
	old, here := storagetest.CopyRedis(t, c), request(t, http.MethodGet, f.s.url, nil).URL
	before := j.browser.Jar.Cookies(here)

	f.redis.Break(storagetest.Swallows)
	took := time.Minute
	for attempt := 0; attempt < 3 && took > 3*time.Second; attempt++ { // as wants does
		began := time.Now()
		wantStatus(t, "Redis hangs", j.try(code), http.StatusServiceUnavailable)
		took = time.Since(began)
	}
	if took > 3*time.Second || j.cookie("gatehouse_session") != "" {
		t.Errorf("after %s: session %q", took, j.cookie("gatehouse_session"))
	}
	f.redis.Heal()
	eventually(t, "the code is taken", func() bool { return j.try(code).status != http.StatusServiceUnavailable })
	if j.cookie("gatehouse_session") == "" {
		t.Fatalf("the code of before: %d %s", j.last.status, j.last.body)
	}

	old.Restore()
	again := &journey{t: t, d: f.d, s: f.s, browser: newBrowser(t)}
	again.browser.Jar.SetCookies(here, before)
	if again.try(code); again.last.status != http.StatusForbidden || again.cookie("gatehouse_session") != "" {
		t.Errorf("a used code, from an old copy: %d %s", again.last.status, again.last.body)
	}

	lost, code := f.atCode(t, 2)
	storagetest.EmptyRedis(t, c)
	if lost.try(code); lost.last.status != http.StatusBadRequest || lost.cookie("gatehouse_session") != "" {
		t.Errorf("a code of a sign-in that was lost: %d %s", lost.last.status, lost.last.body)
	}
	j, code = f.atCode(t, 3)
	if j.try(code); j.cookie("gatehouse_session") == "" {
		t.Errorf("a new one: %d %s", j.last.status, j.last.body)
	}
}
