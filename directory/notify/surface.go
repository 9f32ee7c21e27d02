package notify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// Surface writes errors in the five shapes of the Notify API:
//
//	E1 {"result":"error","message":"text"}                     a rule of the domain
//	E2 {"result":"error","message":{"field":["text"]}}         fields of a form
//	E3 {"status_code":400,"errors":[{"error","message"}]}      JSON Schema
//	E4 {"result":"error","message":{"token":["text"]}}         authentication
//	E5 {"result":"error","message":"Internal server error"}    everything else
//
// Errors made by this package carry their body; those of the router and of the
// bearer's protection get the shape and the text of their status.
type Surface struct{}

// body is the error whose JSON a [web.Error] of this package carries.
type body struct{ json any }

func (body) Error() string { return "told to the caller" }

type errorBody struct {
	Message any    `json:"message"`
	Result  string `json:"result"`
}

type schemaError struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}

type schemaBody struct {
	Errors     []schemaError `json:"errors"`
	StatusCode int           `json:"status_code"`
}

func fault(status int, message any) *web.Error {
	e := &web.Error{Status: status, Cause: body{errorBody{Message: message, Result: "error"}}}
	if text, ok := message.(string); ok {
		e.Message = text
	}
	return e
}

func fieldFaults(faults map[string][]string) error { return fault(http.StatusBadRequest, faults) }

func fieldFault(name, text string) error {
	return fieldFaults(map[string][]string{name: {text}})
}

func schemaFault(messages []string) error {
	list := make([]schemaError, len(messages))
	for i, message := range messages {
		list[i] = schemaError{"ValidationError", message}
	}
	return &web.Error{Status: http.StatusBadRequest, Cause: body{schemaBody{list, http.StatusBadRequest}}}
}

func tokenFault(status int, text string) *web.Error {
	return fault(status, map[string][]string{"token": {text}})
}

// The texts that upstream's framework gives to statuses.
const (
	notFoundText      = "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again."
	notAllowedText    = "The method is not allowed for the requested URL."
	notUnderstoodText = "The browser (or proxy) sent a request that this server could not understand."
)

var (
	errNotUnderstood = fault(http.StatusBadRequest, notUnderstoodText)
	errNUL           = fault(http.StatusBadRequest, "The request body holds a NUL character, which no field can")
	errNoRoute       = fault(http.StatusNotFound, notFoundText)
	errNoResult      = fault(http.StatusNotFound, "No result found")
)

// WriteError implements [web.Surface].
func (Surface) WriteError(w http.ResponseWriter, r *http.Request, e *web.Error) {
	own, ok := errors.AsType[body](e)
	if !ok {
		own.json = errorBody{Message: statusMessage(e), Result: "error"}
	}
	// The bodies are made of strings and numbers: encoding them cannot fail.
	_ = writeJSON(w, r, e.Status, own.json)
}

// statusMessage words an error that was not made here.
func statusMessage(e *web.Error) any {
	switch {
	case errors.Is(e, directory.ErrNotFound):
		return errNoResult.Message
	case errors.Is(e, web.ErrBody):
		return notUnderstoodText
	case e.Status == http.StatusNotFound:
		return notFoundText
	case e.Status == http.StatusMethodNotAllowed:
		return notAllowedText
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		return map[string][]string{"token": {e.Message}}
	case e.Status == http.StatusInternalServerError:
		return "Internal server error"
	}
	return e.Message
}

// headers are what upstream sends with every answer.
var headers = map[string]string{
	"Access-Control-Allow-Origin":       "*",
	"Access-Control-Allow-Headers":      "Content-Type,Authorization",
	"Access-Control-Allow-Methods":      "GET,PUT,POST,DELETE",
	"X-Content-Type-Options":            "nosniff",
	"X-Frame-Options":                   "SAMEORIGIN",
	"X-Permitted-Cross-Domain-Policies": "none",
	"Strict-Transport-Security":         "max-age=31536000; includeSubDomains; preload",
	"Cache-Control":                     "no-store, no-cache, private, must-revalidate",
	"Content-Type":                      "application/json",
}

// writeJSON writes v as upstream's framework does: compact, ASCII, with a
// newline at its end. Objects declare their keys in alphabetical order.
func writeJSON(w http.ResponseWriter, r *http.Request, status int, v any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	h := w.Header()
	for name, value := range headers {
		h.Set(name, value)
	}
	h["X-B3-TraceId"], h["X-B3-SpanId"] = traceIDs(r)
	w.WriteHeader(status)
	_, _ = w.Write(escape(text.Bytes())) // the client has gone when this fails
	return nil
}

// traceIDs are the caller's own B3 trace when it sent one, else derived from the
// request's identifier, so that both lead to one line of the log.
func traceIDs(r *http.Request) (trace, span []string) {
	sum := sha256.Sum256([]byte(web.RequestID(r.Context())))
	trace, span = []string{hex.EncodeToString(sum[:16])}, []string{hex.EncodeToString(sum[16:24])}
	if given := r.Header.Get("X-B3-TraceId"); (len(given) == 16 || len(given) == 32) && isHex(given) {
		trace = []string{given}
	}
	return trace, span
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdefABCDEF") == "" }

// escape writes every character beyond ASCII as \uXXXX.
func escape(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		switch {
		case r < utf8.RuneSelf:
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = appendUnit(appendUnit(out, high), low)
		default:
			out = appendUnit(out, r)
		}
	}
	return out
}

func appendUnit(out []byte, unit rune) []byte {
	return append(out, '\\', 'u', hexDigit(unit>>12), hexDigit(unit>>8), hexDigit(unit>>4), hexDigit(unit))
}

func hexDigit(n rune) byte { return "0123456789abcdef"[n&15] }
