package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gatehouse/authn/pages"
	"gatehouse/internal/web"
)

// Response modes.
const (
	modeQuery    = "query"
	modeFormPost = "form_post" // OAuth 2.0 Form Post Response Mode
)

var responseModes = []string{modeQuery, modeFormPost}

// mayAnswerBy reports whether a client may have its answers in a mode. A form
// can be posted to a web server only.
func (c *Client) mayAnswerBy(mode, redirectURI string) bool {
	if mode == modeFormPost && !strings.HasPrefix(redirectURI, "https:") && !strings.HasPrefix(redirectURI, "http:") {
		return false
	}
	allowed := c.ResponseModes
	if len(allowed) == 0 {
		allowed = responseModes
	}
	return slices.Contains(responseModes, mode) && slices.Contains(allowed, mode)
}

// answerError tells the client what went wrong; a store's failure is answered here.
func (s *Server) answerError(w http.ResponseWriter, r *http.Request, a *authorization, err error) error {
	var refusal *web.Error
	if err = protocolError(err); !errors.As(err, &refusal) || refusal.Status >= http.StatusInternalServerError {
		return err
	}
	web.NoteRefusal(w, refusal.Code, err)
	return s.answer(w, r, a, url.Values{"error": {refusal.Code}, "error_description": {describable(refusal.Message)}})
}

// answer sends the browser back to the client with a response that says who
// made it (RFC 9207). The status is 303: 307 would repeat a POST with what it held.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, a *authorization, response url.Values) error {
	response.Set("iss", s.Issuer)
	if a.params.Has("state") {
		response.Set("state", a.params.Get("state"))
	}
	if a.mode == modeFormPost {
		return s.Pages.FormPost(w, r, pages.FormPostView{
			ClientName: a.client.Named(), Organisation: a.client.organisation(), Action: a.redirectURI, FormAction: formAction(a.redirectURI), Fields: response,
		})
	}
	separator := "?"
	if strings.Contains(a.redirectURI, "?") {
		separator = "&"
	}
	return pages.FollowTo(w, r, pages.Deciding, pages.Answered, a.redirectURI+separator+response.Encode())
}
