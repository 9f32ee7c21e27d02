package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// wrapped is what middleware makes of a response.
type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// TestWhyARequestWasRefusedIsObserved wants the reason beside the code that the
// caller is told, whichever way it is told.
func TestWhyARequestWasRefusedIsObserved(t *testing.T) {
	refused := &Error{Status: http.StatusUnauthorized, Code: "invalid", Message: "It is not valid", Cause: fmt.Errorf("check: %w", Reason("it was used"))}
	for name, c := range map[string]struct {
		handler      Handler
		code, reason string
	}{
		"an error with a reason": {func(http.ResponseWriter, *http.Request) error { return refused }, "invalid", "it was used"},
		"an error with a code": {func(http.ResponseWriter, *http.Request) error {
			return &Error{Status: http.StatusBadRequest, Code: "missing", Message: "A parameter is missing"}
		}, "missing", "A parameter is missing"},
		"an error with neither": {func(http.ResponseWriter, *http.Request) error { return Errorf(http.StatusNotFound, "No such thing") }, "", ""},
		"a failure":             {func(http.ResponseWriter, *http.Request) error { return errors.New("broken") }, "", ""},
		"a redirect": {func(w http.ResponseWriter, _ *http.Request) error {
			NoteRefusal(wrapped{w}, "denied", refused)
			NoteRefusal(w, "second", Reason("the first note counts"))
			w.WriteHeader(http.StatusSeeOther)
			return nil
		}, "denied", "it was used"},
		"nothing wrong": {func(http.ResponseWriter, *http.Request) error { return nil }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			rt, _ := newRouter(t)
			var seen []Event
			rt.Observe = func(ev *Event) { seen = append(seen, *ev) }
			rt.Add(Route{Method: http.MethodGet, Path: "/refuses", Surface: Problem{}, Handler: c.handler, AnyHost: true})
			rt.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/refuses", nil))
			if len(seen) != 1 || seen[0].Code != c.code || seen[0].Reason != c.reason || seen[0].Pattern != "/refuses" || seen[0].Method != http.MethodGet {
				t.Errorf("seen %+v, want %q because %q", seen, c.code, c.reason)
			}
		})
	}
}
