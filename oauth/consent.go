package oauth

import (
	"context"
	"net/http"

	"gatehouse/authn"
	"gatehouse/authn/pages"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// ConsentPage shows what a client asks for to the user who is signed in.
func (s *Server) ConsentPage(w http.ResponseWriter, r *http.Request) error {
	f, session, user, err := s.consenting(r)
	if err != nil {
		return err
	}
	if session == nil {
		return pages.Follow(w, r, pages.ConsentPage, pages.SessionEnded, f.ID)
	}
	if f.Device != nil {
		return s.deviceConsent(w, r, f, user)
	}
	a, err := s.authorizationOf(r.Context(), f)
	if err != nil {
		return err
	}
	choice, err := s.profileChoice(r.Context(), a, user.ID)
	if err != nil {
		return unavailable(err)
	}
	return s.Pages.Consent(w, r, pages.ConsentView{
		Flow: f.ID, ClientName: a.client.Named(), Organisation: a.client.organisation(), UserName: user.Name, Profile: choice,
		Scopes: a.asksFor(), FormAction: formAction(a.redirectURI),
		PolicyURI: a.client.wording("policy_uri", a.client.PolicyURI), TermsURI: a.client.wording("tos_uri", a.client.TermsURI),
	})
}

// ConsentSubmit takes the answer: the field consent is accept or deny. The flow
// belongs to the browser, so another site can neither show nor answer it.
func (s *Server) ConsentSubmit(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	f, session, user, err := s.consenting(r)
	if err != nil {
		return err
	}
	switch {
	case session == nil:
		return pages.Follow(w, r, pages.ConsentPage, pages.SessionEnded, f.ID)
	case f.Device != nil:
		return s.deviceAnswer(w, r, f, session, form.Get("consent"))
	case form.Get("consent") == "accept":
		return s.consentGiven(w, r, f, session, user, form.Get("profile"))
	case form.Get("consent") == "deny":
		return s.consentDenied(w, r, f, session)
	default:
		return web.Errorf(http.StatusBadRequest, "Choose whether to allow the service what it asks for")
	}
}

// consenting returns the flow of a request and who is signed in, nil for nobody.
func (s *Server) consenting(r *http.Request) (*flow, *authn.Session, *directory.User, error) {
	f, err := s.flow(r)
	if err != nil {
		return nil, nil, nil, err
	}
	session, user, err := s.session(r)
	if f.Device != nil {
		session, user, err = s.sessionForDevice(r, f)
	}
	return f, session, user, unavailable(err)
}

// authorizationOf is the request of a flow, which was checked when it began.
func (s *Server) authorizationOf(ctx context.Context, f *flow) (*authorization, error) {
	client, err := s.clientOf(ctx, f.Params)
	if err != nil {
		return nil, err
	}
	a := &authorization{params: f.Params, flow: f}
	a.from(client)
	return a, a.readClaims()
}

func (s *Server) consentGiven(w http.ResponseWriter, r *http.Request, f *flow, session *authn.Session, user *directory.User, profile string) error {
	a, err := s.authorizationOf(r.Context(), f)
	if err != nil {
		return err
	}
	if !a.client.admits(session.ACR) {
		return pages.Follow(w, r, pages.ConsentPage, pages.SessionEnded, f.ID)
	}
	chosen, err := s.chosenProfile(r.Context(), a, session.UserID, profile)
	if err != nil {
		return unavailable(err)
	}
	f.ConsentBy = session.UserID
	a.consent = func(ctx context.Context) error {
		if err := s.shareProfile(ctx, a, session.UserID, chosen); err != nil {
			return err
		}
		return s.rememberConsent(ctx, a.client, session, a.asksFor())
	}
	a.visit = &Visit{Session: session, User: user}
	return s.authorize(w, r, a)
}

// rememberConsent adds scopes to what the user has allowed the client.
func (s *Server) rememberConsent(ctx context.Context, client *Client, session *authn.Session, scopes []string) error {
	return s.Store.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.AddConsent(ctx, session.UserID, client.ID, scopes, s.now()); err != nil {
			return err
		}
		actor := directory.Actor{Kind: "user", ID: session.UserID.String()}
		return s.audit(ctx, "give_consent", actor, session.UserID.String(), map[string]any{"client": client.ID, "scopes": scopes})
	})
}

func (s *Server) consentDenied(w http.ResponseWriter, r *http.Request, f *flow, session *authn.Session) error {
	a, err := s.authorizationOf(r.Context(), f)
	if err != nil {
		return err
	}
	refusal, err := s.noConsent(r.Context(), a, session.UserID)
	if err != nil {
		return unavailable(err)
	}
	if err := s.takeFlow(r.Context(), f.ID); err != nil {
		return err
	}
	putOff(w, refusal.Get("error"), web.Reason(refusal.Get("error_description"))) // a text of ours
	return s.answer(w, r, a, refusal)
}
