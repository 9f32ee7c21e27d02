package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

const (
	formType = "Content-Type: application/x-www-form-urlencoded"
	bearer   = "Authorization: Bearer "
)

// fixtures are what the cases need to exist.
type fixtures struct {
	machine, rsa, opaque client   // client_credentials, by the form of their tokens
	rp, curve            client   // authorization_code, by the form of their ID tokens
	user                 string   // an id
	logins               []string // a body of POST /authenticate for each connection
	browser              *browser
	access               string // an access token of the user
	api                  string // the machine's access token
	reference            string // an opaque access token
}

func (d *deployment) fixtures(ctx context.Context, base string) (*fixtures, error) {
	f := &fixtures{}
	const email = "bench@example.gov.uk"
	rp := []string{
		"client", "create", "--name", "A relying service", "--first-party", "--redirect-uri", callback,
		"--grant", "authorization_code", "--grant", "refresh_token", "--scope", "openid", "--scope", "email", "--scope", "offline_access",
	}
	machine := []string{"client", "create", "--grant", "client_credentials", "--scope", "notify.admin", "--role", "PROBATION_API__HMPPS_AUTH__AUTHENTICATE"}
	for _, c := range []struct {
		to   *client
		args []string
	}{
		{&f.machine, append(slices.Clip(machine), "--id", "machine", "--name", "ES256")},
		{&f.rsa, append(slices.Clip(machine), "--id", "rsa", "--name", "RS256", "--access-token-alg", "RS256")},
		{&f.opaque, append(slices.Clip(machine), "--id", "opaque", "--name", "Opaque", "--access-token-format", "opaque")},
		{&f.rp, append(slices.Clip(rp), "--id", "rp")},
		{&f.curve, append(slices.Clip(rp), "--id", "curve", "--id-token-alg", "ES256")},
	} {
		if err := d.command(ctx, "", c.to, c.args...); err != nil {
			return nil, err
		}
	}
	var (
		user struct{ ID string }
		err  error
	)
	create := []string{"user", "create", "--password-stdin", "--name", "Bench User"}
	if err := d.command(ctx, password+"\n", &user, append(create, "--email", email, "--mobile", "07700900123")...); err != nil {
		return nil, err
	}
	f.user = user.ID
	for i := range d.connections {
		username := fmt.Sprintf("BenchUser%d", i)
		if err := d.command(ctx, password+"\n", &user, append(create, "--username", username, "--email", "legacy@example.gov.uk")...); err != nil {
			return nil, err
		}
		f.logins = append(f.logins, fmt.Sprintf(`{"username":%q,"password":%q}`, username, password))
	}
	if f.browser, err = d.signIn(ctx, base, f.rp, email); err != nil {
		return nil, err
	}
	return f, f.obtain(ctx)
}

// obtain gets the tokens; the browser is signed in, or needs nothing to be.
func (f *fixtures) obtain(ctx context.Context) error {
	const form = "grant_type=client_credentials&scope=notify.admin"
	api, err := f.machine.token(ctx, f.browser.base, form)
	if err != nil {
		return err
	}
	reference, err := f.opaque.token(ctx, f.browser.base, form)
	if err != nil {
		return err
	}
	user, err := f.browser.authorize(ctx, f.rp, "openid email")
	if err != nil {
		return err
	}
	if _, err := f.browser.authorize(ctx, f.curve, "openid email"); err != nil {
		return err // a peer asks for consent at the first time
	}
	f.api, f.reference, f.access = api.Access, reference.Access, user.Access
	return nil
}

// shared are the cases that peers have too, with the targets of the project.
func (f *fixtures) shared(ctx context.Context, connections int) ([]testCase, error) {
	cookie, err := f.browser.cookie()
	if err != nil {
		return nil, err
	}
	refresh, err := f.refresh(ctx, "refresh", f.rp, connections)
	if err != nil {
		return nil, err
	}
	refresh.target, refresh.rsa = 0.01, true
	refreshCurve, err := f.refresh(ctx, "refresh, ES256 ID token", f.curve, connections)
	if err != nil {
		return nil, err
	}
	token := func(name string, c client, target float64) testCase {
		return testCase{
			name: name, target: target, path: "/oauth/token", method: http.MethodPost, body: "grant_type=client_credentials",
			header: []string{formType, "Authorization: " + c.authorization()},
		}
	}
	rsa := token("token, client_credentials, RS256", f.rsa, 0.85)
	rsa.ofSigning, rsa.rsa = true, true
	signIn := func(name string, c client, target float64) testCase {
		return testCase{
			name: name, target: target, script: "signin.lua",
			args: []string{c.authorizePath("openid email"), cookie, c.authorization(), codeForm()},
		}
	}
	signInRSA := signIn("sign-in: authorize and token", f.rp, 0.008)
	signInRSA.rsa = true
	return []testCase{
		{name: "discovery", target: 0.6, path: "/.well-known/openid-configuration"},
		{name: "JWKS", target: 0.6, path: "/oauth/jwks"},
		token("token, client_credentials, ES256", f.machine, 0.10),
		rsa,
		token("token, client_credentials, opaque", f.opaque, 0),
		introspection("introspection of an opaque token", f.opaque, f.reference, 0),
		{name: "userinfo", target: 0.12, path: "/oauth/userinfo", header: []string{bearer + f.access}},
		signInRSA,
		signIn("sign-in, ES256 ID token", f.curve, 0),
		refresh,
		refreshCurve,
	}, nil
}

// refresh is a case with a refresh token for each connection.
func (f *fixtures) refresh(ctx context.Context, name string, c client, connections int) (testCase, error) {
	args := []string{c.authorization()}
	for range connections {
		t, err := f.browser.authorize(ctx, c, "openid offline_access")
		if err != nil {
			return testCase{}, err
		}
		args = append(args, t.Refresh)
	}
	return testCase{name: name, script: "refresh.lua", args: args, stateful: true}, nil
}

func introspection(name string, c client, token string, target float64) testCase {
	return testCase{
		name: name, target: target, path: "/oauth/introspect", method: http.MethodPost,
		body: url.Values{"token": {token}}.Encode(), header: []string{formType, "Authorization: " + c.authorization()},
	}
}

// cases are everything that is measured of ours.
func (d *deployment) cases(ctx context.Context, p *process) ([]testCase, error) {
	f, err := d.fixtures(ctx, p.url)
	if err != nil {
		return nil, err
	}
	all, err := f.shared(ctx, d.connections)
	if err != nil {
		return nil, err
	}
	return append(
		all,
		introspection("introspection of a JWT", f.machine, f.api, 0.15),
		testCase{name: "GET /user/{id}", path: "/user/" + f.user, header: []string{bearer + f.api}},
		testCase{
			name: "POST /authenticate", path: "/authenticate", script: "users.lua", args: f.logins,
			header: []string{"Content-Type: application/json", bearer + f.api},
		},
	), nil
}
