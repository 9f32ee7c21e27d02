package oauth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"gatehouse/authn"
	"gatehouse/authn/pages"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// dispatch is the only place that decides what comes next: sign in, choose an
// account, consent, or the code. It is entered with the request and again whenever the browser comes
// back from one of the pages.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request, a *authorization) error {
	v, err := s.visitOf(r, a)
	if err != nil {
		return unavailable(err)
	}
	session, user := v.Session, v.User
	expected, err := s.isAbout(r.Context(), a, user)
	if err != nil {
		return unavailable(err)
	}
	next := pages.SignInNeeded
	if session != nil && expected && a.satisfiedBy(session, s.now()) {
		next = a.afterSignIn(v)
	}
	switch {
	case next == pages.Answered:
		return s.issue(w, r, a, session, user)
	case !reachable(a.claims.essentialLevels()):
		return s.answerError(w, r, a, errUnmet)
	case a.wants("none"):
		return s.answerError(w, r, a, unattended[next])
	case next == pages.SignInNeeded && a.signedInSince(session):
		// Whoever signed in is not who was asked for, or did not reach the level
		// that was: asking again would not end.
		return s.answerError(w, r, a, a.missed(expected))
	default:
		return s.suspend(w, r, a, next)
	}
}

// missed is the answer to a sign-in that does not serve.
func (a *authorization) missed(expected bool) error {
	if expected {
		return errUnmet
	}
	return unattended[pages.SignInNeeded]
}

// errUnmet says that the level that is needed is out of the user's reach (OpenID
// Connect Core Error Code unmet_authentication_requirements).
var errUnmet = refuse("unmet_authentication_requirements", "The user cannot be authenticated at the level that is needed")

// unattended is the answer to prompt=none when somebody would have to be asked.
var unattended = map[pages.Event]error{
	pages.SignInNeeded:  refuse("login_required", "The user has to sign in"),
	pages.ChoiceNeeded:  refuse("account_selection_required", "The user has to choose an account"),
	pages.ConsentNeeded: refuse("consent_required", "The user has to consent"),
}

// session returns who is signed in in the browser; nil when nobody is.
func (s *Server) session(r *http.Request) (*authn.Session, *directory.User, error) {
	token := s.Cookies.Get(r, authn.SessionCookie)
	if token == "" {
		return nil, nil, nil
	}
	session, user, err := s.Sessions.Session(r.Context(), token)
	if errors.Is(err, authn.ErrNoSession) {
		return nil, nil, nil
	}
	return session, user, err
}

// visitOf returns who is signed in in the browser of a request, with neither
// session nor user when nobody is.
func (s *Server) visitOf(r *http.Request, a *authorization) (*Visit, error) {
	token := s.Cookies.Get(r, authn.SessionCookie)
	switch {
	case a.visit != nil:
		return a.visit, nil
	case token == "":
		return &Visit{}, nil
	case a.client.FirstParty: // which needs nobody's consent
		session, user, err := s.session(r)
		return &Visit{Session: session, User: user}, err
	}
	v := &Visit{}
	_, _, err := s.Sessions.SessionBy(r.Context(), token, func(ctx context.Context, hash []byte, now, idleSince time.Time) (*authn.Session, *directory.User, error) {
		found, err := s.Store.Visit(ctx, hash, now, idleSince, a.client.ID)
		if err != nil {
			return nil, nil, err
		}
		v = found
		return v.Session, v.User, nil
	})
	if errors.Is(err, authn.ErrNoSession) {
		return v, nil
	}
	return v, err
}

// satisfiedBy reports whether a session is good enough for the request. A
// sign-in that this flow led to satisfies whatever it was asked for, but for an
// essential level and the client's floor.
func (a *authorization) satisfiedBy(session *authn.Session, now time.Time) bool {
	if !a.client.admits(session.ACR) {
		return false
	}
	if _, reached := stated(session.ACR, a.claims.essentialLevels()); !reached {
		return false
	}
	if a.signedInSince(session) {
		return true
	}
	if a.wants("login") {
		return false
	}
	if a.maxAge != noMaxAge && (a.maxAge == 0 || now.Sub(session.AuthTime) > a.maxAge) {
		return false
	}
	return a.wants("none") || a.levelReached(session.ACR)
}

// signedInSince reports whether the user signed in after the flow had begun.
func (a *authorization) signedInSince(session *authn.Session) bool {
	return a.flow != nil && session != nil && !session.AuthTime.Before(a.flow.CreatedAt)
}

// levelReached reports whether a level is one of those asked for, or above.
// acr_values are a wish: levels that are not known here are not waited for.
func (a *authorization) levelReached(acr string) bool {
	lowest := slices.IndexFunc(knownLevels, func(level string) bool { return slices.Contains(a.acrValues, level) })
	return lowest <= slices.Index(knownLevels, acr)
}

// afterSignIn decides between the choice of an account, consent and the code.
func (a *authorization) afterSignIn(v *Visit) pages.Event {
	by := v.Session.UserID
	if a.wants("select_account") && !a.signedInSince(v.Session) && (a.flow == nil || a.flow.SelectedBy != by) {
		return pages.ChoiceNeeded
	}
	if a.flow != nil && a.flow.ConsentBy == by {
		return pages.Answered
	}
	// Nobody has vouched for who answers at a loopback address of a client that
	// describes itself, so an earlier consent may have been given to another.
	// And what a profile holds is shown to nobody by the way.
	if a.wants("consent") || a.client.Origin == OriginDocument || a.wantsProfile() {
		return pages.ConsentNeeded
	}
	if a.client.FirstParty {
		return pages.Answered
	}
	for _, scope := range a.asksFor() {
		if !slices.Contains(v.Allowed, scope) {
			return pages.ConsentNeeded
		}
	}
	return pages.Answered
}

// issue creates the grant and sends its code to the client.
func (s *Server) issue(w http.ResponseWriter, r *http.Request, a *authorization, session *authn.Session, user *directory.User) error {
	g, err := s.newGrant(r.Context(), a, session, user)
	if err != nil {
		return unavailable(err)
	}
	if a.flow != nil {
		if err := s.takeFlow(r.Context(), a.flow.ID); err != nil {
			return err
		}
	}
	for _, scope := range a.scopes {
		a.request.GrantScope(scope)
	}
	if g.CodeChallenge == "" {
		web.Note(r.Context(), slog.Bool("without_pkce", true))
	}
	code, err := s.storeGrant(r.Context(), a, g)
	if errors.Is(err, directory.ErrNotFound) { // the session has ended since it was looked up
		return s.answerError(w, r, a, unattended[pages.SignInNeeded])
	}
	if err != nil {
		return s.answerError(w, r, a, err)
	}
	return s.answer(w, r, a, url.Values{"code": {code}})
}

// storeGrant keeps a grant and the consent that it follows from, together, and
// returns its code.
func (s *Server) storeGrant(ctx context.Context, a *authorization, g *Grant) (code string, err error) {
	err = s.Store.InTx(ctx, func(ctx context.Context) error {
		if a.consent != nil {
			if err := a.consent(ctx); err != nil {
				return err
			}
		}
		made := withFositeClient(ctx, fositeClient{Client: a.client})
		response, err := s.fosite().authorize.NewAuthorizeResponse(made, a.request, &exchange{client: a.client, form: a.params, grant: g})
		if err != nil {
			return err
		}
		code = response.GetCode()
		return s.countVisit(ctx, g, a.client)
	})
	return code, err
}

// newGrant is the grant of an authorization; fosite adds the code.
func (s *Server) newGrant(ctx context.Context, a *authorization, session *authn.Session, user *directory.User) (*Grant, error) {
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	subject, err := s.subject(ctx, a.client, user.ID)
	if err != nil {
		return nil, err
	}
	claims, err := a.claims.granted(a.client)
	if err != nil {
		return nil, err
	}
	level, _ := stated(session.ACR, a.claims.essentialLevels())
	now := s.now()
	// Without a refresh token nothing outlives the code and one access token.
	lifetime := s.Lifetimes.code() + s.Lifetimes.access()
	if slices.Contains(a.client.GrantTypes, GrantRefreshToken) {
		lifetime = s.Lifetimes.refresh()
	}
	return &Grant{
		ID: id, ClientID: a.client.ID, UserID: user.ID, Subject: subject, SessionID: session.ID, Scopes: a.scopes, Audience: a.resources,
		ACR: level, AMR: session.AMR, AuthTime: session.AuthTime,
		RedirectURI: a.redirectURI, Nonce: a.params.Get("nonce"), CodeChallenge: a.params.Get("code_challenge"),
		Claims: claims, KeyThumbprint: a.params.Get("dpop_jkt"),
		CodeExpiresAt: now.Add(s.Lifetimes.code()), CreatedAt: now, ExpiresAt: now.Add(lifetime),
	}, nil
}

// Continue brings a browser back to its authorization from one of the pages.
func (s *Server) Continue(w http.ResponseWriter, r *http.Request) error {
	f, err := s.flow(r)
	if err != nil {
		return err
	}
	if f.Device != nil {
		return s.continueDevice(w, r, f)
	}
	return s.authorize(w, r, &authorization{params: f.Params, flow: f})
}
