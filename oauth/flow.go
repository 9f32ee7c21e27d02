package oauth

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/pages"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// flow is an authorization whose browser is on one of the pages. It is kept
// under a random id, belongs to the browser that began it, and issues one code.
type flow struct {
	ID        string     `json:"-"`
	Params    url.Values `json:"params"`
	Browser   []byte     `json:"browser"` // SHA-256 of the browser's cookie
	CreatedAt time.Time  `json:"created_at"`
	// ConsentBy is the user who consented in this flow, SelectedBy the one who
	// chose to go on as who they are.
	ConsentBy  uuid.UUID `json:"consent_by,omitzero"`
	SelectedBy uuid.UUID `json:"selected_by,omitzero"`
	// Device is set in a flow that no client's browser began, but a device.
	Device *deviceFlow `json:"device,omitempty"`
}

// suspend sends the browser to a page, and remembers what to come back to.
func (s *Server) suspend(w http.ResponseWriter, r *http.Request, a *authorization, next pages.Event) error {
	if a.flow == nil {
		if err := s.begin(w, r, a); err != nil {
			return unavailable(err)
		}
	}
	return pages.Follow(w, r, pages.Deciding, next, a.flow.ID)
}

// begin stores a new flow for the authorization's browser.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, a *authorization) error {
	a.flow = &flow{Params: a.params}
	return s.beginFlow(w, r, a.flow)
}

// beginFlow stores a new flow for the browser, which it gives a cookie when it has none.
func (s *Server) beginFlow(w http.ResponseWriter, r *http.Request, f *flow) error {
	browser := s.Cookies.Get(r, authn.BrowserCookie)
	if browser == "" {
		var err error
		if browser, err = s.randomText(); err != nil {
			return err
		}
		s.Cookies.Set(w, authn.BrowserCookie, browser, 0)
	}
	id, err := s.randomText()
	if err != nil {
		return err
	}
	s.Pages.Speak(w, r, f.Params.Get("ui_locales"))
	f.ID, f.Browser, f.CreatedAt = id, hashOf(browser), s.now()
	return s.putFlow(r.Context(), f)
}

// putFlow stores a flow for what is left of its life.
func (s *Server) putFlow(ctx context.Context, f *flow) error {
	encoded, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encode flow: %w", err)
	}
	left := f.CreatedAt.Add(s.Lifetimes.flow()).Sub(s.now())
	if left <= 0 {
		return noFlow(pages.ErrNoFlow)
	}
	return s.Flows.PutFlow(ctx, f.ID, encoded, left)
}

// flow returns the flow that a request of its browser names.
func (s *Server) flow(r *http.Request) (*flow, error) {
	f, err := s.findFlow(r.Context(), r.FormValue("flow"), s.Cookies.Get(r, authn.BrowserCookie))
	if errors.Is(err, pages.ErrNoFlow) {
		return nil, noFlow(err)
	}
	return f, unavailable(err)
}

func (s *Server) findFlow(ctx context.Context, id, browser string) (*flow, error) {
	encoded, err := s.Flows.Flow(ctx, id)
	if errors.Is(err, directory.ErrNotFound) {
		return nil, pages.ErrNoFlow
	}
	if err != nil {
		return nil, err
	}
	f := &flow{ID: id}
	if err := json.Unmarshal(encoded, f); err != nil {
		return nil, fmt.Errorf("decode flow: %w", err)
	}
	if browser == "" || !bytes.Equal(f.Browser, hashOf(browser)) {
		return nil, pages.ErrNoFlow
	}
	return f, nil
}

// takeFlow ends a flow; of several requests that try only one succeeds.
func (s *Server) takeFlow(ctx context.Context, id string) error {
	_, err := s.Flows.TakeFlow(ctx, id)
	if errors.Is(err, directory.ErrNotFound) {
		return noFlow(err)
	}
	return unavailable(err)
}

func noFlow(cause error) error {
	return &web.Error{
		Status: http.StatusBadRequest, Cause: because(cause, "the authorization has expired, was finished, or belongs to another browser"),
		Message: "This sign-in has expired or was finished. Go back to the service that sent you here and start again",
	}
}

// Flow implements [pages.Flows].
func (s *Server) Flow(ctx context.Context, id, browser string) (*pages.Flow, error) {
	f, err := s.findFlow(ctx, id, browser)
	if err != nil {
		return nil, err
	}
	if f.Device != nil && f.Device.ID == uuid.Nil {
		return &pages.Flow{ID: id}, nil // which service it is about is known once the code is
	}
	client, err := s.Clients.Get(ctx, f.Params.Get("client_id"))
	if errors.Is(err, directory.ErrNotFound) {
		return nil, pages.ErrNoFlow
	}
	if err != nil {
		return nil, err
	}
	return &pages.Flow{
		ID: id, ClientName: client.Named(), Organisation: client.organisation(), LoginHint: f.Params.Get("login_hint"), FormAction: formAction(f.Params.Get("redirect_uri")),
		ACRValues: f.levels(client), Floor: client.MinimumACR, EmailSignIn: client.EmailSignIn,
	}, nil
}

// levels are the levels that the flow's client asks for.
func (f *flow) levels(client *Client) []string {
	a := authorization{client: client, params: f.Params}
	if a.readClaims() != nil {
		return nil // such a request begins no flow
	}
	return a.levels()
}

// formAction is a redirect URI as a source of a Content-Security-Policy, whose
// grammar knows no IPv6 addresses.
func formAction(redirectURI string) string {
	u, err := url.Parse(redirectURI)
	switch {
	case err != nil:
		return ""
	case u.Host == "", strings.HasPrefix(u.Host, "["):
		return u.Scheme + ":"
	default:
		return u.Scheme + "://" + u.Host
	}
}

// randomText returns 256 random bits for a URL or a cookie.
func (s *Server) randomText() (string, error) {
	var raw [32]byte
	if _, err := io.ReadFull(s.Rand, raw[:]); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw[:]), nil
}
