package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"gatehouse/oauth"
)

// converse runs a script of testdata/openid-client and is the person that it
// sends to pages, until the script says what it learned.
func (j *journey) converse(u userOutput, result any, script string, env ...string) {
	j.t.Helper()
	node := needNode(j.t, "openid-client")
	stdin, next := j.d.program(append(os.Environ(), env...), node, filepath.Join("testdata", "openid-client", script))
	codes := 0
	for {
		var said struct {
			Open, Connect string
			Result        json.RawMessage
		}
		line := next()
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			j.t.Fatalf("%s: %v: %s", script, err, line)
		}
		switch {
		case said.Open != "":
			j.get(said.Open)
			if strings.HasPrefix(j.at, j.s.url+"/signin?") {
				codes++
				j.signIn(u, codes)
			}
			if strings.HasPrefix(j.at, j.s.url+"/consent?") {
				j.consent("accept")
			}
			fmt.Fprintln(stdin, j.at)
		case said.Connect != "":
			j.submit("/device", url.Values{"user_code": {said.Connect}})
			j.consent("accept")
			fmt.Fprintln(stdin, j.last.status)
		default:
			if err := json.Unmarshal(said.Result, result); err != nil {
				j.t.Fatalf("%s: %v: %s", script, err, line)
			}
			return
		}
	}
}

// TestOAuth4WebAPIRegistersAndBindsItsTokens drives discovery, registration, PAR, DPoP with
// nonces, refresh, introspection, revocation and the device flow with a client
// that checks every answer strictly.
func TestOAuth4WebAPIRegistersAndBindsItsTokens(t *testing.T) {
	t.Parallel() // it waits for the interval of a device
	eachDeployment(t, func(t *testing.T, d *deployment) {
		person := d.person()
		d.client("--id", "tv", "--name", "Television", "--public", "--grant", oauth.GrantDeviceCode, "--scope", "openid")
		var initial struct {
			Token string `json:"initial_access_token"`
		}
		d.command("", &initial, "client", "initial-access-token", "--json")
		s := d.start()
		type learned struct {
			Sub, Email, PlainTokenEndpoint, Directory, TokenType, Pending, DeviceSub string
			Rotated, Before, Bound, After                                            bool
			Registered                                                               string
			Nonces                                                                   int
		}
		var got learned
		d.journey(s).converse(person, &got, "oauth4webapi.js",
			"ISSUER="+s.url, "CALLBACK="+callback, "INITIAL_ACCESS_TOKEN="+initial.Token, "DEVICE_CLIENT_ID=tv")
		if got.Registered == "" || got.Nonces == 0 {
			t.Errorf("registered %q, %d requests were told a nonce", got.Registered, got.Nonces)
		}
		want := learned{
			Sub: person.ID.String(), Email: person.Email, PlainTokenEndpoint: s.url + "/oauth/token", Directory: s.url, TokenType: "dpop",
			Pending: "authorization_pending", DeviceSub: person.ID.String(), Rotated: true, Before: true, Bound: true,
			Registered: got.Registered, Nonces: got.Nonces,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestOpenIDClientProvesItselfWithAKey drives private_key_jwt, PAR, DPoP, the
// device flow, client credentials and the way out, with ES256 ID tokens.
func TestOpenIDClientProvesItselfWithAKey(t *testing.T) {
	t.Parallel() // it waits for the interval of a device
	d := newDeployment(t, sqliteConfig(t))
	person := d.person()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private := jose.JSONWebKey{Key: key, KeyID: "first", Algorithm: "ES256", Use: "sig"}
	file := filepath.Join(t.TempDir(), "jwks.json")
	public := marshal(t, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{private.Public()}})
	if err := os.WriteFile(file, public, 0o600); err != nil {
		t.Fatal(err)
	}
	d.client("--id", "forms", "--name", "Example Forms", "--auth-method", "private_key_jwt", "--jwks", file, "--id-token-alg", "ES256",
		"--grant", "authorization_code", "--grant", "refresh_token", "--grant", "client_credentials", "--grant", oauth.GrantDeviceCode,
		"--redirect-uri", callback, "--post-logout-redirect-uri", afterLogout,
		"--scope", "openid", "--scope", "email", "--scope", "offline_access", "--scope", "notify.usage")
	s := d.start()
	type learned struct {
		Sub, Email, IDTokenAlg, TokenType, DeviceSub, MachineType, MachineScope, Left string
		Rotated, Before, After                                                        bool
	}
	var got learned
	j := d.journey(s)
	j.converse(person, &got, "openid-client.js", "ISSUER="+s.url, "CALLBACK="+callback, "AFTER_LOGOUT="+afterLogout,
		"CLIENT_ID=forms", "CLIENT_KEY="+string(marshal(t, private)), "MACHINE_SCOPE=notify.usage")
	want := learned{
		Sub: person.ID.String(), Email: person.Email, IDTokenAlg: "ES256", TokenType: "dpop", DeviceSub: person.ID.String(),
		MachineType: "dpop", MachineScope: "notify.usage", Left: afterLogout + "?state=bye-1234", Rotated: true, Before: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if res := j.get(s.url + "/"); res.status == http.StatusOK && strings.Contains(res.body, person.Name) {
		t.Errorf("still signed in: %s", res.body)
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
