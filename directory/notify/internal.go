package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

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
	jwt, ok := readJWT(token)
	if !ok {
		return nil, errNotJWT
	}
	issuer := jwt.claims["iss"]
	if issuer == nil || issuer == "" {
		return nil, errNoIssuer
	}
	client, _ := issuer.(string)
	secrets, known := c.Secrets[client]
	switch {
	case !known || client == functionalTests:
		return nil, errClient
	case jwt.header["alg"] != "HS256":
		return nil, errTokenAlgorithm
	case !slices.ContainsFunc(secrets, jwt.signedWith):
		return nil, errNoKey
	}
	if err := checkClaims(jwt, c.Clock()); err != nil {
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

// unverifiedJWT is what a JWT says, before anything of it is believed. It is read
// here and not by go-jose, which refuses secrets of less than 32 bytes; upstream's
// clients have shorter ones.
type unverifiedJWT struct {
	header, claims map[string]any
	signed         string
	signature      []byte
}

func readJWT(token string) (*unverifiedJWT, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	t := &unverifiedJWT{signed: parts[0] + "." + parts[1], signature: signature}
	return t, err == nil && decodePart(parts[0], &t.header) && decodePart(parts[1], &t.claims)
}

func decodePart(part string, object *map[string]any) bool {
	text, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(text, object) == nil && *object != nil
}

func (t *unverifiedJWT) signedWith(secret string) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t.signed))
	return secret != "" && hmac.Equal(mac.Sum(nil), t.signature)
}

// checkClaims reads the rest as upstream's library does: any audience is
// unexpected, exp is exact, iat and nbf have the tolerance. A critical extension
// (RFC 7515 section 4.1.11) is one that nobody here knows.
func checkClaims(t *unverifiedJWT, now time.Time) error {
	issuedAt, ok := t.claims["iat"]
	if !ok {
		return errNoKey
	}
	if age, ok := ageOf(issuedAt, now); !ok || age > clockTolerance || age < -clockTolerance {
		return errClock
	}
	if notBefore, ok := t.claims["nbf"]; ok {
		if age, ok := ageOf(notBefore, now); !ok || age < -clockTolerance {
			return errClock
		}
	}
	if expiry, ok := t.claims["exp"]; ok {
		if age, ok := ageOf(expiry, now); !ok || age >= 0 {
			return errNotJWT
		}
	}
	if t.claims["aud"] != nil || t.header["crit"] != nil {
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
