package web

import "net/http"

// Values every response carries; shared slices, never changed.
var (
	hstsValue          = []string{"max-age=63072000; includeSubDomains"}
	nosniffValue       = []string{"nosniff"}
	denyValue          = []string{"DENY"}
	referrerValue      = []string{"no-referrer"}
	openerValue        = []string{"same-origin"}
	noStoreValue       = []string{"no-store"}
	contentPolicyValue = []string{"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"}
	jsonContentType    = []string{"application/json"}
	anyOriginValue     = []string{"*"}
	exposedValue       = []string{"WWW-Authenticate, DPoP-Nonce"}
)

// setCommonHeaders sets what holds for every response. A page replaces the
// content policy with its own; what may be cached says so itself.
func setCommonHeaders(h http.Header, requestID string) {
	h["Strict-Transport-Security"] = hstsValue
	h["X-Content-Type-Options"] = nosniffValue
	h["X-Frame-Options"] = denyValue
	h["Referrer-Policy"] = referrerValue
	h["Cross-Origin-Opener-Policy"] = openerValue
	h["Content-Security-Policy"] = contentPolicyValue
	h["Cache-Control"] = noStoreValue
	h["X-Request-Id"] = []string{requestID}
}

// setCORSHeaders lets scripts of any origin read the answer. What comes from
// memory asks for nothing, so there is nothing more in it for them to see.
func setCORSHeaders(h http.Header, fromMemory bool) {
	h["Access-Control-Allow-Origin"] = anyOriginValue
	if !fromMemory {
		h["Access-Control-Expose-Headers"] = exposedValue
	}
}
