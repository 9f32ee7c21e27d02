package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/directory"
)

// prompts are the values of prompt (OpenID Connect Core section 3.1.2.1).
var prompts = []string{"none", "login", "consent", "select_account"}

// readInteraction reads the parameters that say how the user is to be met.
func (a *authorization) readInteraction() error {
	a.prompt = strings.Fields(a.params.Get("prompt"))
	for _, p := range a.prompt {
		if !slices.Contains(prompts, p) {
			return refuse("invalid_request", "The prompt is not known")
		}
	}
	if a.wants("none") && len(a.prompt) > 1 {
		return refuse("invalid_request", "The prompt none goes with no other")
	}
	a.maxAge = noMaxAge
	if a.client.DefaultMaxAge != nil {
		a.maxAge = time.Duration(*a.client.DefaultMaxAge) * time.Second
	}
	if a.params.Has("max_age") {
		seconds, err := strconv.ParseUint(a.params.Get("max_age"), 10, 31)
		if err != nil {
			return refuse("invalid_request", "The max_age is not a number of seconds")
		}
		a.maxAge = time.Duration(seconds) * time.Second
	}
	return nil
}

// levels are those that a request asks for, or else the client always does
// (OpenID Connect Registration section 2).
func (a *authorization) levels() []string {
	levels := a.client.DefaultACRValues
	if a.params.Has("acr_values") {
		levels = strings.Fields(a.params.Get("acr_values"))
	}
	return slices.Concat(levels, a.claims.levels())
}

// asksFor are the scopes that the user is asked to consent to: the claims
// parameter may want more than the scope parameter says.
func (a *authorization) asksFor() []string {
	return unique(slices.Concat(scopeList(a.params.Get("scope")), a.claims.scopes(a.client)))
}

// readHint reads whom id_token_hint is about. An ID token serves after it has
// expired, and after its key was retired.
func (s *Server) readHint(ctx context.Context, a *authorization) error {
	if !a.params.Has("id_token_hint") {
		return nil
	}
	v, err := s.Keys.Verify(ctx, a.params.Get("id_token_hint"))
	if errors.Is(err, directory.ErrUnavailable) {
		return err
	}
	if err != nil || v.Type != TypeIDToken {
		return refuse("invalid_request", "The id_token_hint is not an ID token of this service")
	}
	a.hint, err = subjectOf(v.Claims)
	return err
}

// subjectOf reads the sub of verified claims.
func subjectOf(claims json.RawMessage) (string, error) {
	var c struct {
		Subject string `json:"sub"`
	}
	if err := json.Unmarshal(claims, &c); err != nil {
		return "", fmt.Errorf("decode claims: %w", err)
	}
	return c.Subject, nil
}
