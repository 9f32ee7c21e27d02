package directory

import (
	"context"

	"github.com/google/uuid"
)

// serviceStore is the part of [Store] that keeps services and their teams.
type serviceStore interface {
	invitationStore
	joinRequestStore
	eventStore
	platformStore

	CreateService(ctx context.Context, s *Service) error
	Service(ctx context.Context, id uuid.UUID) (*Service, error)
	// LockService returns a service that no other transaction changes until
	// the one in ctx ends.
	LockService(ctx context.Context, id uuid.UUID) (*Service, error)
	// UpdateService writes every mutable column.
	UpdateService(ctx context.Context, s *Service) error
	// Services returns at most limit services, the oldest first.
	Services(ctx context.Context, q ServiceQuery, limit int) ([]*Service, error)
	// ServicesNamed returns at most limit services whose name contains a text,
	// in either letter case, by name.
	ServicesNamed(ctx context.Context, text string, limit int) ([]*Service, error)

	// TeamMembers returns a service's members, the oldest membership first.
	TeamMembers(ctx context.Context, serviceID uuid.UUID) ([]TeamMember, error)
	// ServiceUsers returns the members of a service, the oldest account first,
	// and what each of them belongs to.
	ServiceUsers(ctx context.Context, serviceID uuid.UUID) ([]*User, map[uuid.UUID]Memberships, error)
	ServiceMember(ctx context.Context, serviceID, userID uuid.UUID) (*Membership, error)
	SetServiceMember(ctx context.Context, serviceID, userID uuid.UUID, permissions []string) error
	// RemoveServiceMember takes the rights to folders away as well.
	RemoveServiceMember(ctx context.Context, serviceID, userID uuid.UUID) error
	// DomainOwners returns which of these domains organisations have registered.
	DomainOwners(ctx context.Context, domains []string) (map[string]uuid.UUID, error)

	// Folders returns a service's template folders, by name.
	Folders(ctx context.Context, serviceID uuid.UUID) ([]*Folder, error)
	CreateFolder(ctx context.Context, f *Folder) error
	// UpdateFolder writes the name and the parent.
	UpdateFolder(ctx context.Context, f *Folder) error
	DeleteFolder(ctx context.Context, id uuid.UUID) error
	// SetFolderUsers replaces those who see a folder; all must be members.
	SetFolderUsers(ctx context.Context, f *Folder) error
	// SetMemberFolders replaces the folders that a member sees.
	SetMemberFolders(ctx context.Context, serviceID, userID uuid.UUID, folders []uuid.UUID) error
	FolderExists(ctx context.Context, id uuid.UUID) (bool, error)
}

// ServiceQuery chooses services.
type ServiceQuery struct {
	UserID     uuid.NullUUID // services this user is a member of
	OnlyActive bool
	After      *Service // services that come after this one
}
