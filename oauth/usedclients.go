package oauth

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn/pages"
	"gatehouse/directory"
)

// UsedClient is a client that a user has allowed something, or signed in to lately.
type UsedClient struct {
	ID     string
	Name   directory.Wording
	Scopes []string // what the user allowed; empty where nobody had to ask
	// AllowedAt is when the user did; zero where nobody had to ask.
	AllowedAt time.Time
	// GrantedAt and VisitedAt are when a grant of the user was last used and when
	// a session that still lasts led there; zero for neither.
	GrantedAt, VisitedAt time.Time
	// SeesProfile says that it sees a profile of the user, whoever recorded that.
	SeesProfile bool
}

// ServicesOf returns the services that use an account, by name.
func (s *Server) ServicesOf(ctx context.Context, user uuid.UUID) ([]pages.UsedService, error) {
	clients, err := s.Store.UsedClients(ctx, user, s.now())
	if err != nil {
		return nil, fmt.Errorf("list services of user: %w", err)
	}
	all := make([]pages.UsedService, 0, len(clients))
	for _, c := range clients {
		last := c.GrantedAt
		if c.VisitedAt.After(last) {
			last = c.VisitedAt
		}
		scopes := slices.DeleteFunc(c.Scopes, func(scope string) bool { return scope == ScopeMarketplaceProfile })
		if c.SeesProfile {
			scopes = append(scopes, ScopeMarketplaceProfile)
		}
		all = append(all, pages.UsedService{ClientID: c.ID, Name: c.Name, Scopes: scopes, AllowedAt: c.AllowedAt, LastUsed: last})
	}
	return all, nil
}
