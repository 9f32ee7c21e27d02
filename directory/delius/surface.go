package delius

import (
	"errors"
	"net/http"

	"gatehouse/internal/web"
)

// Surface writes errors as {"status","message"}, with "fields" for a body or a
// parameter that breaks a rule, and a refused sign-in as plain text.
type Surface struct{}

type errorBody struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
	Fields  fields `json:"fields,omitempty"`
}

// fields are the faults of a request; as an error they travel as the cause of a 400.
type fields []field

type field struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Field   string `json:"field"`
}

func (fields) Error() string { return "validation failure" }

// refusal is the cause of a 401 that is told as text.
type refusal struct{}

func (refusal) Error() string { return "refused" }

func invalid(kind, name, message string) field {
	return field{Type: kind, Message: message, Field: name}
}

func blank(name string) field { return invalid("NotBlank", name, "must not be blank") }

func validationFailure(faults fields) error {
	return &web.Error{Status: http.StatusBadRequest, Message: "Validation failure", Cause: faults}
}

// WriteError implements [web.Surface].
func (Surface) WriteError(w http.ResponseWriter, _ *http.Request, e *web.Error) {
	if _, ok := errors.AsType[refusal](e); ok {
		w.Header().Set("Content-Type", "text/plain;charset=UTF-8")
		w.WriteHeader(e.Status)
		_, _ = w.Write([]byte(e.Message)) // the client has gone when this fails
		return
	}
	b := errorBody{Status: e.Status, Message: e.Message}
	b.Fields, _ = errors.AsType[fields](e)
	_ = web.WriteJSON(w, e.Status, b) // strings and numbers always encode
}
