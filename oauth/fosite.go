package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/handler/pkce"
	"github.com/ory/fosite/handler/rfc8628"
)

// The engine is fosite, composed by hand: authorization code with PKCE and
// OpenID Connect, refresh, client credentials, and nothing else. In front of it,
// authorize.go and token.go refuse what fosite would let pass. Behind it,
// fosite_store.go and fosite_tokens.go make each grant and each token.

// engine is fosite for each thing it is asked to do, so that no request passes
// through handlers that are not responsible for it.
type engine struct {
	authorize *fosite.Fosite
	grants    map[string]*fosite.Fosite // by grant type
}

// fosite returns the engine.
func (s *Server) fosite() *engine {
	s.once.Do(func() { s.engine = s.compose() })
	return s.engine
}

func (s *Server) compose() *engine {
	config, tokens, store := s.fositeConfig(), fositeTokens{s}, fositeStore{s}
	idTokens := &openid.IDTokenHandleHelper{IDTokenStrategy: tokens}
	code := &oauth2.AuthorizeExplicitGrantHandler{
		AccessTokenStrategy: tokens, RefreshTokenStrategy: tokens, AuthorizeCodeStrategy: tokens,
		CoreStorage: store, TokenRevocationStorage: store, Config: config,
	}
	challenge := &pkce.Handler{AuthorizeCodeStrategy: tokens, Storage: store, Config: config}
	connect := &openid.OpenIDConnectExplicitHandler{
		OpenIDConnectRequestStorage:   store,
		OpenIDConnectRequestValidator: openid.NewOpenIDConnectRequestValidator(nil, config),
		Config:                        config, IDTokenHandleHelper: idTokens,
	}
	refresh := &oauth2.RefreshTokenGrantHandler{
		AccessTokenStrategy: tokens, RefreshTokenStrategy: tokens, TokenRevocationStorage: store, Config: config,
	}
	own := &oauth2.ClientCredentialsGrantHandler{
		HandleHelper: &oauth2.HandleHelper{AccessTokenStrategy: tokens, AccessTokenStorage: store, Config: config},
		Config:       config,
	}
	device := &rfc8628.DeviceCodeTokenEndpointHandler{
		DeviceRateLimitStrategy: tokens, DeviceCodeStrategy: tokens, CoreStorage: store, TokenRevocationStorage: store,
		AccessTokenStrategy: tokens, RefreshTokenStrategy: tokens, Config: config,
	}
	deviceConnect := &openid.OpenIDConnectDeviceHandler{
		OpenIDConnectRequestStorage: store, DeviceCodeStrategy: tokens, Config: config, IDTokenHandleHelper: idTokens,
	}
	with := func(handlers ...fosite.TokenEndpointHandler) *fosite.Fosite {
		config := *config
		config.TokenEndpointHandlers = handlers
		return fosite.NewOAuth2Provider(store, &config)
	}
	config.AuthorizeEndpointHandlers = fosite.AuthorizeEndpointHandlers{code, challenge, connect}
	return &engine{authorize: fosite.NewOAuth2Provider(store, config), grants: map[string]*fosite.Fosite{
		GrantAuthorizationCode: with(code, challenge, connect),
		GrantRefreshToken:      with(refresh, &openid.OpenIDConnectRefreshHandler{IDTokenHandleHelper: idTokens, Config: config}),
		GrantClientCredentials: with(own),
		GrantDeviceCode:        with(device, deviceConnect),
	}}
}

func (s *Server) fositeConfig() *fosite.Config {
	return &fosite.Config{
		ScopeStrategy: fosite.ExactScopeStrategy,
		// Audiences are decided by resource indicators, not by fosite's parameter.
		AudienceMatchingStrategy:     func(_, _ []string) error { return nil },
		ClientAuthenticationStrategy: authenticatedClient,
		// Whether a client may leave PKCE out is decided before fosite looks.
		EnforcePKCEForPublicClients: true,
		// The grant type refresh_token is what entitles a client to one.
		RefreshTokenScopes:     []string{},
		OmitRedirectScopeParam: true,
		MinParameterEntropy:    len(noState),
		AuthorizeCodeLifespan:  s.Lifetimes.code(),
		AccessTokenLifespan:    s.Lifetimes.access(),
		RefreshTokenLifespan:   s.Lifetimes.refresh(),
		IDTokenLifespan:        s.Lifetimes.id(),
		IDTokenIssuer:          s.Issuer,
	}
}

// fositeClient is a client as fosite sees it.
type fositeClient struct {
	*Client
	// redirectURIs is the one of this request, which [MatchRedirect] has
	// accepted: fosite's own rule for loopback addresses is too kind.
	redirectURIs []string
}

func (c fositeClient) GetID() string                      { return c.ID }
func (c fositeClient) GetHashedSecret() []byte            { return nil } // secrets are compared by [Clients]
func (c fositeClient) GetRedirectURIs() []string          { return c.redirectURIs }
func (c fositeClient) GetGrantTypes() fosite.Arguments    { return c.GrantTypes }
func (c fositeClient) GetResponseTypes() fosite.Arguments { return fosite.Arguments{"code"} }
func (c fositeClient) GetScopes() fosite.Arguments        { return c.Scopes }
func (c fositeClient) IsPublic() bool                     { return c.Public }
func (c fositeClient) GetAudience() fosite.Arguments      { return nil }

// fositeClientKey is where a request's client travels: it is looked up, and
// authenticated, before fosite begins.
type fositeClientKey struct{}

func withFositeClient(ctx context.Context, c fositeClient) context.Context {
	return context.WithValue(ctx, fositeClientKey{}, c)
}

func authenticatedClient(ctx context.Context, _ *http.Request, _ url.Values) (fosite.Client, error) {
	if c, ok := ctx.Value(fositeClientKey{}).(fositeClient); ok {
		return c, nil
	}
	return nil, errors.New("no client in the context")
}

// GetClient implements fosite.ClientManager.
func (fositeStore) GetClient(ctx context.Context, _ string) (fosite.Client, error) {
	return authenticatedClient(ctx, nil, nil)
}

// noState stands in for a missing state, which fosite insists on.
const noState = "-"

// fositeRequest carries parameters that we have checked to fosite, which only
// reads them from an HTTP request.
func fositeRequest(ctx context.Context, form url.Values) *http.Request {
	r := &http.Request{Method: http.MethodPost, Header: http.Header{}, Form: form, PostForm: form}
	return r.WithContext(ctx)
}

// fositeAuthorization is an authorization request that fosite has read.
type fositeAuthorization = fosite.AuthorizeRequester
