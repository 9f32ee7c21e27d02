package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	jsonv2 "github.com/go-json-experiment/json"
)

// WriteJSON writes v as compact JSON with a trailing newline.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header()["Content-Type"] = jsonContentType
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client has gone when this fails
	return nil
}

// ErrBody marks a body that is not the JSON document a route reads.
var ErrBody = errors.New("request body")

// ReadJSON decodes a request body into v: exactly one JSON value in UTF-8, keys
// in their exact letter case, none twice. Unknown members are ignored unless
// strict. Every failure but an oversized body wraps [ErrBody].
func ReadJSON(r *http.Request, v any, strict bool) error {
	body, err := ReadJSONBody(r)
	if err != nil {
		return err
	}
	return DecodeJSON(body, v, strict)
}

// DecodeJSON is [ReadJSON] for bytes at hand.
func DecodeJSON(body []byte, v any, strict bool) error {
	if err := jsonv2.Unmarshal(body, v, jsonv2.RejectUnknownMembers(strict)); err != nil {
		return &bodyError{err}
	}
	return nil
}

type bodyError struct{ cause error }

// Error leaves out the cause's text: it may quote the body.
func (e *bodyError) Error() string        { return "request body: malformed JSON" }
func (e *bodyError) Is(target error) bool { return target == ErrBody }
func (e *bodyError) Unwrap() error        { return e.cause }

// ReadJSONBody returns the bytes of a request's body that says it is JSON, for
// [DecodeJSON].
func ReadJSONBody(r *http.Request) ([]byte, error) {
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		return nil, Errorf(http.StatusUnsupportedMediaType, "The request body must be application/json")
	}
	var buffer bytes.Buffer
	if _, err := io.Copy(&buffer, r.Body); err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return nil, err
		}
		return nil, &bodyError{err}
	}
	return buffer.Bytes(), nil
}
