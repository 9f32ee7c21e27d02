package conformance

import (
	"encoding/base64"
	"encoding/json"
	"slices"
)

// The modules here are about what a server need not do. A server that does not
// has to say so with the registered error.

func idTokenUnsigned(e *Env) {
	if slices.Contains(e.Metadata().IDTokenAlgs, "none") {
		e.Fatalf("id_token_signing_alg_values_supported has none, which this module does not know how to register for")
	}
	e.Skip("not advertised: id_token_signing_alg_values_supported has no none")
}

// requestURIUnsigned names a request object that nobody serves: a server that
// supports none of them does not try to fetch it.
func requestURIUnsigned(e *Env) {
	r := e.Request(e.Clients.Basic, "request_uri", "https://rp.example.test/request.jwt")
	if e.Metadata().supportsRequestURI() {
		e.Fatalf("request_uri is claimed to work, which this module does not know how to serve")
	}
	e.Refused(e.Browser(), r, "request_uri_not_supported")
	e.Skip("not supported: request_uri, refused with request_uri_not_supported")
}

func requestObjectUnsigned(e *Env) {
	r := e.unsignedObject(e.Request(e.Clients.Basic))
	if e.Metadata().RequestParam && slices.Contains(e.Metadata().RequestAlgs, "none") {
		e.Login(e.Browser(), r)
		return
	}
	e.Refused(e.Browser(), r, "request_not_supported")
	e.Skip("not supported: request objects, refused with request_not_supported")
}

// requestObjectWithRedirectURI sends another redirect URI beside the request
// object. Nobody may be sent there.
func requestObjectWithRedirectURI(e *Env) {
	r := e.unsignedObject(e.Request(e.Clients.Basic))
	r.Params.Set("redirect_uri", r.Client.RedirectURI+"/"+random(10))
	if e.Metadata().RequestParam && slices.Contains(e.Metadata().RequestAlgs, "none") {
		e.Fatalf("unsigned request objects are claimed to work, for which this module has no answer to expect")
	}
	e.StaysOnPage(e.Browser(), r)
	e.Skip("not supported: request objects; the browser stayed with the server")
}

// unsignedObject repeats a request's parameters in a request object without a signature.
func (e *Env) unsignedObject(r *Request) *Request {
	claims := map[string]any{"iss": r.Client.ID, "aud": e.Issuer}
	for name := range r.Params {
		claims[name] = r.Params.Get(name)
	}
	payload, err := json.Marshal(claims)
	e.must("encode request object", err)
	r.Params.Set("request", unsigned(payload))
	return r
}

// unsigned is an unsecured JWS (RFC 7515 appendix A.5).
func unsigned(payload []byte) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
}
