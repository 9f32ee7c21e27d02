package oauth

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/google/uuid"

	"gatehouse/authn/pages"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// Profiles is what the authorization server needs of the marketplace. What
// changes something joins the transaction in ctx.
type Profiles interface {
	// ProfilesOf returns the profiles that a user may let a provider see.
	ProfilesOf(ctx context.Context, user uuid.UUID, provider string) ([]directory.OwnProfile, error)
	// Share lets a provider see a user's profile; directory.ErrNotFound for one
	// that is not theirs.
	Share(ctx context.Context, user, profile uuid.UUID, provider string) error
	// Unshare ends a provider's sight of all of a user's profiles.
	Unshare(ctx context.Context, user uuid.UUID, provider string) error
	// Visited counts a sign-in at a provider.
	Visited(ctx context.Context, user uuid.UUID, provider string) error
}

// wantsProfile reports whether the client asks for a profile of the user.
func (a *authorization) wantsProfile() bool {
	return slices.Contains(scopeList(a.params.Get("scope")), ScopeMarketplaceProfile)
}

// profileChoice is what the consent page offers where a profile is asked for: the
// one that the client sees already stands chosen, or else the first.
func (s *Server) profileChoice(ctx context.Context, a *authorization, user uuid.UUID) (*pages.ProfileChoice, error) {
	if !a.wantsProfile() {
		return nil, nil
	}
	own, err := s.Profiles.ProfilesOf(ctx, user, a.client.ID)
	if err != nil {
		return nil, err
	}
	choice := &pages.ProfileChoice{}
	for _, p := range own {
		choice.Profiles = append(choice.Profiles, pages.ProfileOption{ID: p.ID.String(), Partner: p.Partner})
	}
	if len(own) > 0 {
		seen := slices.IndexFunc(own, func(p directory.OwnProfile) bool { return p.Seen })
		choice.Profiles[max(seen, 0)].Chosen = true
	}
	return choice, nil
}

// chosenProfile reads which of the user's profiles the client may see; uuid.Nil
// when none is asked for.
func (s *Server) chosenProfile(ctx context.Context, a *authorization, user uuid.UUID, chosen string) (uuid.UUID, error) {
	if !a.wantsProfile() {
		return uuid.Nil, nil
	}
	profile, err := uuid.Parse(chosen)
	if err != nil {
		return uuid.Nil, noSuchProfile(err)
	}
	own, err := s.Profiles.ProfilesOf(ctx, user, a.client.ID)
	if err != nil {
		return uuid.Nil, err
	}
	if !slices.ContainsFunc(own, func(p directory.OwnProfile) bool { return p.ID == profile }) {
		return uuid.Nil, noSuchProfile(directory.ErrNotFound)
	}
	return profile, nil
}

func noSuchProfile(cause error) error {
	return &web.Error{Status: http.StatusBadRequest, Message: "Choose which profile the service may see", Cause: cause}
}

// shareProfile records which profile the user lets the client see, if any.
func (s *Server) shareProfile(ctx context.Context, a *authorization, user, profile uuid.UUID) error {
	if profile == uuid.Nil {
		return nil
	}
	return s.Profiles.Share(ctx, user, profile, a.client.ID)
}

// noConsent tells a client that the user did not allow it what it asked for, or
// had no profile to allow.
func (s *Server) noConsent(ctx context.Context, a *authorization, user uuid.UUID) (url.Values, error) {
	why := "The user did not allow it"
	if a.wantsProfile() {
		own, err := s.Profiles.ProfilesOf(ctx, user, a.client.ID)
		if err != nil {
			return nil, err
		}
		if len(own) == 0 {
			why = "No partner of the marketplace keeps a profile of the user's verified e-mail address"
		}
	}
	return url.Values{"error": {"access_denied"}, "error_description": {why}}, nil
}

// countVisit counts a sign-in at a company.
func (s *Server) countVisit(ctx context.Context, g *Grant, client *Client) error {
	if client.Kind != KindProvider {
		return nil
	}
	return s.Profiles.Visited(ctx, g.UserID, client.ID)
}
