package oauth

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gatehouse/directory"
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
	if len(headers) == 0 {
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
	if len(headers) > 1 || inQuery(r) {
		return given, errTokenTwice
	}
	return given, nil
}

// inQuery reports whether there is a token in the URL, where it is never taken.
func inQuery(r *http.Request) bool {
	return r.URL.RawQuery != "" && r.URL.Query().Has("access_token")
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

var (
	errNoToken    = &denial{status: http.StatusUnauthorized, message: "An access token is required"}
	errTokenTwice = &denial{status: http.StatusBadRequest, code: "invalid_request", message: "The access token was sent twice"}
)

// malformed is the refusal of a form, in the words of a resource that may be
// shown its token there (RFC 6750 section 3.1).
func malformed(err error) error {
	e, ok := errors.AsType[*web.Error](err)
	if !ok || e.Status != http.StatusBadRequest {
		return err
	}
	return &denial{status: e.Status, code: e.Code, message: e.Message, cause: e.Cause}
}

// tokenError is the answer to a token that accessToken refused.
func tokenError(err error) error {
	if !errors.Is(err, errInvalidToken) {
		return unavailable(err)
	}
	return &denial{
		status: http.StatusUnauthorized, code: "invalid_token", message: "The access token is invalid, has expired or was revoked", cause: err,
	}
}

func insufficientScope(scope string) *denial {
	d := &denial{status: http.StatusForbidden, code: "insufficient_scope", message: "The access token does not allow this"}
	if scope != "" {
		d.params = `, scope="` + scope + `"`
		d.cause = web.Reason("the token has no scope or role of " + scope)
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
// challenges (RFC 9110 section 11.6.1), a dialect's own error for want of a scope
// gets them, and everything else stays as it is.
func (s *Server) denied(shown shown, err error) error {
	if d, ok := errors.AsType[*denial](err); ok {
		return &web.Error{Status: d.status, Code: d.code, Message: d.message, Cause: d.cause, Header: s.challengeHeader(shown, d)}
	}
	scope, lacking := errors.AsType[directory.ScopeError](err)
	e, worded := errors.AsType[*web.Error](err)
	if !lacking || !worded {
		return err
	}
	d := insufficientScope(string(scope))
	return &web.Error{Status: d.status, Code: d.code, Message: e.Message, Cause: errors.Join(d.cause, err), Header: s.challengeHeader(shown, d)}
}

func (s *Server) challengeHeader(shown shown, d *denial) http.Header {
	return http.Header{"Www-Authenticate": s.challenges(shown.scheme, d)}
}

// Challenges are those of a request that shows no token, for a protection that
// takes other credentials beside access tokens.
func (s *Server) Challenges() []string { return s.challenges("", errNoToken) }

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
