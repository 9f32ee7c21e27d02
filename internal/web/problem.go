package web

import (
	"encoding/json"
	"net/http"
)

// Problem is the surface of RFC 9457 problem documents.
type Problem struct{}

type problemBody struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// WriteError implements [Surface].
func (Problem) WriteError(w http.ResponseWriter, _ *http.Request, e *Error) {
	body, _ := json.Marshal(problemBody{Type: "about:blank", Title: http.StatusText(e.Status), Status: e.Status, Detail: e.Message})
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(e.Status)
	_, _ = w.Write(append(body, '\n'))
}
