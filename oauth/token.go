package oauth

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/web"
)

// userScopes are about a user: a client on its own has no use for them.
var userScopes = []string{ScopeOpenID, ScopeProfile, ScopeEmail, ScopePhone, ScopeOfflineAccess, ScopeMarketplaceProfile}

// tokenBody is a successful answer of the token endpoint (RFC 6749 section 5.1).
type tokenBody struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
	// IssuedTokenType is what was given out for another token (RFC 8693 section 2.2.1).
	IssuedTokenType string `json:"issued_token_type,omitempty"`
}

// Token is the token endpoint (RFC 6749 section 3.2).
func (s *Server) Token(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	key, err := s.proofKey(w, r)
	if err != nil {
		return err
	}
	client, err := s.Clients.Authenticate(r.Context(), r)
	if err != nil {
		return unavailable(err)
	}
	if err := s.checkTokenRequest(client, form); err != nil {
		return err
	}
	if client.DPoPBound && key == "" {
		// RFC 9449 section 5.2: never a token that anybody could use.
		return invalidProof("The client takes only tokens bound to a key: a DPoP proof is required")
	}
	web.Note(r.Context(), slog.String("client", client.ID), slog.String("grant_type", form.Get("grant_type")))
	body, err := s.exchange(r.Context(), &exchange{client: client, form: form, key: key})
	if err != nil {
		return protocolError(err)
	}
	w.Header().Set("Pragma", "no-cache")
	return web.WriteJSON(w, http.StatusOK, body)
}

// checkTokenRequest refuses what fosite would refuse late, in other words, or not at all.
func (s *Server) checkTokenRequest(client *Client, form url.Values) error {
	grantType := form.Get("grant_type")
	switch {
	case grantType == "":
		return refuse("invalid_request", "The parameter grant_type is missing")
	case !slices.Contains(grantTypes, grantType):
		return refuse("unsupported_grant_type", "The grant type is not supported")
	case !slices.Contains(client.GrantTypes, grantType), client.Public && slices.Contains(confidentialGrants, grantType):
		return refuse("unauthorized_client", "The client is not registered for this grant type")
	}
	if grantType == GrantTokenExchange {
		return checkExchange(form)
	}
	if err := s.checkResources(client, resourcesOf(form)); err != nil {
		return err
	}
	switch grantType {
	case GrantAuthorizationCode:
		return require(form, "code")
	case GrantRefreshToken:
		return require(form, "refresh_token")
	case GrantDeviceCode:
		return require(form, "device_code")
	}
	return ownScopes(client, form)
}

func require(form url.Values, name string) error {
	if !form.Has(name) {
		return refuse("invalid_request", "The parameter "+name+" is missing")
	}
	return nil
}

// ownScopes decides what a client on its own asks for: without a scope
// parameter everything it is registered for, and never anything about a user.
func ownScopes(client *Client, form url.Values) error {
	if !form.Has("scope") {
		own := slices.DeleteFunc(slices.Clone(client.Scopes), func(scope string) bool { return slices.Contains(userScopes, scope) })
		form.Set("scope", strings.Join(own, " "))
		return nil
	}
	for _, scope := range scopeList(form.Get("scope")) {
		if slices.Contains(userScopes, scope) {
			return refuse("invalid_scope", "The scope "+scope+" needs a user")
		}
	}
	return nil
}

// exchange lets fosite run a token request. Where more than one row is written
// for the tokens they are written together.
func (s *Server) exchange(ctx context.Context, x *exchange) (*tokenBody, error) {
	if x.form.Get("grant_type") == GrantTokenExchange {
		return s.exchangeToken(ctx, x)
	}
	if code := cmp.Or(x.form.Get("code"), x.form.Get("device_code")); code != "" {
		x.since = s.bursts.enter(code, s.now())
		defer s.bursts.leave(code)
		runtime.Gosched() // Requests that are here already join the burst before one of them redeems the code.
	}
	if x.client.TokenFormat != Opaque || x.form.Get("grant_type") == GrantClientCredentials {
		return s.run(ctx, x)
	}
	var body *tokenBody
	var refused error
	err := s.Store.InTx(ctx, func(ctx context.Context) error {
		body, refused = s.run(ctx, x)
		if isRefusal(refused) {
			return nil // a spent code stays spent
		}
		return refused
	})
	if err == nil {
		err = refused
	}
	return body, err
}

// tokenType is how a token is to be presented: with a proof by the key of a
// thumbprint, or, where there is none, by whoever bears it.
func tokenType(key string) string {
	if key != "" {
		return "DPoP"
	}
	return "Bearer"
}

func (s *Server) run(ctx context.Context, x *exchange) (*tokenBody, error) {
	ctx = withFositeClient(ctx, fositeClient{Client: x.client})
	provider := s.fosite().grants[x.form.Get("grant_type")]
	request, err := provider.NewAccessRequest(ctx, fositeRequest(ctx, x.form), x)
	if err != nil {
		return nil, err
	}
	if x.grant == nil {
		for _, scope := range request.GetRequestedScopes() {
			request.GrantScope(scope)
		}
	}
	response, err := provider.NewAccessResponse(ctx, request)
	if err != nil {
		return nil, err
	}
	idToken, _ := response.GetExtra("id_token").(string)
	return &tokenBody{
		AccessToken: x.access.token, TokenType: tokenType(x.key), ExpiresIn: int64(x.access.expires.Sub(s.now()) / time.Second),
		RefreshToken: x.refresh, IDToken: idToken, Scope: strings.Join(x.access.scopes, " "),
	}, nil
}
