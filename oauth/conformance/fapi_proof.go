package conformance

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"
)

// assertion is a client assertion before it is signed.
type assertion struct {
	header, claims map[string]any
	sign           func(a *assertion) string // nil signs with the client's ES256 key
	finish         func(token string) string // nil leaves the token as it is
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// assert makes a client assertion with the issuer as its only audience.
func (f *fapiClient) assert(change func(a *assertion)) string {
	f.e.t.Helper()
	now := f.e.Clock().Unix()
	a := &assertion{
		header: map[string]any{"alg": "ES256", "typ": "JWT", "kid": f.KeyID},
		claims: map[string]any{"iss": f.ID, "sub": f.ID, "aud": f.e.Issuer, "jti": random(26), "iat": now, "exp": now + 60},
	}
	if change != nil {
		change(a)
	}
	var token string
	if a.sign != nil {
		token = a.sign(a)
	} else {
		token = f.e.rawJWS(f.Key, a.header, a.claims)
	}
	if a.finish != nil {
		token = a.finish(token)
	}
	return token
}

// proof is a DPoP proof before it is signed (RFC 9449 section 4.2).
type proof struct {
	header, claims map[string]any
	key            *ecdsa.PrivateKey
	finish         func(token string) string
	attach         func(h http.Header, token string) // nil sets the one header
}

// prove adds a proof to a request; token is the access token it goes with, or "".
func (f *fapiClient) prove(r *http.Request, token string, change func(p *proof)) {
	f.e.t.Helper()
	target := *r.URL
	target.RawQuery, target.Fragment = "", ""
	p := &proof{
		header: map[string]any{"alg": "ES256", "typ": "dpop+jwt", "jwk": f.e.publicJWK(f.key.Public())},
		claims: map[string]any{"htm": r.Method, "htu": target.String(), "jti": random(26), "iat": f.e.Clock().Unix()},
		key:    f.key,
	}
	if f.nonce != "" {
		p.claims["nonce"] = f.nonce
	}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		p.claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	if change != nil {
		change(p)
	}
	signed := f.e.rawJWS(p.key, p.header, p.claims)
	if p.finish != nil {
		signed = p.finish(signed)
	}
	if p.attach != nil {
		p.attach(r.Header, signed)
		return
	}
	r.Header.Set("DPoP", signed)
}

// later is a change of a proof's iat.
func later(d time.Duration) func(p *proof) {
	return func(p *proof) { p.claims["iat"] = p.claims["iat"].(int64) + int64(d/time.Second) }
}
