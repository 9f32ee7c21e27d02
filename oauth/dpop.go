package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// proofHeader carries the proof of a request (RFC 9449 section 4.1),
// nonceHeader the nonce for the next one (section 8).
const (
	proofHeader = "Dpop"
	nonceHeader = "Dpop-Nonce"
)

const (
	// proofWindow is how far from our clock, either way, a proof may be made.
	proofWindow = time.Minute
	// maxProofSize is the length in bytes beyond which a proof is not looked at;
	// one with an RSA key of 4096 bits has about 2,000.
	maxProofSize = 4 << 10
)

// proofKey checks the DPoP proof of a request without an access token and
// returns the thumbprint (RFC 7638) of the key that made it; "" for a request
// without a proof. A proof that is not acceptable is a *web.Error with the code
// invalid_dpop_proof or use_dpop_nonce, a cache that does not answer is 503.
//
// It comes before the client is authenticated: a client that has to try again
// with a nonce may then send the same assertion.
func (s *Server) proofKey(w http.ResponseWriter, r *http.Request) (thumbprint string, err error) {
	return s.checkProof(w, r, "")
}

// checkProof is proofKey for a proof that comes with an access token, "" for
// none (RFC 9449 section 4.3).
func (s *Server) checkProof(w http.ResponseWriter, r *http.Request, token string) (thumbprint string, err error) {
	proofs := r.Header[proofHeader]
	if len(proofs) == 0 {
		return "", nil
	}
	w.Header().Set(nonceHeader, s.proofNonce())
	if len(proofs) > 1 {
		return "", invalidProof("There is more than one DPoP proof")
	}
	p, err := readProof(proofs[0])
	if err != nil {
		return "", err
	}
	if err := s.checkProofTime(&p.claims); err != nil {
		return "", err
	}
	if err := s.checkProofRequest(&p.claims, r, token); err != nil {
		return "", err
	}
	return p.thumbprint, s.spendProof(r, p)
}

func invalidProof(description string) error { return refuse("invalid_dpop_proof", description) }

// checkProofTime holds a proof against our clock.
func (s *Server) checkProofTime(c *proofClaims) error {
	now := s.Clock()
	age := now.Sub(numericDate(*c.IssuedAt))
	switch {
	case age > proofWindow, age < -proofWindow:
		return invalidProof("The iat of the DPoP proof is not close enough to this server's clock")
	case c.Expires != nil && now.Sub(numericDate(*c.Expires)) >= clockSkew:
		return invalidProof("The DPoP proof has expired")
	case c.NotBefore != nil && numericDate(*c.NotBefore).Sub(now) > clockSkew:
		return invalidProof("The DPoP proof is not valid yet")
	}
	return nil
}

// checkProofRequest holds a proof against the request that it came with.
func (s *Server) checkProofRequest(c *proofClaims, r *http.Request, token string) error {
	switch {
	case c.Method != r.Method:
		return invalidProof("The htm of the DPoP proof is not the method of the request")
	case !sameTarget(c.Target, s.Issuer+r.URL.EscapedPath()):
		return invalidProof("The htu of the DPoP proof is not the address of the request")
	case token != "" && subtle.ConstantTimeCompare([]byte(c.TokenHash), []byte(accessTokenHash(token))) == 0:
		return invalidProof("The ath of the DPoP proof is not the hash of the access token")
	case !s.knowsNonce(c.Nonce):
		return refuse("use_dpop_nonce", "The DPoP proof needs the nonce in the header DPoP-Nonce of this answer")
	}
	return nil
}

// accessTokenHash is the ath of proofs that go with an access token.
func accessTokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// spendProof uses a proof up. That comes last: whoever is told to try again has
// not lost anything. Proofs are remembered by key, so that nobody can use up
// somebody else's.
func (s *Server) spendProof(r *http.Request, p *proof) error {
	ttl := numericDate(*p.claims.IssuedAt).Add(proofWindow).Sub(s.Clock()) + time.Second
	var id strings.Builder
	id.WriteString("dpop:" + p.thumbprint + ":")
	id.WriteString(accessTokenHash(p.claims.ID)) // any text has a hash of this length
	first, err := s.Once.First(r.Context(), id.String(), ttl)
	if err != nil {
		return unavailable(err)
	}
	if !first {
		return invalidProof("The DPoP proof was used before")
	}
	return nil
}
