package notify

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"gatehouse/directory"
)

// InternalClients are the applications that call with the internal JWT: HS256
// over a secret shared with this server, claims iss and iat, a fresh one for
// every request.
type InternalClients struct {
	// Secrets are the clients' secrets by client id; several at once while one
	// is being replaced. An empty secret matches nothing.
	Secrets map[string][]string
	Clock   directory.Clock
}

// functionalTests is upstream's client for its own test suite. It shares the
// configuration with the administration's client and may do nothing that one may.
const functionalTests = "notify-functional-tests"

// clockTolerance is how far the caller's clock may be off, either way.
const clockTolerance = 30 * time.Second

// Refusals of the internal JWT, in upstream's words.
var (
	errNoToken        = tokenFault(http.StatusUnauthorized, "Unauthorized: authentication token must be provided")
	errNotBearer      = tokenFault(http.StatusUnauthorized, "Unauthorized: authentication bearer scheme must be used")
	errClient         = tokenFault(http.StatusUnauthorized, "Unauthorized: not allowed to perform this action")
	errNotJWT         = tokenFault(http.StatusForbidden, "Invalid token: make sure your API token matches the example at https://docs.notifications.service.gov.uk/rest-api.html#authorisation-header")
	errNoIssuer       = tokenFault(http.StatusForbidden, "Invalid token: iss field not provided")
	errNoKey          = tokenFault(http.StatusForbidden, "Invalid token: API key not found")
	errClock          = tokenFault(http.StatusForbidden, "Error: Your system clock must be accurate to within 30 seconds")
	errTokenAlgorithm = tokenFault(http.StatusForbidden, "Invalid token: algorithm used is not HS256")
)

// Authenticate returns the caller that a request's internal JWT proves, or the
// refusal of upstream. The order is upstream's too: who claims to call is looked
// at before the signature, the signature before the times.
func (c *InternalClients) Authenticate(r *http.Request) (*directory.Caller, error) {
	token, err := bearerToken(r)
	if err != nil {
		return nil, err
	}
	claimed, ok := peek(token)
	if !ok {
		return nil, errNotJWT
	}
	if claimed.issuer == nil || claimed.issuer == "" {
		return nil, errNoIssuer
	}
	client, _ := claimed.issuer.(string)
	secrets, known := c.Secrets[client]
	if !known || client == functionalTests {
		return nil, errClient
	}
	if claimed.algorithm != string(jose.HS256) {
		return nil, errTokenAlgorithm
	}
	claims, err := verify(token, secrets)
	if err != nil {
		return nil, err
	}
	if err := checkTimes(claims, c.Clock()); err != nil {
		return nil, err
	}
	return &directory.Caller{ClientID: client, Internal: true, OnBehalfOf: onBehalfOf(r)}, nil
}

// bearerToken returns the token of the Authorization header.
func bearerToken(r *http.Request) (string, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", errNoToken
	}
	if len(header) < 7 || !strings.EqualFold(header[:7], "Bearer ") {
		return "", errNotBearer
	}
	return header[7:], nil
}

// onBehalfOf is the user that the application says it acts for.
func onBehalfOf(r *http.Request) string {
	if id := r.Header.Get("X-Notify-User-Id"); validID(id) {
		return id
	}
	return ""
}

// unverified is what a JWT says of itself, before anything is believed.
type unverified struct {
	algorithm string
	issuer    any
}

func peek(token string) (unverified, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return unverified{}, false
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	var claims map[string]any
	if !decodePart(parts[0], &header) || !decodePart(parts[1], &claims) || claims == nil {
		return unverified{}, false
	}
	if _, err := base64.RawURLEncoding.DecodeString(parts[2]); err != nil {
		return unverified{}, false
	}
	return unverified{header.Algorithm, claims["iss"]}, true
}

func decodePart(part string, v any) bool {
	text, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(text, v) == nil
}

// verify returns the claims under a signature that one of the secrets made.
func verify(token string, secrets []string) (map[string]any, error) {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return nil, errNotJWT
	}
	for _, secret := range secrets {
		var claims map[string]any
		if secret != "" && parsed.Claims([]byte(secret), &claims) == nil {
			return claims, nil
		}
	}
	return nil, errNoKey
}

// checkTimes reads the claims as upstream's library does: any audience is
// unexpected, exp is exact, iat and nbf have the tolerance.
func checkTimes(claims map[string]any, now time.Time) error {
	issuedAt, ok := claims["iat"]
	if !ok {
		return errNoKey
	}
	if age, ok := ageOf(issuedAt, now); !ok || age > clockTolerance || age < -clockTolerance {
		return errClock
	}
	if notBefore, ok := claims["nbf"]; ok {
		if age, ok := ageOf(notBefore, now); !ok || age < -clockTolerance {
			return errClock
		}
	}
	if expiry, ok := claims["exp"]; ok {
		if age, ok := ageOf(expiry, now); !ok || age >= 0 {
			return errNotJWT
		}
	}
	if audience, ok := claims["aud"]; ok && audience != nil {
		return errNotJWT
	}
	return nil
}

// ageOf tells how long ago a claim's epoch seconds were; ok is false for what
// is not a time of this age of the world.
func ageOf(claim any, now time.Time) (age time.Duration, ok bool) {
	seconds, ok := claim.(float64)
	if !ok || seconds < 0 || seconds > 1<<40 {
		return 0, false
	}
	return now.Sub(time.UnixMicro(int64(seconds * 1e6))), true
}
