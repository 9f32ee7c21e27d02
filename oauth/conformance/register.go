package conformance

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// registered is what the server answers to a registration (RFC 7591 section 3.2.1).
type registered struct {
	ClientID    string `json:"client_id"`
	Secret      string `json:"client_secret"`
	SecretEnds  *int64 `json:"client_secret_expires_at"`
	AuthMethod  string `json:"token_endpoint_auth_method"`
	AccessToken string `json:"registration_access_token"`
	ClientURI   string `json:"registration_client_uri"`
}

// registration is the request of a client that authenticates with private_key_jwt.
func (e *Env) registration(c *Client, more map[string]any) map[string]any {
	e.t.Helper()
	c.AuthMethod, c.KeyID, c.Key = "private_key_jwt", random(10), e.newKey()
	c.RedirectURI = "https://rp.example.test/" + random(10) + "/cb"
	metadata := map[string]any{
		"client_name": "Conformance " + c.KeyID, "redirect_uris": []string{c.RedirectURI}, "response_types": []string{"code"},
		"grant_types": []string{"authorization_code"}, "token_endpoint_auth_method": c.AuthMethod, "jwks": e.publicKeys(c),
		"contacts": []string{"conformance@rp.example.test"},
	}
	maps.Copy(metadata, more)
	for name, value := range metadata {
		if value == nil {
			delete(metadata, name)
		}
	}
	return metadata
}

// publicKeys is the JWK set of a client.
func (e *Env) publicKeys(c *Client) jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: c.Key.Public(), KeyID: c.KeyID, Algorithm: "ES256", Use: "sig"}}}
}

// callRegister sends metadata to the registration endpoint.
func (e *Env) callRegister(metadata map[string]any) *Answer {
	e.t.Helper()
	endpoint := e.Metadata().RegistrationEndpoint
	if endpoint == "" {
		e.Fatalf("registration_endpoint is missing")
	}
	body, err := json.Marshal(metadata)
	e.must("encode registration", err)
	r, err := http.NewRequestWithContext(e.t.Context(), http.MethodPost, endpoint, bytes.NewReader(body))
	e.must("make request", err)
	r.Header.Set("Content-Type", "application/json")
	if e.InitialToken != "" {
		r.Header.Set("Authorization", "Bearer "+e.InitialToken)
	}
	return e.call(r)
}

// Register registers a client, with more in its metadata or, for nil, less.
func (e *Env) Register(more map[string]any) *Client {
	e.t.Helper()
	c := &Client{}
	return e.registerAs(c, e.registration(c, more))
}

// registerAs sends metadata that has to be taken, and unregisters with the test.
func (e *Env) registerAs(c *Client, metadata map[string]any) *Client {
	e.t.Helper()
	answer := e.callRegister(metadata)
	if answer.Status != http.StatusCreated {
		var refusal tokenError
		e.JSON(answer, &refusal)
		e.Fatalf("the registration endpoint answers %d %s: %s", answer.Status, refusal.Code, refusal.Description)
	}
	var got registered
	e.JSON(answer, &got)
	if got.ClientID == "" || got.AuthMethod != c.AuthMethod {
		e.Fatalf("the registration answers client_id %q with the method %q", got.ClientID, got.AuthMethod)
	}
	if got.Secret != "" && got.SecretEnds == nil {
		e.Errorf("the registration answers a secret without client_secret_expires_at")
	}
	if (got.AccessToken == "") != (got.ClientURI == "") {
		e.Errorf("the registration answers one of registration_access_token and registration_client_uri")
	}
	c.ID, c.Secret = got.ClientID, got.Secret
	e.ends = append(e.ends, func() { e.unregister(&got) })
	return c
}

// unregister deletes a client (RFC 7592 section 2.3).
func (e *Env) unregister(c *registered) {
	e.t.Helper()
	if c.ClientURI == "" {
		return
	}
	r := e.newRequest(http.MethodDelete, c.ClientURI, nil)
	r.Header.Set("Authorization", "Bearer "+c.AccessToken)
	if status := e.call(r).Status; status != http.StatusNoContent {
		e.Warn("a registered client cannot be unregistered")
	}
}

// notRegistered sends metadata that has to be refused.
func (e *Env) notRegistered(metadata map[string]any, codes ...string) {
	e.t.Helper()
	answer := e.callRegister(metadata)
	if answer.Status != http.StatusBadRequest {
		e.Fatalf("the registration endpoint answers %d", answer.Status)
	}
	var refusal tokenError
	e.JSON(answer, &refusal)
	if !slices.Contains(codes, refusal.Code) {
		e.Errorf("the error is %q, want one of %q", refusal.Code, codes)
	}
}
