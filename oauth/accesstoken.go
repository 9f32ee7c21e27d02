package oauth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// accessClaims are the claims of a JWT access token (RFC 9068).
type accessClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	Expires  int64    `json:"exp"`
	IssuedAt int64    `json:"iat"`
	ID       string   `json:"jti"`
	ClientID string   `json:"client_id"`
	Scope    string   `json:"scope,omitempty"`
	// Authorities are the roles of a client that acts on its own. A user's token
	// does not carry them: the client's power is not the user's.
	Authorities []string `json:"authorities,omitempty"`
	// Grant names the grant that the token ends with.
	Grant     uuid.UUID `json:"gid,omitzero"`
	SessionID uuid.UUID `json:"sid,omitzero"`
	AuthTime  int64     `json:"auth_time,omitempty"`
	ACR       string    `json:"acr,omitempty"`
	AMR       []string  `json:"amr,omitempty"`
	// Confirmation names the key that the token is bound to; nil for none.
	Confirmation *confirmation `json:"cnf,omitempty"`
	// Actor is who acts for the subject with a token that was exchanged; nil for others.
	Actor *actor `json:"act,omitempty"`
	// Parents name the tokens that it was exchanged for, the last one first; there
	// are as many as there are actors. It ends with each of them.
	Parents []string `json:"parents,omitempty"`
}

// confirmation is the cnf claim (RFC 7800) of a token that is only good together
// with a proof by a key (RFC 9449 section 6).
type confirmation struct {
	KeyThumbprint string `json:"jkt"`
}

// confirm is the cnf of a key; nil for none.
func confirm(key string) *confirmation {
	if key == "" {
		return nil
	}
	return &confirmation{KeyThumbprint: key}
}

// key is the thumbprint of the key that the token is bound to; "" for none.
func (t *accessToken) key() string {
	if t.Confirmation == nil {
		return ""
	}
	return t.Confirmation.KeyThumbprint
}

// rolePrefix is what Spring's resource servers expect in front of a role.
const rolePrefix = "ROLE_"

func (s *Server) accessClaims(x *exchange, id uuid.UUID, now time.Time) accessClaims {
	c := accessClaims{
		Issuer: s.Issuer, Subject: x.subject(), Audience: s.audience(x), Expires: x.access.expires.Unix(),
		IssuedAt: now.Unix(), ID: id.String(), ClientID: x.client.ID, Scope: strings.Join(x.access.scopes, " "), Confirmation: confirm(x.key),
	}
	g := x.grant
	if g == nil {
		c.Authorities = authorities(x.client)
		return c
	}
	c.Grant, c.SessionID, c.AuthTime, c.ACR, c.AMR = g.ID, g.SessionID, g.AuthTime.Unix(), g.ACR, g.AMR
	return c
}

func authorities(c *Client) []string {
	all := make([]string, len(c.Roles))
	for i, role := range c.Roles {
		all[i] = rolePrefix + role
	}
	return all
}

// errInvalidToken says that an access token is not one of ours, is over, or was revoked.
var errInvalidToken = errors.New("invalid access token")

// accessToken is an access token that was presented, whichever its format.
type accessToken struct {
	accessClaims
	row *OpaqueToken // of an opaque one; nil for a JWT
	// user is whom the token speaks for, which a pairwise sub does not tell;
	// uuid.Nil for a client's own token, and until the grant was looked up.
	user uuid.UUID
	// claims are those that the grant gives beside its scopes, see [Grant.Claims].
	claims string
}

// name is what a revocation calls the token: a JWT by its jti, and an opaque one,
// which tells nobody its own, by its hash.
func (t *accessToken) name() string {
	if t.row == nil {
		return t.ID
	}
	return "opaque:" + base64.RawURLEncoding.EncodeToString(t.row.Hash)
}

func (t *accessToken) scopes() []string { return scopeList(t.Scope) }

// hasScope reports whether the token carries a scope.
func (t *accessToken) hasScope(scope string) bool { return slices.Contains(t.scopes(), scope) }

// scopeList splits a scope parameter or claim.
func scopeList(scope string) []string { return strings.Fields(scope) }

// accessToken returns what a live token says: ours, in time, not revoked, its
// grant not ended, its user not locked. It fails with errInvalidToken, or
// directory.ErrUnavailable when that cannot be known.
func (s *Server) accessToken(ctx context.Context, raw string) (*accessToken, error) {
	t, err := s.parseAccessToken(ctx, raw)
	if err != nil {
		return nil, err
	}
	if err := s.liveActors(ctx, t); err != nil {
		return nil, err
	}
	if t.Grant == uuid.Nil {
		return t, gone(s.Store.LiveClient(ctx, t.ClientID, t.ID))
	}
	live := *t // t may be shared with other requests
	live.user, err = s.Store.LiveGrant(ctx, t.Grant, t.ID)
	return &live, gone(err)
}

// accessTokenOfUser is accessToken for the user a token speaks for; a client's
// own token has none and fails with errInvalidToken.
func (s *Server) accessTokenOfUser(ctx context.Context, raw string) (*accessToken, *directory.User, error) {
	t, err := s.parseAccessToken(ctx, raw)
	if err != nil {
		return nil, nil, err
	}
	if t.Grant == uuid.Nil {
		return nil, nil, because(errInvalidToken, "the token speaks for a client, not for a user")
	}
	if err := s.liveActors(ctx, t); err != nil {
		return nil, nil, err
	}
	user, claims, err := s.Store.UserOfGrant(ctx, t.Grant, t.ID)
	if err != nil {
		return nil, nil, gone(err)
	}
	live := *t // t may be shared with other requests
	live.user, live.claims = user.ID, claims
	return &live, user, nil
}

func gone(err error) error {
	if errors.Is(err, directory.ErrNotFound) {
		return errEnded
	}
	return err
}

// The reasons why a token is refused that have several places.
var (
	errEnded   = because(errInvalidToken, "the token was revoked, its grant or client has ended, or its user is locked or not active")
	errExpired = because(errInvalidToken, "the token has expired")
)

// parseAccessToken returns what a token says, without asking whether it was revoked.
func (s *Server) parseAccessToken(ctx context.Context, raw string) (*accessToken, error) {
	if strings.HasPrefix(raw, string(accessReference)) {
		return s.lookUp(ctx, raw)
	}
	hash := [32]byte(hashOf(raw))
	t := s.verified.get(hash)
	if t == nil {
		var err error
		if t, err = s.verify(ctx, raw); err != nil {
			return nil, err
		}
		s.verified.put(hash, t)
	}
	if s.Clock().Unix() >= t.Expires {
		return nil, errExpired
	}
	return t, nil
}

// verify reads a JWT. Anything but an access token of ours is refused by its
// type: an ID token, a logout token, a client's assertion.
func (s *Server) verify(ctx context.Context, raw string) (*accessToken, error) {
	v, err := s.Keys.Verify(ctx, raw)
	if errors.Is(err, ErrUnverified) {
		return nil, because(errInvalidToken, "no key of ours verifies the token's signature")
	}
	if err != nil {
		return nil, err
	}
	var t accessToken
	if v.Type != TypeAccessToken {
		return nil, because(errInvalidToken, "the token is of ours, but no access token")
	}
	if json.Unmarshal(v.Claims, &t.accessClaims) != nil || t.Issuer != s.Issuer {
		return nil, because(errInvalidToken, "the token was issued under another issuer's name")
	}
	return &t, nil
}

// lookUp finds an opaque token.
func (s *Server) lookUp(ctx context.Context, raw string) (*accessToken, error) {
	expires, hash, ok := s.references().parseAccess(raw)
	if !ok {
		return nil, because(errInvalidToken, "the token is not one that this service made")
	}
	row, err := s.Store.OpaqueToken(ctx, expires, hash)
	if err != nil {
		return nil, gone(err)
	}
	if !s.Clock().Before(row.ExpiresAt) {
		return nil, errExpired
	}
	t := &accessToken{row: row, accessClaims: accessClaims{
		Issuer: s.Issuer, Subject: row.ClientID, Audience: row.Audience, Expires: row.ExpiresAt.Unix(),
		IssuedAt: row.CreatedAt.Unix(), ClientID: row.ClientID, Scope: strings.Join(row.Scopes, " "), Grant: row.Grant,
		Confirmation: confirm(row.KeyThumbprint),
	}}
	if row.Actor != "" {
		var from descent
		if err := json.Unmarshal([]byte(row.Actor), &from); err != nil {
			return nil, fmt.Errorf("decode act: %w", err)
		}
		t.Subject, t.Actor, t.Parents = row.Subject, &from.actor, from.Parents
	}
	return t, s.describe(ctx, t)
}

// describe adds what an opaque token's row does not hold.
func (s *Server) describe(ctx context.Context, t *accessToken) error {
	if t.Grant == uuid.Nil && t.Actor != nil {
		return nil // no authorities, see delegate
	}
	if t.Grant == uuid.Nil {
		client, err := s.Clients.Get(ctx, t.ClientID)
		if err != nil {
			return gone(err)
		}
		t.Authorities = authorities(client)
		return nil
	}
	g, err := s.Store.Grant(ctx, t.Grant)
	if err != nil {
		return gone(err)
	}
	t.Subject, t.SessionID, t.AuthTime, t.ACR, t.AMR = g.sub(), g.SessionID, g.AuthTime.Unix(), g.ACR, g.AMR
	return nil
}
