package directory

import (
	"context"

	"github.com/google/uuid"
)

// ListedOrganisation is what lists tell of an organisation.
type ListedOrganisation struct {
	ID                  uuid.UUID
	Name                string
	Active              bool
	CountOfLiveServices int
	Domains             []string
	Type                OrganisationType
}

// OrganisationUse is what keeps an organisation from being archived.
type OrganisationUse struct {
	ActiveServices int // those in trial mode too
	Members        int // whatever their state
	Invitations    int // pending ones
}

// OrganisationMember is a user who belongs to an organisation, with everything
// else the user belongs to.
type OrganisationMember struct {
	User        User
	Permissions []string // in the organisation
	Memberships Memberships
}

// organisationStore is the part of [Store] that keeps organisations.
type organisationStore interface {
	CreateOrganisation(ctx context.Context, o *Organisation) error
	Organisation(ctx context.Context, id uuid.UUID) (*Organisation, error)
	// LockOrganisation returns an organisation that no other transaction
	// changes, or gives members or services to, until the one in ctx ends.
	LockOrganisation(ctx context.Context, id uuid.UUID) (*Organisation, error)
	// UpdateOrganisation writes every mutable column.
	UpdateOrganisation(ctx context.Context, o *Organisation) error
	// Organisations returns all of them, active ones first, then by name.
	Organisations(ctx context.Context) ([]ListedOrganisation, error)
	// SearchOrganisations returns those whose name holds a text, in any case, by name.
	SearchOrganisations(ctx context.Context, text string) ([]ListedOrganisation, error)
	// OrganisationUse counts what keeps an organisation from being archived.
	OrganisationUse(ctx context.Context, id uuid.UUID) (OrganisationUse, error)

	// ReplaceDomains gives an organisation these domains and no others; a
	// [*ConflictError] when one belongs to another.
	ReplaceDomains(ctx context.Context, organisation uuid.UUID, domains []string) error

	// OrganisationServices returns an organisation's services, active ones
	// first, then by name in the order of their characters.
	OrganisationServices(ctx context.Context, id uuid.UUID) ([]Service, error)
	// AlignServices copies what change names from an organisation to its services.
	AlignServices(ctx context.Context, o *Organisation, change OrganisationChange) error

	// AddOrganisationMember returns a [*ConflictError] for somebody who is a member already.
	AddOrganisationMember(ctx context.Context, m Membership) error
	// RemoveOrganisationMember reports whether the user was a member.
	RemoveOrganisationMember(ctx context.Context, organisation, user uuid.UUID) (bool, error)
	// OrganisationMembers returns the active members, the oldest account first.
	OrganisationMembers(ctx context.Context, id uuid.UUID) ([]OrganisationMember, error)
}
