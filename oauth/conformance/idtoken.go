package conformance

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// IDToken is a checked ID token.
type IDToken struct {
	Alg, KeyID string
	Subject    string
	SessionID  string // sid
	ACR        string
	AuthTime   *int64
	Claims     map[string]any
}

// signatureAlgs are those that a JWS is looked at with; never none.
var signatureAlgs = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// verified returns the payload of a JWS that one of the server's keys made.
func (e *Env) verified(what, token string) (jose.Header, []byte) {
	e.t.Helper()
	jws, err := jose.ParseSignedCompact(token, signatureAlgs)
	e.must("the "+what+" is no JWS", err)
	header := jws.Signatures[0].Header
	if header.KeyID == "" {
		e.Errorf("the %s has no kid", what)
	}
	matching := e.keys().Key(header.KeyID)
	if len(matching) == 0 {
		e.Fatalf("the JWK set lacks the key that the %s was signed with", what)
	}
	payload, err := jws.Verify(matching[0])
	e.must("the signature of the "+what, err)
	return header, payload
}

// skew is how far a clock may be off, as in the Foundation's suite.
const skew = 5 * time.Minute

// claims decodes claims and checks those that each of the server's tokens for a
// client has.
func (e *Env) claims(what string, payload []byte, c *Client) map[string]any {
	e.t.Helper()
	claims := map[string]any{}
	e.must("the claims of the "+what, json.Unmarshal(payload, &claims))
	if claims["iss"] != e.Issuer {
		e.Errorf("the iss of the %s is %v", what, claims["iss"])
	}
	if !forClient(claims["aud"], c.ID) {
		e.Errorf("the aud of the %s is %v", what, claims["aud"])
	}
	if azp, has := claims["azp"]; has && azp != c.ID {
		e.Errorf("the azp of the %s is %v", what, azp)
	}
	now := e.Clock()
	if iat, ok := e.moment(what, claims, "iat"); !ok || iat.After(now.Add(skew)) || iat.Before(now.Add(-skew)) {
		e.Errorf("the iat of the %s is %v", what, claims["iat"])
	}
	return claims
}

func forClient(aud any, client string) bool {
	if list, ok := aud.([]any); ok {
		return slices.Contains(list, any(client))
	}
	return aud == client
}

// moment reads a NumericDate.
func (e *Env) moment(what string, claims map[string]any, name string) (time.Time, bool) {
	e.t.Helper()
	value, has := claims[name]
	if !has {
		return time.Time{}, false
	}
	seconds, ok := value.(float64)
	if !ok {
		e.Errorf("the %s of the %s is no number", name, what)
	}
	return time.Unix(int64(seconds), 0), ok
}

// idToken checks an ID token that came with an access token (OpenID Connect
// Core sections 2 and 3.1.3.7).
func (e *Env) idToken(r *Request, tokens *Tokens) *IDToken {
	e.t.Helper()
	const what = "ID token"
	header, payload := e.verified(what, tokens.IDToken)
	e.contains("the algorithm of the ID token", e.Metadata().IDTokenAlgs, header.Algorithm)
	claims := e.claims(what, payload, r.Client)
	if exp, ok := e.moment(what, claims, "exp"); !ok || !exp.After(e.Clock().Add(-skew)) {
		e.Errorf("the exp of the ID token is %v", claims["exp"])
	}
	id := &IDToken{Alg: header.Algorithm, KeyID: header.KeyID, Claims: claims}
	id.Subject, _ = claims["sub"].(string)
	id.SessionID, _ = claims["sid"].(string)
	id.ACR, _ = claims["acr"].(string)
	if at, ok := e.moment(what, claims, "auth_time"); ok {
		seconds := at.Unix()
		id.AuthTime = &seconds
	}
	if id.Subject == "" || len(id.Subject) > 255 {
		e.Errorf("the sub of the ID token is %q", id.Subject)
	}
	e.checkStandardClaims(what, claims)
	e.checkIDTokenOf(r, tokens, id)
	return id
}

// checkIDTokenOf compares an ID token with its request and its access token.
func (e *Env) checkIDTokenOf(r *Request, tokens *Tokens, id *IDToken) {
	e.t.Helper()
	nonce, has := id.Claims["nonce"]
	if want := r.Params.Get("nonce"); has != (want != "") || has && nonce != want {
		e.Errorf("the nonce of the ID token is %v, sent %q", nonce, want)
	}
	if r.Params.Has("max_age") && id.AuthTime == nil {
		e.Errorf("the ID token has no auth_time although max_age was sent")
	}
	if hash, has := id.Claims["at_hash"]; has && hash != tokenHash(id.Alg, tokens.AccessToken) {
		e.Errorf("the at_hash of the ID token is %v", hash)
	}
}

// tokenHash is half the hash of a token (OpenID Connect Core section 3.1.3.6).
func tokenHash(alg, token string) string {
	var sum []byte
	switch {
	case alg == "EdDSA" || strings.HasSuffix(alg, "512"):
		s := sha512.Sum512([]byte(token))
		sum = s[:]
	case strings.HasSuffix(alg, "384"):
		s := sha512.Sum384([]byte(token))
		sum = s[:]
	default:
		s := sha256.Sum256([]byte(token))
		sum = s[:]
	}
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// sameSignIn checks that two ID tokens are about the same sign-in.
func (e *Env) sameSignIn(first, second *IDToken) {
	e.t.Helper()
	if first.Subject != second.Subject {
		e.Errorf("the sub changed")
	}
	if first.AuthTime != nil && second.AuthTime != nil && *first.AuthTime != *second.AuthTime {
		e.Errorf("the auth_time changed from %d to %d", *first.AuthTime, *second.AuthTime)
	}
}

// hasNonce reports whether a token that nobody has checked yet has a nonce.
func hasNonce(token string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Nonce string `json:"nonce"`
	}
	return err == nil && json.Unmarshal(payload, &claims) == nil && claims.Nonce != ""
}
