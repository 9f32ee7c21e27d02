package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

const formType = "Content-Type: application/x-www-form-urlencoded"

// fixtures are what the cases need to exist.
type fixtures struct {
	machine, rsa, opaque client   // client_credentials, by the form of their tokens
	rp                   client   // authorization_code
	user                 string   // an id
	logins               []string // a body of POST /authenticate for each connection
	browser              *browser
	access               string // an access token of the user
	api                  string // the machine's access token
}

func (d *deployment) fixtures(ctx context.Context, base string) (*fixtures, error) {
	f := &fixtures{}
	const email = "bench@example.gov.uk"
	machine := []string{"client", "create", "--grant", "client_credentials", "--scope", "notify.admin", "--role", "PROBATION_API__HMPPS_AUTH__AUTHENTICATE"}
	for _, c := range []struct {
		to   *client
		args []string
	}{
		{&f.machine, append(slices.Clip(machine), "--id", "machine", "--name", "ES256")},
		{&f.rsa, append(slices.Clip(machine), "--id", "rsa", "--name", "RS256", "--access-token-alg", "RS256")},
		{&f.opaque, append(slices.Clip(machine), "--id", "opaque", "--name", "Opaque", "--access-token-format", "opaque")},
		{&f.rp, []string{
			"client", "create", "--id", "rp", "--name", "A relying service", "--first-party", "--redirect-uri", callback,
			"--grant", "authorization_code", "--grant", "refresh_token", "--scope", "openid", "--scope", "email", "--scope", "offline_access",
		}},
	} {
		if err := d.command(ctx, "", c.to, c.args...); err != nil {
			return nil, err
		}
	}
	var user struct{ ID string }
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
	return f, f.obtain(ctx, d, base, email)
}

// obtain signs the user in and gets the tokens.
func (f *fixtures) obtain(ctx context.Context, d *deployment, base, email string) error {
	api, err := f.machine.token(ctx, base, "grant_type=client_credentials&scope=notify.admin")
	if err != nil {
		return err
	}
	if f.browser, err = d.signIn(ctx, base, f.rp, email); err != nil {
		return err
	}
	user, err := f.browser.authorize(ctx, f.rp, "openid email")
	if err != nil {
		return err
	}
	f.api, f.access = api.Access, user.Access
	return nil
}

// cases are everything that is measured, with the targets of the project.
func (d *deployment) cases(ctx context.Context, p *process) ([]testCase, error) {
	f, err := d.fixtures(ctx, p.url)
	if err != nil {
		return nil, err
	}
	cookie, err := f.browser.cookie()
	if err != nil {
		return nil, err
	}
	refresh := []string{f.rp.authorization()}
	for range d.connections {
		t, err := f.browser.authorize(ctx, f.rp, "openid offline_access")
		if err != nil {
			return nil, err
		}
		refresh = append(refresh, t.Refresh)
	}
	bearer := "Authorization: Bearer "
	token := func(name string, c client, target float64) testCase {
		return testCase{
			name: name, target: target, path: "/oauth/token", method: http.MethodPost, body: "grant_type=client_credentials",
			header: []string{formType, "Authorization: " + c.authorization()},
		}
	}
	rsa := token("token, client_credentials, RS256", f.rsa, 0.85)
	rsa.ofSigning = true
	return []testCase{
		{name: "discovery", target: 0.6, path: "/.well-known/openid-configuration"},
		{name: "JWKS", target: 0.6, path: "/oauth/jwks"},
		token("token, client_credentials, ES256", f.machine, 0.10),
		rsa,
		token("token, client_credentials, opaque", f.opaque, 0),
		{
			name: "introspection of a JWT", target: 0.15, path: "/oauth/introspect", method: http.MethodPost,
			body:   url.Values{"token": {f.api}}.Encode(),
			header: []string{formType, "Authorization: " + f.machine.authorization()},
		},
		{name: "userinfo", target: 0.12, path: "/oauth/userinfo", header: []string{bearer + f.access}},
		{name: "GET /user/{id}", path: "/user/" + f.user, header: []string{bearer + f.api}},
		{
			name: "POST /authenticate", path: "/authenticate", script: "users.lua", args: f.logins,
			header: []string{"Content-Type: application/json", bearer + f.api},
		},
		{
			name: "sign-in: authorize and token", target: 0.008, script: "signin.lua",
			args: []string{f.rp.authorizePath("openid email"), cookie, f.rp.authorization(), codeForm()},
		},
		{name: "refresh", target: 0.01, script: "refresh.lua", args: refresh, stateful: true},
	}, nil
}
