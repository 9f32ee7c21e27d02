package web

import (
	"encoding/json"
	"errors"
	"maps"
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

// Extended is the cause of an [Error] of which a problem document shows further
// members (RFC 9457 section 3.2). They encode as JSON.
type Extended interface {
	error
	ProblemMembers() map[string]any
}

// WriteError implements [Surface].
func (Problem) WriteError(w http.ResponseWriter, _ *http.Request, e *Error) {
	body, _ := json.Marshal(problemBody{Type: "about:blank", Title: http.StatusText(e.Status), Status: e.Status, Detail: e.Message})
	if cause, ok := errors.AsType[Extended](e.Cause); ok {
		members := map[string]any{}
		_ = json.Unmarshal(body, &members)
		maps.Copy(members, cause.ProblemMembers())
		body, _ = json.Marshal(members)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(e.Status)
	_, _ = w.Write(append(body, '\n'))
}
