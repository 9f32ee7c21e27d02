package oauth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/pages"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// deviceFlow is what a flow keeps of the device that its user is about to connect.
type deviceFlow struct {
	// ID is the device's request; uuid.Nil while the user signs in to enter the code.
	ID       uuid.UUID `json:"id,omitzero"`
	UserCode string    `json:"user_code,omitempty"`
}

// DevicePage asks for the code that a device shows. A code in the query fills
// the field in and nothing else: whoever followed a link that somebody sent has
// to look at it (RFC 8628 section 3.3.1).
func (s *Server) DevicePage(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	query, err := parameters(r.Form)
	if err != nil {
		return err
	}
	code := readUserCode(query.Get("user_code"))
	session, _, err := s.deviceSession(r)
	switch {
	case err != nil:
		return unavailable(err)
	case session == nil:
		return s.deviceSignIn(w, r, code)
	}
	return s.Pages.DeviceCode(w, r, pages.DeviceCodeView{UserCode: code})
}

// deviceSignIn signs a user in first: codes are tried by users, who are counted.
func (s *Server) deviceSignIn(w http.ResponseWriter, r *http.Request, code string) error {
	f := &flow{Params: url.Values{}, Device: &deviceFlow{UserCode: code}}
	if err := s.beginFlow(w, r, f); err != nil {
		return unavailable(err)
	}
	return pages.Follow(w, r, pages.DevicePage, pages.SignInNeeded, f.ID)
}

// DeviceSubmit takes the code and leads to the question whether to allow what
// the device asks for. Unknown, expired and used codes look alike.
func (s *Server) DeviceSubmit(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	session, _, err := s.deviceSession(r)
	if err != nil {
		return unavailable(err)
	}
	typed := form.Get("user_code")
	switch {
	case session == nil:
		return s.deviceSignIn(w, r, readUserCode(typed))
	case typed == "":
		return s.Pages.DeviceCode(w, r, pages.DeviceCodeView{Missing: true})
	}
	d, err := s.findDevice(r, session, readUserCode(typed))
	if errors.Is(err, directory.ErrNotFound) {
		return s.Pages.DeviceCode(w, r, pages.DeviceCodeView{UserCode: typed, Refused: true})
	}
	if err != nil {
		return err
	}
	return s.askForDevice(w, r, d, readUserCode(typed))
}

// askForDevice leads to the question, in a flow of this browser.
func (s *Server) askForDevice(w http.ResponseWriter, r *http.Request, d *DeviceAuthorization, code string) error {
	f := &flow{Params: url.Values{"client_id": {d.ClientID}}, Device: &deviceFlow{ID: d.ID, UserCode: code}}
	if err := s.beginFlow(w, r, f); err != nil {
		return unavailable(err)
	}
	return pages.Follow(w, r, pages.DevicePage, pages.DeviceFound, f.ID)
}

// findDevice looks a code up, after the try has been counted.
func (s *Server) findDevice(r *http.Request, session *authn.Session, code string) (*DeviceAuthorization, error) {
	ctx, network := r.Context(), web.Network(r)
	err := s.Sessions.CountDeviceCode(ctx, session.UserID, network)
	if throttled, ok := errors.AsType[*authn.ThrottledError](err); ok {
		return nil, web.TooManyRequests(throttled.RetryAfter)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	d, err := s.deviceByUserCode(ctx, code)
	if err != nil {
		return nil, unavailable(err)
	}
	web.Note(ctx, slog.String("client", d.ClientID))
	return d, unavailable(s.Sessions.ForgiveDeviceCode(ctx, session.UserID, network))
}

// deviceByUserCode finds a request whichever of the secrets was the first one
// when it was made.
func (s *Server) deviceByUserCode(ctx context.Context, code string) (*DeviceAuthorization, error) {
	for _, secret := range s.Secrets {
		d, err := s.Store.DeviceByUserCode(ctx, userCodeMAC(secret, code), s.now())
		if !errors.Is(err, directory.ErrNotFound) {
			return d, err
		}
	}
	return nil, directory.ErrNotFound
}

// deviceSession is session, but for one that access to the mail began: which
// service the device belongs to is not known yet, and few are content with that.
func (s *Server) deviceSession(r *http.Request) (*authn.Session, *directory.User, error) {
	session, user, err := s.session(r)
	if session != nil && session.ACR == authn.ACREmail {
		return nil, nil, err
	}
	return session, user, err
}

// sessionForDevice is deviceSession, but for one below the floor of the service
// that the device belongs to, once that is known. A sign-in that the flow led to
// and that stays below is refused: asking again would not end.
func (s *Server) sessionForDevice(r *http.Request, f *flow) (*authn.Session, *directory.User, error) {
	session, user, err := s.deviceSession(r)
	if err != nil || session == nil || f.Device.ID == uuid.Nil {
		return session, user, err
	}
	client, err := s.Clients.Get(r.Context(), f.Params.Get("client_id"))
	switch {
	case err != nil:
		return nil, nil, err
	case client.admits(session.ACR):
		return session, user, nil
	case !session.AuthTime.Before(f.CreatedAt):
		return nil, nil, belowFloor
	}
	return nil, nil, nil
}

// belowFloor is a page: a device has no address to send the browser to.
var belowFloor = &web.Error{
	Status: http.StatusForbidden, Code: "unmet_authentication_requirements",
	Message: "You cannot be signed in as surely as this service needs", Cause: web.Reason("the user did not reach the least level that the client accepts"),
}

// continueDevice brings a browser back from the sign-in.
func (s *Server) continueDevice(w http.ResponseWriter, r *http.Request, f *flow) error {
	session, _, err := s.sessionForDevice(r, f)
	switch {
	case err != nil:
		return unavailable(err)
	case session == nil:
		return pages.Follow(w, r, pages.ContinuePage, pages.SignInNeeded, f.ID)
	case f.Device.ID != uuid.Nil:
		return pages.Follow(w, r, pages.ContinuePage, pages.ConsentNeeded, f.ID)
	}
	if err := s.takeFlow(r.Context(), f.ID); err != nil {
		return err
	}
	to := DevicePath
	if f.Device.UserCode != "" {
		to += "?user_code=" + url.QueryEscape(f.Device.UserCode)
	}
	return pages.FollowTo(w, r, pages.ContinuePage, pages.DeviceCodeNeeded, to)
}
