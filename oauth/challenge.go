package oauth

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/web"
)

// The schemes in which an access token comes (RFC 6750, RFC 9449 section 7.1).
const (
	schemeBearer = "Bearer"
	schemeDPoP   = "DPoP"
)

// shown is the access token of a request; its scheme is "" when there is none.
type shown struct{ scheme, token string }

// shownToken returns the token of the Authorization header, the only place it
// is looked for: in a URL it would end up in logs (RFC 6750 section 5.3).
func shownToken(r *http.Request) (shown, error) {
	headers := r.Header["Authorization"]
	if len(headers) != 1 {
		return shown{}, errNoToken
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	var given shown
	switch {
	case strings.EqualFold(scheme, schemeBearer):
		given = shown{scheme: schemeBearer, token: strings.TrimSpace(token)}
	case strings.EqualFold(scheme, schemeDPoP):
		given = shown{scheme: schemeDPoP, token: strings.TrimSpace(token)}
	default:
		return shown{}, errNoToken
	}
	if r.URL.RawQuery != "" && r.URL.Query().Has("access_token") {
		return given, &denial{status: http.StatusBadRequest, code: "invalid_request", message: "The access token was sent twice"}
	}
	return given, nil
}

// denial says why an access token does not do. [Server.denied] words it in the
// scheme of the request.
type denial struct {
	status  int
	code    string // "" when there was no token at all
	message string
	params  string // further parameters of the challenge, each behind a comma
	cause   error  // for the log alone
}

func (d *denial) Error() string { return strconv.Itoa(d.status) + " " + d.message }
func (d *denial) Unwrap() error { return d.cause }

var errNoToken = &denial{status: http.StatusUnauthorized, message: "An access token is required"}

// tokenError is the answer to a token that accessToken refused.
func tokenError(err error) error {
	if !errors.Is(err, errInvalidToken) {
		return unavailable(err)
	}
	return &denial{
		status: http.StatusUnauthorized, code: "invalid_token", message: "The access token is invalid, has expired or was revoked", cause: err,
	}
}

func insufficientScope(scope string) error {
	d := &denial{status: http.StatusForbidden, code: "insufficient_scope", message: "The access token does not allow this"}
	if scope != "" {
		d.params = `, scope="` + scope + `"`
	}
	return d
}

// insufficientAuthentication asks a client to have its user sign in at a level,
// and no longer than an age ago (RFC 9470 section 3).
func insufficientAuthentication(acr string, maxAge time.Duration) error {
	return &denial{
		status: http.StatusUnauthorized, code: "insufficient_user_authentication",
		message: "This needs a recent sign-in with more than one factor",
		params:  `, acr_values="` + acr + `", max_age=` + strconv.FormatInt(int64(maxAge/time.Second), 10),
	}
}

// denied is err as the client is told: a denial becomes a [*web.Error] with
// challenges (RFC 9110 section 11.6.1), everything else stays as it is.
func (s *Server) denied(shown shown, err error) error {
	d, ok := errors.AsType[*denial](err)
	if !ok {
		return err
	}
	return &web.Error{
		Status: d.status, Code: d.code, Message: d.message, Cause: d.cause, Header: http.Header{"Www-Authenticate": s.challenges(shown.scheme, d)},
	}
}

// challenges say what was wrong in the scheme of the request. A client that
// proves possession is told nothing of the other scheme, whose tokens would not
// do; any other learns that there are two.
func (s *Server) challenges(scheme string, d *denial) []string {
	details := d.params
	if d.code != "" {
		details = `, error="` + d.code + `", error_description="` + d.message + `"` + details
	}
	proof := schemeDPoP + ` algs="` + strings.Join(proofAlgNames(), " ") + `"`
	if d.status != http.StatusUnauthorized {
		if scheme == schemeDPoP {
			return []string{proof + details}
		}
		return []string{`Bearer realm="gatehouse"` + details}
	}
	where := `, resource_metadata="` + s.resourceMetadataURL() + `"` // RFC 9728 section 5.1
	if scheme == schemeDPoP {
		return []string{proof + details + where}
	}
	return []string{`Bearer realm="gatehouse"` + details + where, proof + where}
}
