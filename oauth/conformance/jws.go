package conformance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// newKey makes a P-256 key.
func (e *Env) newKey() *ecdsa.PrivateKey {
	e.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	e.must("make key", err)
	return key
}

// rawJWS signs a header and claims with ES256, however wrong they are: a library
// would refuse to make most of what the negative tests send.
func (e *Env) rawJWS(key *ecdsa.PrivateKey, header, claims map[string]any) string {
	e.t.Helper()
	input := e.part(header) + "." + e.part(claims)
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	e.must("sign", err)
	const half = 32 // bytes of a coordinate (RFC 7518 section 3.4)
	signature := make([]byte, 2*half)
	r.FillBytes(signature[:half])
	s.FillBytes(signature[half:])
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func (e *Env) part(v map[string]any) string {
	e.t.Helper()
	encoded, err := json.Marshal(v)
	e.must("encode", err)
	return base64.RawURLEncoding.EncodeToString(encoded)
}

// publicJWK is a public key as the member jwk of a header.
func (e *Env) publicJWK(key any) map[string]any {
	e.t.Helper()
	encoded, err := json.Marshal(jose.JSONWebKey{Key: key})
	e.must("encode key", err)
	jwk := map[string]any{}
	e.must("encode key", json.Unmarshal(encoded, &jwk))
	return jwk
}

// thumbprint is the RFC 7638 thumbprint of a key.
func (e *Env) thumbprint(key *ecdsa.PrivateKey) string {
	e.t.Helper()
	sum, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
	e.must("thumbprint", err)
	return base64.RawURLEncoding.EncodeToString(sum)
}

// brokenSignature changes what a JWS was signed with.
func brokenSignature(token string) string {
	dot := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil || len(signature) == 0 {
		return token + "AA"
	}
	signature[0] ^= 0x5a
	return token[:dot+1] + base64.RawURLEncoding.EncodeToString(signature)
}
