package marketplace

import (
	"errors"
	"net/http"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// explained gives errors that the dialect says more about their status. Others
// are left to the router.
func explained(h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := h(w, r)
		if err == nil {
			return nil
		}
		if f, ok := errors.AsType[directory.ProfileFaults](err); ok {
			return &web.Error{Status: http.StatusBadRequest, Message: "A field is not acceptable", Cause: fields(f)}
		}
		if t, ok := errors.AsType[*directory.ProfileTakenError](err); ok {
			return &web.Error{Status: http.StatusConflict, Message: "There is a user of this address", Cause: taken{t}}
		}
		if errors.Is(err, directory.ErrUnreadable) {
			return &web.Error{Status: http.StatusServiceUnavailable, Message: "A value of the user cannot be decrypted; the operator has been told", Cause: err}
		}
		return err
	}
}

// fields are the faults of a request, as a problem document shows them.
type fields directory.ProfileFaults

type fieldFault struct {
	// Pointer is a JSON Pointer in a URI fragment (RFC 6901 section 6), as in RFC
	// 9457 section 3; a parameter of the query is named in the same way.
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// Error implements error.
func (f fields) Error() string { return directory.ProfileFaults(f).Error() }

// ProblemMembers implements web.Extended.
func (f fields) ProblemMembers() map[string]any {
	faults := make([]fieldFault, len(f))
	for i := range f {
		faults[i] = fieldFault{Pointer: "#/" + f[i].Field, Detail: f[i].Reason}
	}
	return map[string]any{"errors": faults}
}

// taken is a conflict with a user whose id the problem document tells.
type taken struct{ *directory.ProfileTakenError }

// ProblemMembers implements web.Extended.
func (t taken) ProblemMembers() map[string]any {
	return map[string]any{"id": t.ID.String()}
}
