package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/pages"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// leave is a request to sign out (OpenID Connect RP-Initiated Logout section 2).
type leave struct {
	params url.Values
	client *Client    // whom the hint or client_id names; nil for nobody
	hint   *leaveHint // nil without id_token_hint
	to     string     // where the browser goes afterwards; "" for our own page
}

// leaveHint is what counts of the ID token in a hint.
type leaveHint struct {
	Issuer    string    `json:"iss"`
	Audience  audience  `json:"aud"`
	SessionID uuid.UUID `json:"sid"`
}

// EndSession is the end-session endpoint, for GET and POST (OpenID Connect
// RP-Initiated Logout 1.0). An ID token of the session at hand signs out at
// once; anything less asks first, because any site can send a browser here. What
// is wrong is answered by a page: no error is worth an open redirector.
func (s *Server) EndSession(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.proofKey(w, r); err != nil {
		return err
	}
	params, err := authorizeParameters(r)
	if err != nil {
		return err
	}
	if r.Method == http.MethodPost && s.Cookies.Get(r, authn.SessionCookie) == "" {
		// Another site's POST comes without our SameSite=Lax cookies, a GET with them.
		w.Header().Set("Location", EndSessionPath+"?"+params.Encode())
		w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	l, err := s.readLeave(r.Context(), params)
	if err != nil {
		return err
	}
	if params.Has("ui_locales") {
		s.Pages.Speak(w, r, params.Get("ui_locales"))
	}
	session, user, err := s.session(r)
	if err != nil {
		return unavailable(err)
	}
	if session == nil {
		return s.Pages.SignOut(w, r, l.to)
	}
	asked, err := s.comesFrom(r.Context(), l, session)
	if err != nil {
		return unavailable(err)
	}
	if asked {
		return s.Pages.SignOut(w, r, l.to)
	}
	return s.Pages.ConfirmSignOut(w, r, l.view(user))
}

// readLeave checks a request; a refusal is for a page.
func (s *Server) readLeave(ctx context.Context, params url.Values) (*leave, error) {
	l := &leave{params: params}
	if params.Has("id_token_hint") {
		if err := s.readLeaveHint(ctx, l); err != nil {
			return nil, err
		}
	}
	if err := s.leaver(ctx, l); err != nil {
		return nil, err
	}
	if l.client != nil {
		web.Note(ctx, slog.String("client", l.client.ID))
	}
	var err error
	l.to, err = afterLeaving(l.client, params)
	return l, err
}

// readLeaveHint reads the ID token. It serves after it has expired, and after its
// key was retired.
func (s *Server) readLeaveHint(ctx context.Context, l *leave) error {
	v, err := s.Keys.Verify(ctx, l.params.Get("id_token_hint"))
	if errors.Is(err, directory.ErrUnavailable) {
		return unavailable(err)
	}
	var h leaveHint
	if err != nil || v.Type != TypeIDToken || json.Unmarshal(v.Claims, &h) != nil || h.Issuer != s.Issuer || len(h.Audience) == 0 {
		return ownPage("The id_token_hint is not an ID token of this service", "the id_token_hint is not an ID token that this service signed")
	}
	if id := l.params.Get("client_id"); id != "" && !slices.Contains(h.Audience, id) {
		return ownPage("The id_token_hint was not issued to the client_id", "the id_token_hint was issued to another client than client_id")
	}
	l.hint = &h
	return nil
}

// leaver finds the client of the request. One that was deleted since its ID
// token was issued is nobody; one that is named and unknown is a mistake.
func (s *Server) leaver(ctx context.Context, l *leave) error {
	id := l.params.Get("client_id")
	if id == "" && l.hint != nil {
		id = l.hint.Audience[0]
	}
	if id == "" {
		return nil
	}
	client, err := s.Clients.Get(ctx, id)
	switch {
	case err == nil:
		l.client = client
		return nil
	case !errors.Is(err, directory.ErrNotFound):
		return unavailable(err)
	case l.hint != nil:
		return nil
	}
	return ownPage("The service that sent you here is not known", "no client has this client_id")
}

// afterLeaving is where a browser goes once it is signed out: an address that
// the client has registered, compared as it stands, or "" for our own page. An
// address that nobody vouches for is not gone to.
func afterLeaving(client *Client, params url.Values) (string, error) {
	uri := params.Get("post_logout_redirect_uri")
	if uri == "" || client == nil {
		return "", nil
	}
	if !slices.Contains(client.PostLogoutRedirectURIs, uri) {
		return "", ownPage("The service that sent you here gave an address to return to that is not its own",
			"the post_logout_redirect_uri is not registered for the client")
	}
	if !params.Has("state") {
		return uri, nil
	}
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	return uri + separator + url.Values{"state": {params.Get("state")}}.Encode(), nil
}

// comesFrom reports whether a request holds an ID token of the session at hand:
// proof that it comes from a service that the session has led to.
func (s *Server) comesFrom(ctx context.Context, l *leave, session *authn.Session) (bool, error) {
	if l.hint == nil || l.hint.SessionID == uuid.Nil {
		return false, nil
	}
	if l.hint.SessionID == session.ID {
		return true, nil
	}
	return s.Endings.Store.LedTo(ctx, session.ID, l.hint.Audience[0], l.hint.SessionID)
}

// view is what the page that asks shows, and sends back.
func (l *leave) view(user *directory.User) pages.SignOutView {
	v := pages.SignOutView{UserName: user.Name}
	if l.client == nil {
		return v
	}
	v.ClientName, v.ClientID, v.Organisation = l.client.Named(), l.client.ID, l.client.organisation()
	if l.to != "" {
		v.RedirectURI, v.State = l.params.Get("post_logout_redirect_uri"), l.params.Get("state")
		v.FormAction = formAction(v.RedirectURI)
	}
	return v
}

// AfterSignOut implements [pages.Flows].
func (s *Server) AfterSignOut(ctx context.Context, clientID, redirectURI, state string) (string, error) {
	params := url.Values{}
	for name, value := range map[string]string{"client_id": clientID, "post_logout_redirect_uri": redirectURI, "state": state} {
		if value != "" {
			params.Set(name, value)
		}
	}
	l, err := s.readLeave(ctx, params)
	if err != nil {
		return "", err
	}
	return l.to, nil
}
