package notify

import (
	"net/http"
	"strings"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// Gate protects the Notify API. It lets in upstream's own application with the
// internal JWT, and everybody whose access token of this server carries the
// scope notify.admin.
type Gate struct {
	Internal *InternalClients
	// Token is the protection by access tokens.
	Token func(next web.Handler) web.Handler
	// Issuer is the iss claim of this server's JWTs, and ReferencePrefix the
	// beginning of its tokens that are none.
	Issuer          string
	ReferencePrefix string
}

// Protect returns next behind the gate. A bearer token that does not look like
// one of this server's is refused in the words of the internal JWT.
func (g *Gate) Protect(next web.Handler) web.Handler {
	byToken := g.Token(next)
	return func(w http.ResponseWriter, r *http.Request) error {
		if token, err := bearerToken(r); err == nil && g.ours(token) {
			return byToken(w, r)
		}
		caller, err := g.Internal.Authenticate(r)
		if err != nil {
			return err
		}
		return next(w, r.WithContext(directory.WithCaller(r.Context(), caller)))
	}
}

// ours chooses the protection, and no more: nothing of the token is believed.
func (g *Gate) ours(token string) bool {
	if strings.HasPrefix(token, g.ReferencePrefix) {
		return true
	}
	jwt, ok := readJWT(token)
	return ok && jwt.claims["iss"] == g.Issuer
}
