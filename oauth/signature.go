package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"math/big"
)

// es256Half is the length of r and of s, which an ES256 signature is the
// concatenation of (RFC 7518 section 3.4).
const es256Half = 32

// signWith returns the JWS signature function of a private key. The algorithm
// follows from the key's type alone.
func signWith(private crypto.Signer) (func(input []byte) ([]byte, error), error) {
	switch key := private.(type) {
	case *rsa.PrivateKey:
		return func(input []byte) ([]byte, error) {
			digest := sha256.Sum256(input)
			return rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
		}, nil
	case *ecdsa.PrivateKey:
		return func(input []byte) ([]byte, error) { return signES256(key, input) }, nil
	case ed25519.PrivateKey:
		return func(input []byte) ([]byte, error) { return ed25519.Sign(key, input), nil }, nil
	default:
		return nil, fmt.Errorf("no signature algorithm for %T", private)
	}
}

func signES256(key *ecdsa.PrivateKey, input []byte) ([]byte, error) {
	digest := sha256.Sum256(input)
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return nil, err
	}
	signature := make([]byte, 2*es256Half)
	r.FillBytes(signature[:es256Half])
	s.FillBytes(signature[es256Half:])
	return signature, nil
}

// verifyWith returns the JWS verification function of a public key.
func verifyWith(public any) (func(input, signature []byte) bool, error) {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return func(input, signature []byte) bool {
			digest := sha256.Sum256(input)
			return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
		}, nil
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return nil, fmt.Errorf("curve %s is not ES256's", key.Params().Name)
		}
		return func(input, signature []byte) bool { return verifyES256(key, input, signature) }, nil
	case ed25519.PublicKey:
		return func(input, signature []byte) bool { return ed25519.Verify(key, input, signature) }, nil
	default:
		return nil, fmt.Errorf("no signature algorithm for %T", public)
	}
}

func verifyES256(key *ecdsa.PublicKey, input, signature []byte) bool {
	if len(signature) != 2*es256Half {
		return false
	}
	digest := sha256.Sum256(input)
	r, s := new(big.Int).SetBytes(signature[:es256Half]), new(big.Int).SetBytes(signature[es256Half:])
	return ecdsa.Verify(key, digest[:], r, s)
}
