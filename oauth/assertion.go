package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/internal/web"
)

// assertionType is the only client_assertion_type (RFC 7523 section 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

const (
	// maxAssertionLife is how far ahead an assertion may expire.
	maxAssertionLife = 5 * time.Minute
	// clockSkew is how far a client's clock may be ahead of ours.
	clockSkew = 30 * time.Second
)

// assertionAlgs are what clients may sign assertions with.
var assertionAlgs = []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA}

// Once remembers what may be presented only once.
type Once interface {
	// First reports whether an id is presented for the first time within ttl.
	// Of racing callers one is told so.
	First(ctx context.Context, id string, ttl time.Duration) (bool, error)
}

// assertionClaims are the claims that are checked. The audience is a single
// string: a list, in which other servers could stand, does not decode.
type assertionClaims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  string   `json:"aud"`
	ID        string   `json:"jti"`
	Expires   float64  `json:"exp"`
	NotBefore *float64 `json:"nbf"`
	IssuedAt  *float64 `json:"iat"`
}

// authenticateByAssertion checks a JWT signed by the client (private_key_jwt:
// RFC 7523 section 3, with the issuer as its only audience, RFC 10070).
func (cs *Clients) authenticateByAssertion(ctx context.Context, given credentials) (*Client, error) {
	if len(given.assertion) > maxTokenSize {
		return nil, because(errClient, "the assertion is too long")
	}
	jws, err := jose.ParseSignedCompact(given.assertion, assertionAlgs)
	if err != nil {
		return nil, because(errClient, "the assertion is no JWT in compact form with an algorithm that is accepted")
	}
	if !assertionTyp(jws) {
		return nil, because(errClient, "the assertion's typ says that it is for something else")
	}
	// Unverified so far: it only says whose keys to try.
	var claims assertionClaims
	if web.DecodeJSON(jws.UnsafePayloadWithoutVerification(), &claims, false) != nil {
		return nil, because(errClient, "the assertion's claims do not decode; the audience has to be one string, not a list")
	}
	c, err := cs.lookUp(ctx, claims.Subject, PrivateKeyJWT)
	if err != nil {
		return nil, err
	}
	web.Note(ctx, slog.String("client", c.ID))
	if given.clientID != "" && given.clientID != c.ID {
		return nil, because(errClient, "client_id and the assertion name different clients")
	}
	return c, cs.countCredentials(ctx, given, c, func() error { return cs.verifyAssertion(ctx, jws, c, &claims) })
}

// verifyAssertion checks who signed an assertion and what it claims, and uses it up.
func (cs *Clients) verifyAssertion(ctx context.Context, jws *jose.JSONWebSignature, c *Client, claims *assertionClaims) error {
	if !cs.signedBy(ctx, jws, c) {
		return because(errClient, "no key of the client verifies the assertion's signature")
	}
	ttl, err := cs.checkAssertion(claims)
	if err != nil {
		return err
	}
	return cs.once(ctx, c.ID, claims.ID, ttl)
}

// assertionTyp refuses JWTs that were made for something else (RFC 8725
// section 3.11).
func assertionTyp(jws *jose.JSONWebSignature) bool {
	typ, present := jws.Signatures[0].Header.ExtraHeaders[jose.HeaderType]
	return !present || typ == "JWT" || typ == "client-authentication+jwt"
}

// signedBy reports whether a client signed an assertion, with the algorithm it
// is registered for. Keys that a client publishes are read again for an
// assertion that none of those at hand made.
func (cs *Clients) signedBy(ctx context.Context, jws *jose.JSONWebSignature, c *Client) bool {
	if c.AuthSigningAlg != "" && jws.Signatures[0].Header.Algorithm != c.AuthSigningAlg {
		return false
	}
	return madeWith(jws, cs.keysOf(ctx, c, false)) || madeWith(jws, cs.keysOf(ctx, c, true))
}

// madeWith tries the keys that the assertion's header allows. Keys in the
// assertion itself, and addresses of keys, are ignored.
func madeWith(jws *jose.JSONWebSignature, set *jose.JSONWebKeySet) bool {
	if set == nil {
		return false
	}
	h := jws.Signatures[0].Header
	for i := range set.Keys {
		key := &set.Keys[i]
		if h.KeyID != "" && key.KeyID != "" && key.KeyID != h.KeyID || key.Algorithm != "" && key.Algorithm != h.Algorithm {
			continue
		}
		if _, err := jws.Verify(key.Key); err == nil {
			return true
		}
	}
	return false
}

// checkAssertion returns how long the assertion's id has to be remembered.
func (cs *Clients) checkAssertion(claims *assertionClaims) (time.Duration, error) {
	now := cs.Clock()
	ttl := numericDate(claims.Expires).Sub(now)
	if reason := cs.wrongClaim(claims, now, ttl); reason != "" {
		return 0, because(errClient, reason)
	}
	return ttl, nil
}

// wrongClaim names the first claim that is not as it has to be; "" for none.
func (cs *Clients) wrongClaim(claims *assertionClaims, now time.Time, ttl time.Duration) web.Reason {
	switch {
	case claims.Issuer != claims.Subject:
		return "the assertion's iss and sub differ"
	case claims.Audience != cs.Issuer:
		return "the assertion's aud is not the issuer of this service"
	case claims.ID == "", len(claims.ID) > 256:
		return "the assertion's jti is missing or too long"
	case ttl <= 0:
		return "the assertion has expired"
	case ttl > maxAssertionLife+clockSkew:
		return "the assertion's exp is more than five minutes ahead"
	case claims.NotBefore != nil && numericDate(*claims.NotBefore).After(now.Add(clockSkew)):
		return "the assertion's nbf is in the future"
	case claims.IssuedAt != nil && numericDate(*claims.IssuedAt).After(now.Add(clockSkew)):
		return "the assertion's iat is in the future"
	}
	return ""
}

// numericDate is RFC 7519's: seconds since 1970, possibly with a fraction.
// What is beyond any date becomes the far past or future.
func numericDate(seconds float64) time.Time {
	const farFuture = 1 << 40
	whole, fraction := math.Modf(min(max(seconds, -farFuture), farFuture))
	return time.Unix(int64(whole), int64(fraction*1e9))
}

// once burns an assertion's id.
func (cs *Clients) once(ctx context.Context, client, id string, ttl time.Duration) error {
	// The lengths in front keep "a"+"bc" and "ab"+"c" apart.
	sum := sha256.Sum256(fmt.Appendf(nil, "%d:%s%s", len(client), client, id))
	first, err := cs.Once.First(ctx, "assertion:"+base64.RawURLEncoding.EncodeToString(sum[:]), ttl)
	if err != nil {
		return err
	}
	if !first {
		return because(errClient, "an assertion with this jti was used before")
	}
	return nil
}
