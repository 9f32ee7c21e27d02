package oauth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// credentials are what a request says about who the client is.
type credentials struct {
	method    AuthMethod
	clientID  string
	secret    string
	assertion string
	network   string // where they come from, as limits count it
}

// Authenticate tells which client sends a request to the token endpoint or one
// of its siblings. The request uses exactly one method, the one the client is
// registered with. Failures are *web.Error: 401 invalid_client, or 400
// invalid_request for a request with two methods or two identities; a store
// that does not answer is directory.ErrUnavailable. It reads the form, never
// the query.
func (cs *Clients) Authenticate(ctx context.Context, r *http.Request) (*Client, error) {
	if err := r.ParseForm(); err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return nil, err
		}
		return nil, &web.Error{Status: http.StatusBadRequest, Code: "invalid_request", Message: "The form is malformed", Cause: err}
	}
	given, err := credentialsOf(r)
	if err != nil {
		return nil, err
	}
	c, err := cs.authenticate(ctx, given)
	if errors.Is(err, errClient) {
		return nil, invalidClient(r, err)
	}
	return c, err
}

// errClient is every reason why a client is not who it says.
var errClient = errors.New("client authentication failed")

// Two of the reasons, which have several places.
var (
	errUnknownClient = because(errClient, "no client has this client_id, or none was sent")
	errMethod        = because(errClient, "the client is registered for another authentication method")
)

func invalidClient(r *http.Request, cause error) *web.Error {
	e := &web.Error{
		Status: http.StatusUnauthorized, Code: "invalid_client", Message: "Client authentication failed", Cause: cause,
	}
	if r.Header.Get("Authorization") != "" {
		e.Header = http.Header{"Www-Authenticate": {`Basic realm="gatehouse", charset="UTF-8"`}}
	}
	return e
}

func invalidRequest(message string) *web.Error {
	return &web.Error{Status: http.StatusBadRequest, Code: "invalid_request", Message: message}
}

// credentialsOf finds the one method of a request (RFC 6749 section 2.3).
func credentialsOf(r *http.Request) (credentials, error) {
	form := r.PostForm
	for _, name := range []string{"client_id", "client_secret", "client_assertion", "client_assertion_type"} {
		if len(form[name]) > 1 {
			return credentials{}, invalidRequest("A parameter is repeated")
		}
	}
	given := credentials{method: NoAuthentication, clientID: form.Get("client_id"), network: networkOf(r)}
	methods := 0
	if authorization := r.Header["Authorization"]; len(authorization) > 0 {
		id, secret, ok := basicCredentials(authorization)
		if !ok {
			return credentials{}, invalidClient(r, web.Reason("the Authorization header is not well-formed Basic"))
		}
		if given.clientID != "" && given.clientID != id {
			return credentials{}, invalidRequest("The request names two clients")
		}
		given.method, given.clientID, given.secret = ClientSecretBasic, id, secret
		methods++
	}
	if secret := form.Get("client_secret"); secret != "" {
		given.method, given.secret = ClientSecretPost, secret
		methods++
	}
	if form.Get("client_assertion") != "" || form.Get("client_assertion_type") != "" {
		if form.Get("client_assertion_type") != assertionType {
			return credentials{}, invalidRequest("The client_assertion_type is not supported")
		}
		given.method, given.assertion = PrivateKeyJWT, form.Get("client_assertion")
		methods++
	}
	if methods > 1 {
		return credentials{}, invalidRequest("The request uses two client authentication methods")
	}
	return given, nil
}

// basicCredentials reads a Basic header, whose two halves are form-urlencoded
// (RFC 6749 section 2.3.1).
func basicCredentials(headers []string) (id, secret string, ok bool) {
	scheme, encoded, _ := strings.Cut(headers[0], " ")
	if len(headers) > 1 || !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	user, password, found := strings.Cut(string(decoded), ":")
	id, errID := url.QueryUnescape(user)
	secret, errSecret := url.QueryUnescape(password)
	return id, secret, found && errID == nil && errSecret == nil
}

func (cs *Clients) authenticate(ctx context.Context, given credentials) (*Client, error) {
	switch given.method {
	case PrivateKeyJWT:
		return cs.authenticateByAssertion(ctx, given)
	case NoAuthentication:
		return cs.lookUp(ctx, given.clientID, NoAuthentication)
	default:
		return cs.authenticateBySecret(ctx, given)
	}
}

// authenticateBySecret compares the secret. One that does not fit the cached
// client may be one that was made elsewhere a moment ago: the store has the last
// word, and is asked no more often than the limit of wrong ones allows.
func (cs *Clients) authenticateBySecret(ctx context.Context, given credentials) (*Client, error) {
	hash := hashSecret(given.secret)
	if c := cs.fromCache(given.clientID); c.hasSecretHash(given.method, hash) {
		return c, nil
	}
	if !clientID.MatchString(given.clientID) {
		return nil, errUnknownClient
	}
	c, err := cs.read(ctx, given.clientID)
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return nil, err
	}
	if c == nil {
		return nil, errUnknownClient
	}
	web.Note(ctx, slog.String("client", c.ID))
	if c.AuthMethod != given.method {
		return nil, errMethod
	}
	return c, cs.countCredentials(ctx, given, c, func() error {
		if !c.hasSecretHash(given.method, hash) {
			return because(errClient, "the client secret is wrong")
		}
		return nil
	})
}

// hasSecretHash reports whether a client authenticates with a method and a
// secret; no client, never.
func (c *Client) hasSecretHash(method AuthMethod, hash []byte) bool {
	stored, registered := make([]byte, len(hash)), AuthMethod("")
	if c != nil {
		stored, registered = c.SecretHash, c.AuthMethod
	}
	return subtle.ConstantTimeCompare(stored, hash) == 1 && registered == method
}

// lookUp is Get for an id that a stranger sent, of a client with that method.
func (cs *Clients) lookUp(ctx context.Context, id string, method AuthMethod) (*Client, error) {
	if !clientID.MatchString(id) && !isDocumentID(id) {
		return nil, errUnknownClient
	}
	c, err := cs.Get(ctx, id)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return nil, errUnknownClient
	case err != nil:
		return nil, err
	case c.AuthMethod != method:
		web.Note(ctx, slog.String("client", c.ID))
		return nil, errMethod
	}
	return c, nil
}
