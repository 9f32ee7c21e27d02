package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
)

// fositeTokens makes the codes and tokens of an exchange. The signatures fosite
// asks for are the tokens themselves: only fositeStore reads them.
type fositeTokens struct{ s *Server }

var (
	_ oauth2.CoreStrategy               = fositeTokens{}
	_ openid.OpenIDConnectTokenStrategy = fositeTokens{}
)

// GenerateAuthorizeCode makes the grant's code.
func (t fositeTokens) GenerateAuthorizeCode(_ context.Context, r fosite.Requester) (code, signature string, err error) {
	g := r.GetSession().(*exchange).grant
	code, g.CodeHash, err = t.s.references().mint(codeReference, g.ID)
	return code, code, err
}

// GenerateRefreshToken returns the refresh token that fositeStore has made.
func (t fositeTokens) GenerateRefreshToken(_ context.Context, r fosite.Requester) (token, signature string, err error) {
	token = r.GetSession().(*exchange).refresh
	return token, token, nil
}

// GenerateAccessToken makes a token in the format the client wants.
func (t fositeTokens) GenerateAccessToken(ctx context.Context, r fosite.Requester) (token, signature string, err error) {
	x := r.GetSession().(*exchange)
	now := t.s.now()
	x.access = issuedToken{expires: t.s.expiry(now, x.grant, t.s.Lifetimes.access()), scopes: r.GetGrantedScopes()}
	if x.client.TokenFormat == Opaque {
		err = t.opaque(x, now)
	} else {
		err = t.signed(ctx, x, now)
	}
	return x.access.token, x.access.token, err
}

func (t fositeTokens) signed(ctx context.Context, x *exchange, now time.Time) error {
	id, err := t.s.newID()
	if err != nil {
		return err
	}
	x.access.token, err = t.s.Keys.Sign(ctx, x.client.AccessTokenAlg, TypeAccessToken, t.s.accessClaims(x, id, now))
	return err
}

func (t fositeTokens) opaque(x *exchange, now time.Time) (err error) {
	row := &OpaqueToken{
		ClientID: x.client.ID, Grant: x.grantID(), Scopes: x.access.scopes, Audience: t.s.audience(x),
		KeyThumbprint: x.key, CreatedAt: now, ExpiresAt: x.access.expires,
	}
	x.access.opaque = row
	x.access.token, row.Hash, err = t.s.references().mintAccess(row.ExpiresAt)
	return err
}

// GenerateIDToken makes an ID token (OpenID Connect Core section 2).
func (t fositeTokens) GenerateIDToken(ctx context.Context, lifetime time.Duration, r fosite.Requester) (string, error) {
	x := r.GetSession().(*exchange)
	g, alg, now := x.grant, x.client.IDTokenAlg, t.s.now()
	info, err := t.s.idTokenInfo(ctx, g)
	if err != nil {
		return "", err
	}
	return t.s.Keys.Sign(ctx, alg, TypeIDToken, idClaims{
		userInfo: info,
		Issuer:   t.s.Issuer, Subject: x.subject(), Audience: x.client.ID,
		Expires: now.Add(lifetime).Unix(), IssuedAt: now.Unix(), AuthTime: g.AuthTime.Unix(),
		Nonce: g.Nonce, ACR: g.ACR, AMR: g.AMR, SessionID: g.SessionID, TokenHash: tokenHash(alg, x.access.token),
	})
}

// expiry is when a token of a lifetime ends, never after its grant.
func (s *Server) expiry(now time.Time, g *Grant, lifetime time.Duration) time.Time {
	expires := now.Add(lifetime)
	if g != nil && g.ExpiresAt.Before(expires) {
		return g.ExpiresAt
	}
	return expires
}

// tokenHash is the at_hash of an access token: half the hash that the ID
// token's algorithm uses, SHA-512 for Ed25519.
func tokenHash(alg, token string) string {
	if alg == EdDSA {
		sum := sha512.Sum512([]byte(token))
		return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	}
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// idClaims are the claims of an ID token.
type idClaims struct {
	Issuer    string    `json:"iss"`
	Subject   string    `json:"sub"`
	Audience  string    `json:"aud"`
	Expires   int64     `json:"exp"`
	IssuedAt  int64     `json:"iat"`
	AuthTime  int64     `json:"auth_time"`
	Nonce     string    `json:"nonce,omitempty"`
	ACR       string    `json:"acr,omitempty"`
	AMR       []string  `json:"amr,omitempty"`
	SessionID uuid.UUID `json:"sid,omitzero"`
	TokenHash string    `json:"at_hash,omitempty"`
	// What the claims parameter asked for about the user; nil for nothing.
	*userInfo
}

// audience is the aud claim: one string where there is one (RFC 7519 section 4.1.3).
type audience []string

// MarshalJSON implements json.Marshaler.
func (a audience) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]string(a))
}

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*a = make(audience, 1)
		return json.Unmarshal(b, &(*a)[0])
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// AuthorizeCodeSignature implements oauth2.AuthorizeCodeStrategy.
func (fositeTokens) AuthorizeCodeSignature(_ context.Context, code string) string { return code }

// RefreshTokenSignature implements oauth2.RefreshTokenStrategy.
func (fositeTokens) RefreshTokenSignature(_ context.Context, token string) string { return token }

// AccessTokenSignature implements oauth2.AccessTokenStrategy.
func (fositeTokens) AccessTokenSignature(_ context.Context, token string) string { return token }

// ValidateAuthorizeCode has nothing to add to what fositeStore checked.
func (fositeTokens) ValidateAuthorizeCode(context.Context, fosite.Requester, string) error {
	return nil
}

// ValidateRefreshToken has nothing to add to what fositeStore checked.
func (fositeTokens) ValidateRefreshToken(context.Context, fosite.Requester, string) error { return nil }

// ValidateAccessToken is done by accesstoken.go.
func (fositeTokens) ValidateAccessToken(context.Context, fosite.Requester, string) error {
	return errNotAsked
}
