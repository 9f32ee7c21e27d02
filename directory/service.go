package directory

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Service belongs to an organisation and sends messages; relying services of
// the identity provider are OAuth clients, not these (seed 002).
type Service struct {
	ID                 uuid.UUID
	Name               string // unique
	Active             bool
	Restricted         bool // trial mode
	OrganisationID     uuid.NullUUID
	OrganisationType   OrganisationType // "" when unset
	Crown              *bool
	Permissions        []string // features, such as "email_auth"
	EmailMessageLimit  int
	SMSMessageLimit    int
	LetterMessageLimit int
	EmailBrandingID    uuid.NullUUID
	LetterBrandingID   uuid.NullUUID
	// Settings are the values that the API shows and no rule reads, by their
	// names on the wire. What is not there has its default.
	Settings               map[string]any
	HasActiveGoLiveRequest bool
	GoLiveUserID           uuid.NullUUID
	GoLiveAt               time.Time // zero when it never went live
	CreatedBy              uuid.NullUUID
	CreatedAt              time.Time
	UpdatedAt              time.Time
}

// serviceStore is the part of [Store] that keeps services and their teams.
type serviceStore interface {
	CreateService(ctx context.Context, s *Service) error
	Service(ctx context.Context, id uuid.UUID) (*Service, error)
	// LockService returns a service that no other transaction changes until
	// the one in ctx ends.
	LockService(ctx context.Context, id uuid.UUID) (*Service, error)
	// UpdateService writes every mutable column.
	UpdateService(ctx context.Context, s *Service) error

	// TeamMembers returns a service's members, the oldest membership first.
	TeamMembers(ctx context.Context, serviceID uuid.UUID) ([]TeamMember, error)
	// DomainOwners returns which of these domains organisations have registered.
	DomainOwners(ctx context.Context, domains []string) (map[string]uuid.UUID, error)
}
