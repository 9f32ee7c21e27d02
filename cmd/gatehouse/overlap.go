package main

import (
	"mime"
	"net/http"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/directory/delius"
	"gatehouse/directory/notify"
	"gatehouse/internal/web"
)

// dialects are the two directory APIs that share paths. A segment shaped like a
// UUID belongs to Notify's, any other to Delius's: no username looks like one.
type dialects struct {
	notify *notify.API
	gate   *notify.Gate
	// usage protects the one route that tools which count messages call.
	usage  *notify.Gate
	delius *delius.API
	// bearer protects with an access token of a caller that need accepts.
	bearer func(need func(*directory.Caller) error, next web.Handler) web.Handler
}

// routes are the routes of both APIs.
func (d *dialects) routes() []web.Route {
	authenticate := d.bearer(delius.AuthenticateRole.Check, d.delius.Authenticate)
	all := append(d.userRoutes(), web.Route{Method: http.MethodPost, Path: "/authenticate", Surface: delius.Surface{}, Handler: authenticate})
	all = append(all, d.notify.OrganisationRoutes(d.gate.Protect)...)
	all = append(all, d.notify.BrandingRoutes(d.gate.Protect)...)
	all = append(all, d.notify.InvitationRoutes(d.gate.Protect)...)
	all = append(all, d.notify.GoLiveRoutes(d.gate.Protect)...)
	all = append(all, d.notify.UsageRoute(d.usage.Protect))
	all = append(all, d.notify.ServiceRoutes(d.gate.Protect)...)
	all = append(all, d.notify.UserRoutes(d.gate.Protect)...)
	return all
}

func (d *dialects) userRoutes() []web.Route {
	details := func(h web.Handler) web.Handler { return d.bearer(delius.DetailsRole.Check, h) }
	password := d.bearer(delius.PasswordRole.Check, d.delius.SetPassword)
	return []web.Route{
		{Method: http.MethodPost, Path: "/user", Surface: userSurface{}, Handler: d.gate.Protect(d.notify.CreateUser)},
		{Method: http.MethodGet, Path: "/user", Surface: userSurface{}, Handler: details(d.delius.UsersByEmail)},
		{Method: http.MethodGet, Path: "/user/{ref}", Surface: userSurface{}, Handler: showUser(d.gate.Protect(d.notify.ShowUser), details(d.delius.UserByUsername))},
		{Method: http.MethodPost, Path: "/user/{ref}", Surface: userSurface{}, Handler: updateUser(d.gate.Protect(d.notify.UpdateUser))},
		{Method: http.MethodGet, Path: detailsPattern, Surface: userSurface{}, Handler: details(d.delius.UserByNumber), Exists: isDetails},
		{Method: http.MethodPost, Path: "/user/{username}/password", Surface: delius.Surface{}, Handler: password},
	}
}

// showUser answers GET /user/{ref} in the dialect of what ref is.
func showUser(byID, byUsername web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ref := r.PathValue("ref")
		if isUserID(ref) {
			r.SetPathValue("user_id", ref)
			return byID(w, r)
		}
		r.SetPathValue("username", ref)
		return byUsername(w, r)
	}
}

// updateUser answers POST /user/{ref}, which Delius does not know.
func updateUser(next web.Handler) web.Handler {
	return notify.WithID("ref", func(w http.ResponseWriter, r *http.Request) error {
		r.SetPathValue("user_id", r.PathValue("ref"))
		return next(w, r)
	})
}

// detailsPattern also matches what is not Delius's; see isDetails.
const detailsPattern = "/user/{a}/{userId}"

// isDetails tells /user/details/{userId} from whatever else /user/{a}/{userId}
// matches. net/http cannot register it beside patterns such as
// /user/{user_id}/webauthn: both would match /user/details/webauthn.
func isDetails(r *http.Request) bool { return r.PathValue("a") == "details" }

// isUserID reports whether a segment is a UUID in the one form Notify knows.
func isUserID(ref string) bool { return len(ref) == 36 && uuid.Validate(ref) == nil }

// userSurface writes the errors of a path of both APIs in the voice of the one
// that was asked.
type userSurface struct{}

// WriteError implements [web.Surface].
func (userSurface) WriteError(w http.ResponseWriter, r *http.Request, e *web.Error) {
	if asksDelius(r) {
		delius.Surface{}.WriteError(w, r, e)
		return
	}
	notify.Surface{}.WriteError(w, r, e)
}

func asksDelius(r *http.Request) bool {
	switch r.Pattern {
	case "/user":
		return r.Method == http.MethodGet || r.Method == http.MethodHead
	case "/user/{ref}":
		return r.Method != http.MethodPost && !isUserID(r.PathValue("ref"))
	}
	return r.PathValue("a") == "details"
}

// register answers POST /register in the voice of who asks: a form comes from a
// person who wants an account, anything else from a client (RFC 7591).
func register(person, client web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if isForm(r) {
			return person(w, r)
		}
		return client(w, r)
	}
}

func isForm(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "application/x-www-form-urlencoded"
}

// registerSurface writes the errors of POST /register likewise.
type registerSurface struct{ person, client web.Surface }

// WriteError implements [web.Surface].
func (s registerSurface) WriteError(w http.ResponseWriter, r *http.Request, e *web.Error) {
	if isForm(r) {
		s.person.WriteError(w, r, e)
		return
	}
	s.client.WriteError(w, r, e)
}
