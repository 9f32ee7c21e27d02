package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/authn"
	"gatehouse/directory"
)

// cast are the people whom nobody may tell apart who has not the password (E of
// the security requirements), by what is the matter with them.
type cast map[string]*directory.User

// ghost is nobody's address.
const ghost = "ghost@example.gov.uk"

// newCast makes everybody that a process can, and locks and deletes who is to be.
func newCast(t *testing.T, a *app) cast {
	t.Helper()
	c, state := cast{}, map[string]directory.State{"disabled": directory.Inactive}
	for name, password := range map[string]string{"alice": testPassword, "locked": testPassword, "disabled": testPassword, "nopw": "", "deleted": testPassword} {
		n := directory.NewUser{Name: name, EmailAddress: name + ".cast@example.gov.uk", State: cmp.Or(state[name], directory.Active)}
		u, err := a.createUser(t.Context(), n, password)
		if err != nil {
			t.Fatal(err)
		}
		c[name] = u
	}
	a.authn.RefusalTime = 1
	for range directory.MaxFailedLogins {
		_, err := a.authn.Authenticate(t.Context(), authn.Attempt{Front: authn.Legacy, Factor: authn.Password, UserID: c["locked"].ID, Secret: "not the password"})
		if !errors.Is(err, authn.ErrRefused) {
			t.Fatal(err)
		}
	}
	gone := func(context.Context) error { return nil }
	if err := a.registry.ArchiveUser(t.Context(), c["deleted"].ID, "example.gov.uk", operator, gone); err != nil {
		t.Fatal(err)
	}
	return c
}

// addresses are everybody's, and nobody's.
func (c cast) addresses() map[string]string {
	all := map[string]string{"ghost": ghost}
	for name, u := range c {
		all[name] = u.EmailAddress
	}
	return all
}

// inProcess opens the deployment in this process until f returns, which may change
// what no configuration does.
func (d *deployment) inProcess(f func(a *app)) {
	d.t.Helper()
	env := &environment{ctx: d.t.Context(), lookup: d.lookup, stdout: io.Discard, stderr: io.Discard, config: &Config{
		Data: d.vars["GATEHOUSE_DATA"], Issuer: defaultIssuer, RedisPrefix: d.vars["GATEHOUSE_REDIS_PREFIX"], AutoMigrate: true,
		Registration: "open", NotifyAdminURL: defaultIssuer, LogLevel: "error", LogFormat: "json", RequestTimeout: longestRequest,
	}}
	s, err := env.secrets()
	if err != nil {
		d.t.Fatal(err)
	}
	a, err := newApp(env, s, &clock{})
	if err != nil {
		d.t.Fatal(err)
	}
	defer a.close()
	f(a)
}

// listen serves an app that was opened in this process. Nothing runs beside it.
func (d *deployment) listen(a *app) *server {
	d.t.Helper()
	if err := a.keys.Ensure(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	a.mount(a.routes()...)
	s := httptest.NewServer(a.router)
	d.t.Cleanup(s.Close)
	return &server{t: d.t, url: "http://localhost" + s.URL[strings.LastIndex(s.URL, ":"):]}
}
