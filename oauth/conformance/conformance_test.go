package conformance

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestPlansHaveTheirModules counts what the Foundation's plans have.
func TestPlansHaveTheirModules(t *testing.T) {
	release := 0
	for _, plan := range ReleasePlans() {
		release += len(plan.Modules)
	}
	if release != 90 {
		t.Errorf("the release has %d modules, want 90", release)
	}
	for _, c := range []struct {
		plan Plan
		want int
	}{
		{Basic(), 38}, {Config(), 1}, {FormPostBasic(), 38}, {RPInitiatedLogout(), 11}, {BackchannelLogout(), 2}, {Dynamic(), 23},
		{FAPI2SecurityProfile(), 62 + 1},
	} {
		var names []string
		for _, m := range c.plan.Modules {
			names = append(names, m.Name)
		}
		slices.Sort(names)
		if len(names) != c.want || len(slices.Compact(names)) != c.want {
			t.Errorf("%s has %d modules, want %d of different names", c.plan.Name, len(names), c.want)
		}
		for _, waiting := range c.plan.Waits {
			if !slices.Contains(names, waiting) {
				t.Errorf("%s has no module %s to start first", c.plan.Name, waiting)
			}
		}
	}
}

// recorder is a test that a module fails without the test around it failing.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Helper()                        {}
func (r *recorder) Log(...any)                     {}
func (r *recorder) Errorf(format string, _ ...any) { r.failures = append(r.failures, format) }

// broken is the environment of a module at a server that answers whatever the
// handler does.
func broken(t *testing.T, handler http.HandlerFunc) (*Env, *recorder) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	r := &recorder{TB: t}
	return &Env{Target: &Target{Issuer: server.URL, Transport: server.Client().Transport}, t: r, result: &Result{}}, r
}

// ended runs a part of a module that may end it.
func ended(part func()) {
	defer func() {
		if r := recover(); r != nil && r != (stop{}) {
			panic(r)
		}
	}()
	part()
}

func TestModulesFailAtAServerThatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer string
		try    func(e *Env)
	}{
		{"metadata of another issuer", `{"issuer":"https://other.example.test"}`, func(e *Env) { e.Metadata() }},
		{"a JWK set with a private key", `{"keys":[{"kty":"EC","crv":"P-256","kid":"1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}]}`, func(e *Env) {
			e.meta = Metadata{Issuer: e.Issuer, JWKSURI: e.Issuer + "/jwks"}
			e.keys()
		}},
		{"tokens that may be stored", `{"access_token":"a","token_type":"Bearer"}`, func(e *Env) {
			e.issued(e.call(e.newRequest(http.MethodPost, e.Issuer, url.Values{})))
		}},
		{"a refusal with another error", `{"error":"invalid_request"}`, func(e *Env) {
			e.notIssued(&Answer{Status: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"error":"invalid_request"}`)}, "invalid_grant")
		}},
		{"an unsigned ID token", ``, func(e *Env) { e.verified("ID token", unsigned([]byte(`{}`))) }},
		{"a userinfo of somebody else", `{"sub":"b"}`, func(e *Env) {
			e.meta = Metadata{Issuer: e.Issuer, UserInfoEndpoint: e.Issuer}
			e.UserInfo(&Tokens{AccessToken: "a", ID: &IDToken{Subject: "a"}})
		}},
	} {
		e, r := broken(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(c.answer))
		})
		ended(func() { c.try(e) })
		if len(r.failures) == 0 {
			t.Errorf("%s passes", c.name)
		}
	}
}

func TestAnswersAreHeldToTheirRequest(t *testing.T) {
	good := url.Values{"code": {"c"}, "state": {"s"}, "iss": {"https://op.example.test"}}
	for _, c := range []struct {
		name   string
		change func(a *Arrival)
		fails  bool
	}{
		{"the answer", func(*Arrival) {}, false},
		{"another state", func(a *Arrival) { a.Params.Set("state", "t") }, true},
		{"another issuer", func(a *Arrival) { a.Params.Set("iss", "https://evil.example.test") }, true},
		{"a parameter twice", func(a *Arrival) { a.Params.Add("code", "d") }, true},
		{"posted instead of redirected", func(a *Arrival) { a.Posted = true }, true},
		{"a fragment", func(a *Arrival) { a.URL.Fragment = "x" }, true},
		{"another site", func(a *Arrival) { a.URL.Host = "evil.example.test" }, true},
		{"a page", func(a *Arrival) { a.Page = &Page{} }, true},
	} {
		r := &recorder{TB: t}
		e := &Env{Target: &Target{Issuer: good.Get("iss")}, t: r, result: &Result{}, meta: Metadata{Issuer: good.Get("iss")}}
		request := e.Request(&Client{ID: "c", RedirectURI: "https://rp.example.test/cb"}, "state", "s")
		a := &Arrival{URL: &url.URL{Scheme: "https", Host: "rp.example.test", Path: "/cb"}, Params: cloneValues(good)}
		c.change(a)
		ended(func() { e.answered(request, a) })
		if got := len(r.failures) > 0; got != c.fails {
			t.Errorf("%s: fails is %t, want %t: %q", c.name, got, c.fails, r.failures)
		}
	}
}

func TestFormsAreRead(t *testing.T) {
	base := &url.URL{Scheme: "https", Host: "op.example.test", Path: "/page"}
	all := forms(base, `<form method="post" action="https://rp.example.test/cb?a=1&amp;b=2">`+
		`<input type="hidden" name="code" value="&lt;x&gt;"><input type="submit"></form><form action="/other"></form>`)
	if len(all) != 2 || all[0].Action.String() != "https://rp.example.test/cb?a=1&b=2" || all[0].Fields.Get("code") != "<x>" || len(all[0].Fields) != 1 {
		t.Fatalf("read %+v", all)
	}
	if all[1].Method != http.MethodGet || all[1].Action.Path != "/other" {
		t.Errorf("read %+v", all[1])
	}
}

func TestReportSaysWhy(t *testing.T) {
	report := Report([]Result{
		{"plan", "one", Passed, nil}, {"plan", "two", Warning, []string{"a|b", "c"}}, {"other", "three", Skipped, []string{"why"}},
	})
	for _, line := range []string{
		"| plan | 2 | 1 | 1 | 0 | 0 | 0 |\n", "| other | 1 | 0 | 0 | 1 | 0 | 0 |\n", `| two | warning | a\|b; c |` + "\n", "### other\n",
	} {
		if !strings.Contains(report, line) {
			t.Errorf("the report lacks %q:\n%s", line, report)
		}
	}
}
