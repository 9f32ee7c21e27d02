package notify

import (
	"net/http"

	"gatehouse/internal/web"
)

// UserRoutes are the routes of users that no other dialect shares a path with;
// protect puts the gate in front of a handler.
func (a *API) UserRoutes(protect func(web.Handler) web.Handler) []web.Route {
	route := func(method, path string, h web.Handler) web.Route {
		return web.Route{Method: method, Path: path, Surface: Surface{}, Handler: h}
	}
	post := func(path string, h web.Handler) web.Route {
		return route(http.MethodPost, "/user/{user_id}/"+path, WithID("user_id", protect(h)))
	}
	credential := func(h web.Handler) web.Handler {
		return WithID("user_id", WithID("credential_id", protect(h)))
	}
	return []web.Route{
		route(http.MethodPost, "/user/email", protect(a.UserByEmail)),
		route(http.MethodPost, "/user/find-users-by-email", protect(a.FindUsers)),
		route(http.MethodPost, "/user/reset-password", protect(a.SendPasswordReset)),
		post("activate", a.ActivateUser),
		post("archive", a.ArchiveUser),
		post("verify/password", a.VerifyPassword),
		post("verify/code", a.VerifyCode),
		post("sms-code", a.SendSMSCode),
		post("email-code", a.SendEmailCode),
		post("complete/webauthn-login", a.CompleteWebAuthn),
		post("reset-failed-login-count", a.ResetFailedLogins),
		post("update-password", a.UpdatePassword),
		post("email-verification", a.SendEmailVerification),
		post("change-email-verification", a.SendChangeEmailVerification),
		post("email-already-registered", a.SendAlreadyRegistered),
		post("organisation/{organisation_id}/permissions", WithID("organisation_id", a.SetOrganisationPermissions)),
		route(http.MethodGet, "/user/{user_id}/organisations-and-services", WithID("user_id", protect(a.OrganisationsAndServices))),
		route(http.MethodGet, "/user/{user_id}/webauthn", WithID("user_id", protect(a.Credentials))),
		post("webauthn", a.CreateCredential),
		route(http.MethodPost, "/user/{user_id}/webauthn/{credential_id}", credential(a.RenameCredential)),
		route(http.MethodDelete, "/user/{user_id}/webauthn/{credential_id}", credential(a.DeleteCredential)),
	}
}

// noContent answers that it is done.
func noContent(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	for name, value := range headers {
		h.Set(name, value)
	}
	h.Del("Content-Type")
	h["X-B3-TraceId"], h["X-B3-SpanId"] = traceIDs(r)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
