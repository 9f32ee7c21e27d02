package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/internal/web"
)

// proofType is the typ of a DPoP proof, which no other JWT has.
const proofType = "dpop+jwt"

// maxProofID is the length in bytes that the jti of a proof may have.
const maxProofID = 256

// proofAlgs are what proofs may be signed with, those of the FAPI 2.0 Security
// Profile section 5.4. No symmetric one is among them: everybody would have the key.
var proofAlgs = []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.EdDSA}

// proof is a DPoP proof that its own key has signed.
type proof struct {
	thumbprint string // RFC 7638 with SHA-256, in base64url
	claims     proofClaims
}

// proofClaims are the claims that are checked (RFC 9449 section 4.2).
type proofClaims struct {
	ID        string   `json:"jti"`
	Method    string   `json:"htm"`
	Target    string   `json:"htu"`
	IssuedAt  *float64 `json:"iat"`
	Expires   *float64 `json:"exp"`
	NotBefore *float64 `json:"nbf"`
	TokenHash string   `json:"ath"`
	Nonce     string   `json:"nonce"`
}

// readProof checks what a proof says by itself: its form, its key and its
// signature. Failures are *web.Error with the code invalid_dpop_proof.
func readProof(raw string) (*proof, error) {
	if len(raw) > maxProofSize {
		return nil, invalidProof("The DPoP proof is too large")
	}
	jws, err := jose.ParseSignedCompact(raw, proofAlgs)
	if err != nil {
		return nil, invalidProof("The DPoP proof is not a JWT signed with an algorithm that is taken here")
	}
	h := jws.Signatures[0].Header
	_, critical := h.ExtraHeaders["crit"]
	switch {
	case h.ExtraHeaders[jose.HeaderType] != proofType:
		return nil, invalidProof("The typ of the DPoP proof is not " + proofType)
	case critical:
		return nil, invalidProof("The DPoP proof has extensions, of which none is known here")
	case h.JSONWebKey == nil || !usableProofKey(h.Algorithm, h.JSONWebKey.Key):
		return nil, invalidProof("The DPoP proof has no public key of its algorithm")
	}
	payload, err := jws.Verify(h.JSONWebKey.Key)
	if err != nil {
		return nil, invalidProof("The signature of the DPoP proof is not by its key")
	}
	p := &proof{}
	if web.DecodeJSON(payload, &p.claims, false) != nil || !p.claims.complete() {
		return nil, invalidProof("The DPoP proof lacks a claim, or has a malformed one")
	}
	sum, err := h.JSONWebKey.Thumbprint(crypto.SHA256)
	p.thumbprint = base64.RawURLEncoding.EncodeToString(sum)
	return p, err
}

// complete reports whether the claims are there that every proof has.
func (c *proofClaims) complete() bool {
	return c.ID != "" && len(c.ID) <= maxProofID && c.Method != "" && c.Target != "" && c.IssuedAt != nil
}

// usableProofKey reports whether a key is a public one that the algorithm is for.
func usableProofKey(alg string, key any) bool {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		return alg == string(jose.ES256) && k.Curve == elliptic.P256()
	case *rsa.PublicKey:
		bits := k.N.BitLen()
		return alg == string(jose.PS256) && bits >= 2048 && bits <= 4096
	case ed25519.PublicKey:
		return alg == string(jose.EdDSA)
	}
	return false
}

// sameTarget reports whether an htu is an address of ours, after the
// normalisation that RFC 9449 section 4.3 advises. Its query and fragment do
// not count.
func sameTarget(htu, ours string) bool {
	a, err := url.Parse(htu)
	if err != nil || a.User != nil || a.Opaque != "" {
		return false
	}
	b, err := url.Parse(ours)
	if err != nil {
		return false
	}
	return strings.EqualFold(a.Scheme, b.Scheme) && authority(a) == authority(b) && a.EscapedPath() == b.EscapedPath()
}

// authority is the host of an address in lower case, without its scheme's own port.
func authority(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch strings.ToLower(u.Scheme) {
	case "https":
		return strings.TrimSuffix(host, ":443")
	case "http":
		return strings.TrimSuffix(host, ":80")
	}
	return host
}

// proofAlgNames is proofAlgs as metadata and challenges list them.
func proofAlgNames() []string {
	names := make([]string, len(proofAlgs))
	for i, alg := range proofAlgs {
		names[i] = string(alg)
	}
	return names
}
