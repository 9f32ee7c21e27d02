package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// rsaBits is the modulus length of RS256 keys: the least that RFC 7518 section
// 3.3 allows. Their life is too short for more to be worth a third signing cost.
const rsaBits = 2048

// generateKey makes a key for an algorithm. Its randomness is the runtime's own:
// key generation accepts no other source.
func generateKey(alg string, state KeyState, sealer Sealer, now time.Time) (SigningKey, error) {
	private, err := newPrivateKey(alg)
	if err != nil {
		return SigningKey{}, fmt.Errorf("generate %s key: %w", alg, err)
	}
	jwk := jose.JSONWebKey{Key: private.Public(), Algorithm: alg, Use: "sig"}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return SigningKey{}, fmt.Errorf("name %s key: %w", alg, err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	public, err := json.Marshal(jwk)
	if err != nil {
		return SigningKey{}, fmt.Errorf("encode %s key: %w", alg, err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return SigningKey{}, fmt.Errorf("encode %s key: %w", alg, err)
	}
	key := SigningKey{
		ID: jwk.KeyID, Alg: alg, State: state, PublicJWK: public, CreatedAt: now,
		Sealed: sealer.Seal(encoded, keyPlace(jwk.KeyID)),
	}
	if state == ActiveKey {
		key.ActivatesAt = now
	}
	return key, nil
}

func newPrivateKey(alg string) (crypto.Signer, error) {
	switch alg {
	case RS256:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	case ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	default:
		return nil, fmt.Errorf("unknown algorithm %q", alg)
	}
}

// openKey decrypts a row's private key.
func openKey(row *SigningKey, sealer Sealer) (crypto.Signer, error) {
	encoded, err := sealer.Open(row.Sealed, keyPlace(row.ID))
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", row.ID, err)
	}
	private, err := x509.ParsePKCS8PrivateKey(encoded)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", row.ID, err)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("signing key %s: a %T does not sign", row.ID, private)
	}
	return signer, nil
}

// keyPlace is what a sealed key is bound to: it opens for its own row alone.
func keyPlace(kid string) string { return "signing_keys/" + kid }
