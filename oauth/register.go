package oauth

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// RegisterPath is the client registration endpoint (RFC 7591). A client's own
// configuration endpoint is below it, at its id (RFC 7592).
const RegisterPath = "/register"

// Registrar lets holders of an initial access token register clients, and
// clients manage themselves. What they can become is narrow: see [restrict].
type Registrar struct {
	Clients *Clients
	Store   RegistrationStore
	Tries   Tries
	Issuer  string
	// Scopes are what a client can register for; none are DefaultRegistrationScopes.
	Scopes []string
}

// RegistrationStore keeps initial access tokens, by their SHA-256.
type RegistrationStore interface {
	CreateInitialToken(ctx context.Context, t InitialToken) error
	// LiveInitialToken returns directory.ErrNotFound unless a token has a use
	// left and has not expired.
	LiveInitialToken(ctx context.Context, hash []byte, now time.Time) error
	// UseInitialToken takes one use; directory.ErrNotFound as above.
	UseInitialToken(ctx context.Context, hash []byte, now time.Time) error
}

// registration is what the endpoints answer (RFC 7591 section 3.2.1).
type registration struct {
	ClientDocument

	RegistrationAccessToken string `json:"registration_access_token"`
	RegistrationClientURI   string `json:"registration_client_uri"`
}

// Register answers POST on [RegisterPath].
func (g *Registrar) Register(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	initial, err := g.bearer(r)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(initial, initialTokenPrefix) {
		return noRegistration()
	}
	if err := g.Store.LiveInitialToken(ctx, hashSecret(initial), g.Clients.now()); err != nil {
		return registrationTokenError(err)
	}
	asked, err := g.read(r)
	if err != nil {
		return err
	}
	c, err := g.restrict(asked)
	if err != nil {
		return err
	}
	if err := g.Clients.named(c); err != nil {
		return err
	}
	manage, err := g.Clients.token(registrationTokenPrefix)
	if err != nil {
		return err
	}
	c.RegistrationTokenHash = hashSecret(manage)
	secret, err := g.create(ctx, c, hashSecret(initial))
	if err != nil {
		return registrationError(err)
	}
	return g.answer(w, http.StatusCreated, c, secret, manage)
}

// create uses the token up and stores the client, both or neither.
func (g *Registrar) create(ctx context.Context, c *Client, initial []byte) (secret string, err error) {
	if err := g.Clients.prepare(ctx, c); err != nil {
		return "", err
	}
	err = g.Clients.Store.InTx(ctx, func(ctx context.Context) error {
		if err := g.Store.UseInitialToken(ctx, initial, g.Clients.now()); err != nil {
			return registrationTokenError(err)
		}
		secret, err = g.Clients.create(ctx, directory.Actor{Kind: "client", ID: c.ID}, c)
		return err
	})
	return secret, err
}

// Show answers GET on a client's configuration endpoint (RFC 7592 section 2.1).
// The secret is not in it: only its hash is kept.
func (g *Registrar) Show(w http.ResponseWriter, r *http.Request) error {
	c, token, err := g.managed(r)
	if err != nil {
		return err
	}
	return g.answer(w, http.StatusOK, c, "", token)
}

// Replace answers PUT (RFC 7592 section 2.2): what the request leaves out is
// back at its default, but for what is the operator's.
func (g *Registrar) Replace(w http.ResponseWriter, r *http.Request) error {
	old, token, err := g.managed(r)
	if err != nil {
		return err
	}
	asked, err := g.read(r)
	if err != nil {
		return err
	}
	c, err := g.restrict(asked)
	if err != nil {
		return err
	}
	switch {
	case asked.ClientID != old.ID:
		return refuse("invalid_client_metadata", "The client_id is missing or another client's")
	case asked.ClientSecret != "" && subtle.ConstantTimeCompare(hashSecret(asked.ClientSecret), old.SecretHash) != 1:
		return refuse("invalid_client_metadata", "A client cannot choose its secret")
	}
	if err := g.Clients.prepare(r.Context(), c); err != nil {
		return registrationError(err)
	}
	c.keepOperators(old)
	secret, err := g.Clients.replace(r.Context(), directory.Actor{Kind: "client", ID: c.ID}, old, c)
	if err != nil {
		return registrationError(err)
	}
	return g.answer(w, http.StatusOK, c, secret, token)
}

// Remove answers DELETE (RFC 7592 section 2.3): everything issued to the client
// ends with it.
func (g *Registrar) Remove(w http.ResponseWriter, r *http.Request) error {
	c, _, err := g.managed(r)
	if err != nil {
		return err
	}
	err = g.Clients.Delete(r.Context(), directory.Actor{Kind: "client", ID: c.ID}, c.ID)
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return unavailable(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// managed returns the client that a request may manage, and the token that
// says so. Whether a client exists is not told to others.
func (g *Registrar) managed(r *http.Request) (*Client, string, error) {
	token, err := g.bearer(r)
	if err != nil {
		return nil, "", err
	}
	id := r.PathValue("client_id")
	if !clientID.MatchString(id) {
		return nil, "", noRegistration()
	}
	c, err := g.Clients.Store.Client(r.Context(), id)
	if err != nil {
		return nil, "", registrationTokenError(err)
	}
	// No token hashes to the empty hash of a client that the operator manages.
	if subtle.ConstantTimeCompare(c.RegistrationTokenHash, hashSecret(token)) != 1 {
		return nil, "", noRegistration()
	}
	return c, token, nil
}

// bearer counts a request and returns its token.
func (g *Registrar) bearer(r *http.Request) (string, error) {
	if err := count(r.Context(), g.Tries, authn.Try{Kind: "registration", Subject: networkOf(r), Limit: registrationsPerNetwork}); err != nil {
		return "", err
	}
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || len(r.Header["Authorization"]) != 1 {
		e := noRegistration()
		e.Header = http.Header{"Www-Authenticate": {`Bearer realm="gatehouse"`}}
		return "", e
	}
	return token, nil
}

// read returns what a request's body asks for.
func (g *Registrar) read(r *http.Request) (*registrationRequest, error) {
	var asked registrationRequest
	body, err := web.ReadJSONBody(r)
	if err == nil {
		err = asked.read(body)
	}
	if err != nil {
		if errors.Is(err, web.ErrBody) {
			return nil, refuse("invalid_client_metadata", "The request body is not a JSON object of client metadata")
		}
		return nil, err
	}
	return &asked, nil
}

func (g *Registrar) answer(w http.ResponseWriter, status int, c *Client, secret, token string) error {
	d := c.DocumentWithSecret(secret)
	d.Origin = ""
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	return web.WriteJSON(w, status, registration{
		ClientDocument: d, RegistrationAccessToken: token, RegistrationClientURI: g.Issuer + RegisterPath + "/" + c.ID,
	})
}

// noRegistration refuses a token; it is the same for every reason.
func noRegistration() *web.Error {
	return &web.Error{
		Status: http.StatusUnauthorized, Code: "invalid_token", Message: "The token does not allow this",
		Header: http.Header{"Www-Authenticate": {`Bearer realm="gatehouse", error="invalid_token"`}},
	}
}

func registrationTokenError(err error) error {
	if errors.Is(err, directory.ErrNotFound) {
		return noRegistration()
	}
	return unavailable(err)
}

// registrationError words the faults of a registration (RFC 7591 section 3.2.2).
func registrationError(err error) error {
	var fault *directory.FieldError
	switch {
	case errors.Is(err, ErrChanged):
		return &web.Error{Status: http.StatusConflict, Code: "invalid_client_metadata", Message: "The client was changed at the same time"}
	case !errors.As(err, &fault):
		return unavailable(err)
	}
	code := "invalid_client_metadata"
	if fault.Field == "redirect_uris" {
		code = "invalid_redirect_uri"
	}
	return refuse(code, strings.ReplaceAll(err.Error(), "\n", "; "))
}
