package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// peerTarget is how many times a peer's rate ours should be, at the least.
const peerTarget = 2.0

// A peer is another authorization server that runs from a registry and can be
// given the same paths, clients and person.
type peer struct {
	name string
	dir  string // where server.js and its packages are
	pkg  string // the package that names its version
}

// peers are those that every run measures.
var peers = []peer{{name: "oidc-provider", dir: "cmd/gatehouse/testdata/oidc-provider", pkg: "oidc-provider"}}

// peerResult is what was measured of a peer.
type peerResult struct {
	name, version string
	redis         bool // it kept its data in Redis
	cases         []*measurement
}

// perSecond is the peer's rate in the case of a name; 0 when it has no such case.
func (r *peerResult) perSecond(name string) float64 {
	for _, m := range r.cases {
		if m.name == name {
			return m.perSecond
		}
	}
	return 0
}

// peerClient is how a peer is told of a client, in RFC 7591's names and two more.
type peerClient struct {
	ID            string   `json:"client_id"`
	Secret        string   `json:"client_secret"`
	GrantTypes    []string `json:"grant_types"`
	ResponseTypes []string `json:"response_types"`
	RedirectURIs  []string `json:"redirect_uris"`
	Scope         string   `json:"scope"`
	IDTokenAlg    string   `json:"id_token_signed_response_alg"`
	TokenFormat   string   `json:"access_token_format,omitempty"`
	TokenAlg      string   `json:"access_token_signed_response_alg,omitempty"`
}

// peerSecret is every peer client's, as long as the secrets we generate.
const peerSecret = "0123456789abcdef0123456789abcdef0123456789a"

func peerFixtures() (*fixtures, []peerClient) {
	machine := peerClient{Secret: peerSecret, GrantTypes: []string{"client_credentials"}, ResponseTypes: []string{}, RedirectURIs: []string{}, Scope: "notify.admin", IDTokenAlg: "RS256"}
	signed := machine
	signed.ID, signed.TokenFormat, signed.TokenAlg = "machine", "jwt", "ES256"
	rsa := machine
	rsa.ID, rsa.TokenFormat, rsa.TokenAlg = "rsa", "jwt", "RS256"
	opaque := machine
	opaque.ID = "opaque"
	rp := peerClient{
		ID: "rp", Secret: peerSecret, GrantTypes: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"},
		RedirectURIs: []string{callback}, Scope: "openid email offline_access", IDTokenAlg: "RS256",
	}
	curve := rp
	curve.ID, curve.IDTokenAlg = "curve", "ES256"
	known := func(c peerClient) client { return client{c.ID, c.Secret} }
	return &fixtures{machine: known(signed), rsa: known(rsa), opaque: known(opaque), rp: known(rp), curve: known(curve)},
		[]peerClient{signed, rsa, opaque, rp, curve}
}

// peerRun is a peer that runs beside ours, to be measured case by case: what
// else the machine does then bears on both.
type peerRun struct {
	server *process
	cases  []testCase
	result *peerResult
}

// startPeer starts a peer with its data where the engine's are: in Redis, or in
// the process.
func (b *bench) startPeer(ctx context.Context, p peer, e engine) (*peerRun, error) {
	f, clients := peerFixtures()
	server, err := p.start(ctx, clients, e, filepath.Join(b.dir, p.name+".log"))
	if err != nil {
		return nil, err
	}
	run := &peerRun{server: server, result: &peerResult{name: p.name, redis: e.redisURL != ""}}
	if err := run.prepare(ctx, p, f, b.connections); err != nil {
		server.stop()
		return nil, fmt.Errorf("%w\n%s", err, server.log())
	}
	return run, nil
}

func (r *peerRun) prepare(ctx context.Context, p peer, f *fixtures, connections int) (err error) {
	if r.result.version, err = p.version(ctx); err != nil {
		return err
	}
	if f.browser, err = newBrowser(r.server.url); err != nil {
		return err
	}
	if err := f.obtain(ctx); err != nil {
		return err
	}
	r.cases, err = f.shared(ctx, connections)
	return err
}

// measure measures the peer's case of a name, if it has one.
func (r *peerRun) measure(ctx context.Context, b *bench, name string) error {
	for _, c := range r.cases {
		if c.name != name {
			continue
		}
		measured, err := b.measure(ctx, r.server, c)
		if err != nil {
			return err
		}
		logMeasurement("× "+r.result.name, measured)
		r.result.cases = append(r.result.cases, measured)
	}
	return nil
}

// start runs the peer with the clients.
func (p peer) start(ctx context.Context, clients []peerClient, e engine, log string) (*process, error) {
	if _, err := os.Stat(filepath.Join(p.dir, "node_modules")); err != nil {
		return nil, errors.New("its packages are not there: run make bench")
	}
	raw, err := json.Marshal(clients)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, "node", "server.js")
	command.Dir = p.dir
	command.Env = append(
		os.Environ(), "NODE_ENV=production", "REFRESH=always", "CLIENTS="+string(raw),
		`PERSON={"sub":"bench-user","email":"bench@example.gov.uk","email_verified":true}`,
		"REDIS_URL="+e.redisURL, "REDIS_PREFIX=bench-"+p.name+"-"+strconv.Itoa(os.Getpid())+":",
	)
	return start(ctx, command, log)
}

// version is the version of the peer and of what runs it.
func (p peer) version(ctx context.Context) (string, error) {
	content, err := os.ReadFile(filepath.Join(p.dir, "node_modules", p.pkg, "package.json"))
	if err != nil {
		return "", err
	}
	var manifest struct{ Version string }
	if err := json.Unmarshal(content, &manifest); err != nil {
		return "", err
	}
	node, err := exec.CommandContext(ctx, "node", "--version").Output()
	return manifest.Version + " on Node " + strings.TrimSpace(string(node)), err
}
