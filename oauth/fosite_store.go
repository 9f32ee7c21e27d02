package oauth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/handler/pkce"

	"gatehouse/authn"
	"gatehouse/directory"
)

// fositeStore answers fosite's questions from the grant of an exchange.
//
// Fosite reads a code or refresh token first and invalidates it later, in
// several steps that two requests can interleave. Here reading is redeeming:
// the getters run one conditional update, of which at most one succeeds for a
// value, and the later steps find nothing left to do. A code is therefore spent
// by the first try of its client, whether the verifier then fits or not.
type fositeStore struct{ s *Server }

var (
	_ fosite.Storage                     = fositeStore{}
	_ oauth2.CoreStorage                 = fositeStore{}
	_ oauth2.TokenRevocationStorage      = fositeStore{}
	_ pkce.PKCERequestStorage            = fositeStore{}
	_ openid.OpenIDConnectRequestStorage = fositeStore{}
)

// CreateAuthorizeCodeSession stores the grant with the code's hash.
func (st fositeStore) CreateAuthorizeCodeSession(ctx context.Context, _ string, r fosite.Requester) error {
	return st.s.Store.CreateGrant(ctx, r.GetSession().(*exchange).grant)
}

// GetAuthorizeCodeSession redeems a code.
func (st fositeStore) GetAuthorizeCodeSession(ctx context.Context, code string, session fosite.Session) (fosite.Requester, error) {
	x := session.(*exchange)
	if x.grant != nil {
		return x.request, nil
	}
	id, hash, ok := st.s.references().parse(codeReference, code)
	if !ok {
		return nil, because(fosite.ErrNotFound, "the code is not one that this service made")
	}
	return st.redeem(ctx, x, id, hash)
}

// redeem spends a code, a device's among them, for a request whose proof is by
// the key that the code is bound to.
func (st fositeStore) redeem(ctx context.Context, x *exchange, id uuid.UUID, hash []byte) (fosite.Requester, error) {
	spent := st.presented(x, id, hash)
	if x.mayRefresh() {
		var err error
		if x.refresh, spent.Refresh, err = st.s.references().mint(refreshReference, id); err != nil {
			return nil, err
		}
	}
	request, err := st.spend(ctx, x, spent, st.s.Store.RedeemCode, st.codeReplayed)
	if err == nil && x.grant.KeyThumbprint != spent.RefreshKey {
		return nil, refuse("invalid_grant", "The code is bound to another key")
	}
	return request, err
}

// presented is the use of a code or refresh token that a request presents.
func (st fositeStore) presented(x *exchange, id uuid.UUID, hash []byte) Exchange {
	return Exchange{Grant: id, ClientID: x.client.ID, Presented: hash, Key: x.key, RefreshKey: x.refreshKey(), At: st.s.now()}
}

// refreshGrace is how long after a refresh token was replaced its use is put
// down to a client that sent it twice, or that never got the answer.
const refreshGrace = 10 * time.Second

// GetRefreshTokenSession replaces a refresh token by its successor, where the
// client's rotate.
func (st fositeStore) GetRefreshTokenSession(ctx context.Context, token string, session fosite.Session) (fosite.Requester, error) {
	x := session.(*exchange)
	id, hash, ok := st.s.references().parse(refreshReference, token)
	if !ok {
		return nil, because(fosite.ErrNotFound, "the refresh token is not one that this service made")
	}
	if x.form.Has("scope") || x.form.Has("resource") || x.client.MinimumACR != "" {
		if err := st.checkRefresh(ctx, x, id); err != nil {
			return nil, err
		}
	}
	spent := st.presented(x, id, hash)
	x.refresh, spent.Refresh = token, hash
	if x.rotates() {
		x.refresh, spent.Refresh = st.s.references().successor(st.s.Secrets[0], id, hash)
	}
	return st.spend(ctx, x, spent, st.s.Store.Rotate, st.refreshReplayed)
}

// spend uses a code or refresh token up. The refresh token given out in return
// is made before, so that one statement does both.
func (st fositeStore) spend(ctx context.Context, x *exchange, spent Exchange,
	use func(context.Context, Exchange) (*Grant, error), replayed func(context.Context, *exchange, *Grant, []byte) error,
) (fosite.Requester, error) {
	g, err := use(ctx, spent)
	if errors.Is(err, directory.ErrNotFound) {
		return st.refused(ctx, x, spent, replayed)
	}
	if err != nil {
		return nil, err
	}
	x.over(g)
	// Of a code, which this try has spent; a refresh was held against its grant before.
	return x.request, within(g.Audience, resourcesOf(x.form))
}

// refused finds out whether what could not be spent is a replay, which its
// grant may have to pay for. Another client's try never is: it would let anybody
// who sees a code end somebody else's grant.
func (st fositeStore) refused(ctx context.Context, x *exchange, spent Exchange,
	replayed func(context.Context, *exchange, *Grant, []byte) error,
) (fosite.Requester, error) {
	g, err := st.s.Store.Grant(ctx, spent.Grant)
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return nil, err
	}
	if err == nil && g.ClientID == x.client.ID {
		if err := replayed(ctx, x, g, spent.Presented); err != nil {
			return nil, err
		}
	}
	if x.grant == nil {
		return nil, because(fosite.ErrNotFound, whyNotSpent(x, g, spent))
	}
	return x.request, nil
}

// codeReplayed ends the grant when a redeemed code comes again with everything
// else in order (RFC 6749 section 4.1.2). Requests of the burst in which the code
// was redeemed lost a race and are no replay.
func (st fositeStore) codeReplayed(ctx context.Context, x *exchange, g *Grant, hash []byte) error {
	redeemed := !g.CodeRedeemedAt.IsZero() && x.since.After(g.CodeRedeemedAt)
	inOrder := bytes.Equal(g.CodeHash, hash) && x.form.Get("redirect_uri") == g.RedirectURI && verifies(g.CodeChallenge, x.form.Get("code_verifier"))
	if !redeemed || !inOrder {
		return nil
	}
	return st.s.endGrant(ctx, g, "code replayed")
}

// refreshReplayed ends the family when a refresh token comes again that was
// replaced, except for an honest client's double submission.
func (st fositeStore) refreshReplayed(ctx context.Context, x *exchange, g *Grant, hash []byte) error {
	switch {
	case bytes.Equal(g.RefreshHash, hash): // refused because of its user, its age or its key
		return nil
	case bytes.Equal(g.PreviousRefreshHash, hash) && st.s.now().Sub(g.RefreshedAt) <= refreshGrace:
		return st.refreshAgain(ctx, x, g, hash)
	default:
		return st.s.endGrant(ctx, g, "refresh token replayed")
	}
}

// refreshAgain gives the client that sent a refresh token twice the same
// successor twice. The family stays one: whichever answer the client keeps, it
// holds the refresh token the grant is at.
func (st fositeStore) refreshAgain(ctx context.Context, x *exchange, g *Grant, hash []byte) error {
	if _, err := st.s.Store.LiveGrant(ctx, g.ID, ""); err != nil {
		if errors.Is(err, directory.ErrNotFound) {
			return nil
		}
		return err
	}
	if g.KeyThumbprint != "" && g.KeyThumbprint != x.refreshKey() {
		return nil
	}
	for _, secret := range st.s.Secrets {
		token, successor := st.s.references().successor(secret, g.ID, hash)
		if bytes.Equal(successor, g.RefreshHash) && st.s.now().Before(g.ExpiresAt) {
			x.refresh = token
			x.over(g)
			return nil
		}
	}
	return nil
}

// checkRefresh refuses a refresh for more than was granted, or on the strength of
// less than the client accepts by now, before the token is spent.
func (st fositeStore) checkRefresh(ctx context.Context, x *exchange, id uuid.UUID) error {
	g, err := st.s.Store.Grant(ctx, id)
	if errors.Is(err, directory.ErrNotFound) {
		return because(fosite.ErrNotFound, whyNotSpent(x, nil, Exchange{}))
	}
	if err != nil {
		return err
	}
	for _, scope := range x.scopesOf(g) {
		if !slices.Contains(g.Scopes, scope) {
			return refuse("invalid_scope", "The scope exceeds what was granted")
		}
	}
	// What was done counts, of which the request may have wanted less told.
	if !x.client.admits(authn.LevelOf(g.AMR)) {
		return refuse("invalid_grant", "The user signed in at a level that the client no longer accepts")
	}
	return within(g.Audience, resourcesOf(x.form))
}

// verifies reports whether a PKCE verifier fits a challenge; "" fits "".
func verifies(challenge, verifier string) bool {
	if challenge == "" || verifier == "" {
		return challenge == verifier
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// GetPKCERequestSession returns the challenge of the grant that was redeemed.
func (st fositeStore) GetPKCERequestSession(_ context.Context, _ string, session fosite.Session) (fosite.Requester, error) {
	x := session.(*exchange)
	if x.grant.CodeChallenge == "" {
		return nil, fosite.ErrNotFound
	}
	return x.request, nil
}

// GetOpenIDConnectSession returns the grant that was redeemed when it is for an ID token.
func (st fositeStore) GetOpenIDConnectSession(_ context.Context, _ string, r fosite.Requester) (fosite.Requester, error) {
	x := r.GetSession().(*exchange)
	if !slices.Contains(x.grant.Scopes, ScopeOpenID) {
		return nil, openid.ErrNoSessionFound
	}
	return x.request, nil
}

// CreateAccessTokenSession stores an opaque access token; a JWT has no row.
func (st fositeStore) CreateAccessTokenSession(ctx context.Context, _ string, r fosite.Requester) error {
	if t := r.GetSession().(*exchange).access.opaque; t != nil {
		return st.s.Store.CreateOpaqueToken(ctx, t)
	}
	return nil
}

// What follows has been done by the time fosite asks for it, or is never asked
// for: the code, the challenge and the OpenID Connect session are one row, which
// the getters have updated and which replays have been checked against.

// InvalidateAuthorizeCodeSession is done by GetAuthorizeCodeSession.
func (fositeStore) InvalidateAuthorizeCodeSession(context.Context, string) error { return nil }

// CreatePKCERequestSession is done by CreateAuthorizeCodeSession.
func (fositeStore) CreatePKCERequestSession(context.Context, string, fosite.Requester) error {
	return nil
}

// DeletePKCERequestSession is done by GetAuthorizeCodeSession.
func (fositeStore) DeletePKCERequestSession(context.Context, string) error { return nil }

// CreateOpenIDConnectSession is done by CreateAuthorizeCodeSession.
func (fositeStore) CreateOpenIDConnectSession(context.Context, string, fosite.Requester) error {
	return nil
}

// DeleteOpenIDConnectSession is done by GetAuthorizeCodeSession.
func (fositeStore) DeleteOpenIDConnectSession(context.Context, string) error { return nil }

// CreateRefreshTokenSession is done by the getters.
func (fositeStore) CreateRefreshTokenSession(context.Context, string, string, fosite.Requester) error {
	return nil
}

// RotateRefreshToken is done by GetRefreshTokenSession.
func (fositeStore) RotateRefreshToken(context.Context, string, string) error { return nil }

var errNotAsked = errors.New("fosite asked for what this server does itself")

// DeleteRefreshTokenSession is done by endGrant.
func (fositeStore) DeleteRefreshTokenSession(context.Context, string) error { return errNotAsked }

// RevokeRefreshToken is done by endGrant.
func (fositeStore) RevokeRefreshToken(context.Context, string) error { return errNotAsked }

// RevokeAccessToken is done by endGrant.
func (fositeStore) RevokeAccessToken(context.Context, string) error { return errNotAsked }

// GetAccessTokenSession is done by accesstoken.go.
func (fositeStore) GetAccessTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, errNotAsked
}

// DeleteAccessTokenSession is done by revoke.go.
func (fositeStore) DeleteAccessTokenSession(context.Context, string) error { return errNotAsked }

// ClientAssertionJWTValid is done by [Clients].
func (fositeStore) ClientAssertionJWTValid(context.Context, string) error { return errNotAsked }

// SetClientAssertionJWT is done by [Clients].
func (fositeStore) SetClientAssertionJWT(context.Context, string, time.Time) error {
	return errNotAsked
}
