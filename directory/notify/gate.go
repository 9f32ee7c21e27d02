package notify

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// Gate protects the Notify API. It lets in upstream's own application with the
// internal JWT, everybody whose access token of this server carries the scope
// notify.admin, and people with their own token of the scope directory.read,
// as far as the policy goes.
type Gate struct {
	Internal *InternalClients
	// Token is the protection by access tokens that carry one of the two scopes,
	// directory.read only for a user.
	Token func(next web.Handler) web.Handler
	// Scope is a further scope that lets a caller do everything behind this
	// gate; "" for none.
	Scope string
	// People knows who calls with their own token.
	People *directory.Registry
	// Issuer is the iss claim of this server's JWTs, and ReferencePrefix the
	// beginning of its tokens that are none.
	Issuer          string
	ReferencePrefix string
	// Challenges say how an access token is presented, to whoever came with none.
	Challenges []string
}

// Protect returns next behind the gate. A bearer token that does not look like
// one of this server's is refused in the words of the internal JWT.
func (g *Gate) Protect(next web.Handler) web.Handler {
	byToken := g.Token(g.admit(next))
	return func(w http.ResponseWriter, r *http.Request) error {
		if g.ours(r) {
			return byToken(w, r)
		}
		caller, err := g.Internal.Authenticate(r)
		if err != nil {
			return g.challenged(err)
		}
		web.Note(r.Context(), slog.String("client", caller.ClientID))
		return next(w, r.WithContext(directory.WithCaller(r.Context(), caller)))
	}
}

// challenged adds to a 401 what upstream leaves out: a challenge, which a 401 has
// to have (RFC 9110 section 15.5.2, RFC 6750 section 3).
func (g *Gate) challenged(err error) error {
	e, ok := errors.AsType[*web.Error](err)
	if !ok || e.Status != http.StatusUnauthorized {
		return err
	}
	worded := *e
	worded.Header = http.Header{"Www-Authenticate": g.Challenges}
	return &worded
}

// adminScope allows a client everything.
const adminScope = "notify.admin"

// admit lets a token of the scope notify.admin through, and a person to what the
// policy says. Everything else answers as something that does not exist.
func (g *Gate) admit(next web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		caller := *directory.CallerFrom(r.Context())
		if caller.HasScope(adminScope) || g.Scope != "" && caller.HasScope(g.Scope) {
			return next(w, r)
		}
		person, err := g.People.Person(r.Context(), caller.Subject)
		if err != nil {
			return err
		}
		if ok, err := g.permits(person, r); err != nil || !ok {
			return cmp.Or(err, error(errNoResult))
		}
		caller.Person = person
		err = next(w, r.WithContext(directory.WithCaller(r.Context(), &caller)))
		if !errors.Is(err, directory.ErrForbidden) {
			return err
		}
		if err := g.People.RecordRefusal(r.Context(), person, shape(r.Method, r.URL.EscapedPath())); err != nil {
			return err
		}
		return tokenFault(http.StatusForbidden, "You are not allowed to make this change")
	}
}

// proofScheme is the scheme of tokens that come with a proof, which the internal
// JWT never does.
const proofScheme = "DPoP "

// ours chooses the protection, and no more: nothing of the token is believed.
func (g *Gate) ours(r *http.Request) bool {
	header := r.Header.Get("Authorization")
	if len(header) > len(proofScheme) && strings.EqualFold(header[:len(proofScheme)], proofScheme) {
		return true
	}
	token, err := bearerToken(r)
	if err != nil {
		return false
	}
	if strings.HasPrefix(token, g.ReferencePrefix) {
		return true
	}
	jwt, ok := readJWT(token)
	return ok && jwt.claims["iss"] == g.Issuer
}
