package oauth

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/directory"
)

// Types of the tokens we sign: the typ header, which keeps one kind from being
// taken for another (RFC 8725 section 3.11).
const (
	TypeAccessToken = "at+jwt" // RFC 9068
	TypeIDToken     = "JWT"
	TypeLogoutToken = "logout+jwt"
	// A signed userinfo answer is like an ID token, and must not serve as a hint.
	TypeUserInfo = "userinfo+jwt"
)

var tokenTypes = [...]string{TypeAccessToken, TypeIDToken, TypeLogoutToken, TypeUserInfo}

// ErrUnverified says that a token was not signed by one of our keys, or not in
// the way we sign.
var ErrUnverified = errors.New("token is not one of ours")

// maxTokenSize is the length in bytes beyond which a token is not looked at.
const maxTokenSize = 8 << 10

// Verified is a token whose signature is ours. Nothing else has been checked:
// who it is for and until when is the caller's business.
type Verified struct {
	KeyID  string
	Alg    string
	Type   string // one of the Type constants
	Claims json.RawMessage
}

// keySet is one immutable view of the keys.
type keySet struct {
	fingerprint string
	signers     map[string]*keySigner   // by algorithm
	headers     map[string]*keyVerifier // by the encoded header
	jwks        *document
	rows        []SigningKey // the published keys, without their private halves
}

// keySigner is an algorithm's active key with the headers of its tokens.
type keySigner struct {
	headers map[string]string // by type
	sign    func(input []byte) ([]byte, error)
}

// keyVerifier is a published key and the type that one of its headers says.
type keyVerifier struct {
	row    *SigningKey
	typ    string
	verify func(input, signature []byte) bool
}

func newKeySet(rows []SigningKey, sealer Sealer) (*keySet, error) {
	set := &keySet{fingerprint: fingerprint(rows), signers: map[string]*keySigner{}, headers: map[string]*keyVerifier{}}
	published := make([]json.RawMessage, len(rows))
	for i := range rows {
		row := &rows[i]
		published[i] = row.PublicJWK
		if err := set.addVerifiers(row); err != nil {
			return nil, err
		}
		if row.State == ActiveKey {
			if err := set.addSigner(row, sealer); err != nil {
				return nil, err
			}
		}
	}
	set.rows = slices.Clone(rows)
	for i := range set.rows {
		set.rows[i].Sealed = nil
	}
	set.jwks = newDocument(map[string]any{"keys": published}, jwksMaxAge)
	return set, nil
}

func (set *keySet) addVerifiers(row *SigningKey) error {
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(row.PublicJWK, &jwk); err != nil {
		return fmt.Errorf("signing key %s: %w", row.ID, err)
	}
	verify, err := verifyWith(jwk.Key)
	if err != nil {
		return fmt.Errorf("signing key %s: %w", row.ID, err)
	}
	for _, typ := range tokenTypes {
		set.headers[tokenHeader(row, typ)] = &keyVerifier{row: row, typ: typ, verify: verify}
	}
	return nil
}

func (set *keySet) addSigner(row *SigningKey, sealer Sealer) error {
	private, err := openKey(row, sealer)
	if err != nil {
		return err
	}
	sign, err := signWith(private)
	if err != nil {
		return fmt.Errorf("signing key %s: %w", row.ID, err)
	}
	s := &keySigner{headers: map[string]string{}, sign: sign}
	for _, typ := range tokenTypes {
		s.headers[typ] = tokenHeader(row, typ)
	}
	set.signers[row.Alg] = s
	return nil
}

// joseHeader is everything our tokens say about themselves.
type joseHeader struct {
	Alg string `json:"alg"`
	Kid string `json:"kid"`
	Typ string `json:"typ"`
}

// tokenHeader is the encoded header of a key's tokens. [Keys.Verify] knows our
// tokens by these bytes: whoever changes them must go on accepting the old ones.
func tokenHeader(row *SigningKey, typ string) string {
	b, _ := json.Marshal(joseHeader{Alg: row.Alg, Kid: row.ID, Typ: typ}) // strings always encode
	return base64.RawURLEncoding.EncodeToString(b)
}

func fingerprint(rows []SigningKey) string {
	var b strings.Builder
	for i := range rows {
		fmt.Fprintf(&b, "%s %s %d\n", rows[i].ID, rows[i].State, rows[i].ExpiresAt.UnixMicro())
	}
	return b.String()
}

// Sign returns the compact JWS of claims with the active key of an algorithm;
// typ is one of the Type constants. json.RawMessage claims are taken as they are.
func (k *Keys) Sign(_ context.Context, alg, typ string, claims any) (string, error) {
	set := k.current.Load()
	if set == nil {
		return "", fmt.Errorf("sign: keys not loaded: %w", directory.ErrUnavailable)
	}
	s := set.signers[alg]
	if s == nil || s.headers[typ] == "" {
		return "", fmt.Errorf("sign: no %q key for tokens of type %q", alg, typ)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	const signatureRoom = 4 + rsaBits/8*4/3
	token := make([]byte, 0, len(s.headers[typ])+base64.RawURLEncoding.EncodedLen(len(payload))+signatureRoom)
	token = append(token, s.headers[typ]...)
	token = append(token, '.')
	token = base64.RawURLEncoding.AppendEncode(token, payload)
	signature, err := s.sign(token)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	token = append(token, '.')
	return string(base64.RawURLEncoding.AppendEncode(token, signature)), nil
}

// strictBase64 refuses encodings that differ only in bits that do not count.
var strictBase64 = base64.RawURLEncoding.Strict()

// Verify checks that a token was signed by one of our keys that has not expired.
// It believes no header but the few that [Keys.Sign] writes, compared byte by
// byte: another alg, none, a jwk, jku, x5u or crit has no place to stand in.
// A failure is [ErrUnverified], or directory.ErrUnavailable when the key may be
// a new one and the store does not answer.
func (k *Keys) Verify(ctx context.Context, token string) (*Verified, error) {
	dot := strings.LastIndexByte(token, '.')
	// encoding/base64 skips line breaks even when it is strict.
	if len(token) > maxTokenSize || dot < 0 || strings.ContainsAny(token, "\r\n") {
		return nil, ErrUnverified
	}
	encodedHeader, payload, ok := strings.Cut(token[:dot], ".")
	if !ok || strings.IndexByte(payload, '.') >= 0 {
		return nil, ErrUnverified
	}
	v, err := k.verifier(ctx, encodedHeader)
	if err != nil {
		return nil, err
	}
	signature, err := strictBase64.DecodeString(token[dot+1:])
	if err != nil || v.row.expired(k.Clock()) || !v.verify([]byte(token[:dot]), signature) {
		return nil, ErrUnverified
	}
	claims, err := strictBase64.DecodeString(payload)
	if err != nil {
		return nil, ErrUnverified
	}
	return &Verified{KeyID: v.row.ID, Alg: v.row.Alg, Type: v.typ, Claims: claims}, nil
}

// verifier finds the key of an encoded header, in the store when a replica may
// have made it since.
func (k *Keys) verifier(ctx context.Context, encoded string) (*keyVerifier, error) {
	set := k.current.Load()
	if set == nil {
		return nil, fmt.Errorf("verify: keys not loaded: %w", directory.ErrUnavailable)
	}
	if v := set.headers[encoded]; v != nil {
		return v, nil
	}
	if !plausible(encoded) || !k.mayReload() {
		return nil, ErrUnverified
	}
	rows, err := k.Store.SigningKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("verify: read signing keys: %w", err)
	}
	if err := k.load(rows); err != nil {
		return nil, err
	}
	if v := k.current.Load().headers[encoded]; v != nil {
		return v, nil
	}
	return nil, ErrUnverified
}

// plausible reports whether an unknown header has the form of ours.
func plausible(encoded string) bool {
	b, err := strictBase64.DecodeString(encoded)
	if err != nil {
		return false
	}
	var h joseHeader
	if json.Unmarshal(b, &h) != nil {
		return false
	}
	thumbprint, err := strictBase64.DecodeString(h.Kid)
	if err != nil || len(thumbprint) != crypto.SHA256.Size() {
		return false
	}
	return tokenHeader(&SigningKey{ID: h.Kid, Alg: h.Alg}, h.Typ) == encoded
}

// mayReload lets one caller in every few seconds ask the store.
func (k *Keys) mayReload() bool {
	now, last := k.Clock().UnixNano(), k.reloaded.Load()
	return time.Duration(now-last) >= keysReloadEvery && k.reloaded.CompareAndSwap(last, now)
}
