package directory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// NewService is what a caller chooses about a service it creates.
type NewService struct {
	// ServiceChanges are applied to a service on trial with the default permissions.
	ServiceChanges
	UserID    uuid.UUID // its first member
	CreatedBy uuid.UUID
}

// CreateService writes a service and makes its creator a member who may do
// everything. It belongs to the organisation that has registered the domain of
// the creator's address, and takes over its type and brandings; without one, a
// service of the NHS begins with the NHS branding (seed 002). Errors: a
// [*FieldError], a [*ConflictError] for the name, [ErrNotFound] for the users.
func (r *Registry) CreateService(ctx context.Context, n NewService, actor Actor) (*Service, error) {
	s := &Service{
		ID: r.NewID(), Active: true, Restricted: true, Permissions: DefaultServicePermissions(),
		CreatedBy: uuid.NullUUID{UUID: n.CreatedBy, Valid: true}, CreatedAt: r.Clock(),
	}
	n.apply(s)
	if err := validService(s); err != nil {
		return nil, err
	}
	err := r.Store.InTx(ctx, func(ctx context.Context) error {
		u, err := r.Store.User(ctx, n.UserID)
		if err != nil {
			return fmt.Errorf("look up member: %w", err)
		}
		if _, err := r.Store.User(ctx, n.CreatedBy); err != nil {
			return fmt.Errorf("look up creator: %w", err)
		}
		if err := r.adopt(ctx, s, u); err != nil {
			return err
		}
		if err := r.Store.CreateService(ctx, s); err != nil {
			return fmt.Errorf("create service: %w", err)
		}
		member := Membership{UserID: u.ID, Of: s.ID, Permissions: CreatorPermissions(), CreatedAt: s.CreatedAt}
		if err := r.Store.AddServiceMember(ctx, member); err != nil {
			return fmt.Errorf("add creator: %w", err)
		}
		if err := r.Store.SetServiceAllowance(ctx, s.ID, NewAllowance(s.OrganisationType, s.CreatedAt)); err != nil {
			return fmt.Errorf("set allowance: %w", err)
		}
		return r.record(ctx, "create_service", actor, s.ID.String(), map[string]any{"after": s.audit(), "user_id": u.ID})
	})
	if err != nil {
		return nil, err
	}
	return r.Store.Service(ctx, s.ID)
}

// adopt gives a new service what its organisation, or its type, brings along.
func (r *Registry) adopt(ctx context.Context, s *Service, creator *User) error {
	domains := DomainsOf(creator.EmailAddress)
	o, err := r.organisationOf(ctx, domains)
	switch {
	case err == nil:
		s.OrganisationID = uuid.NullUUID{UUID: o.ID, Valid: true}
		s.belongTo(o)
		return nil
	case !errors.Is(err, ErrNotFound):
		return fmt.Errorf("look up organisation: %w", err)
	}
	s.Crown = defaultCrown(s.OrganisationType)
	if s.OrganisationType.NHS() || slices.Contains(domains, "nhs.uk") || slices.Contains(domains, "nhs.net") {
		s.EmailBrandingID = uuid.NullUUID{UUID: NHSEmailBrandingID, Valid: true}
		s.LetterBrandingID = uuid.NullUUID{UUID: NHSLetterBrandingID, Valid: true}
	}
	return nil
}

// belongTo takes over what the services of an organisation have in common.
func (s *Service) belongTo(o *Organisation) {
	s.OrganisationType, s.Crown = o.Type, o.Crown
	s.EmailBrandingID, s.LetterBrandingID = o.EmailBrandingID, o.LetterBrandingID
}

// defaultCrown is whether a service without an organisation belongs to the
// Crown; nil where its type does not tell.
func defaultCrown(t OrganisationType) *bool {
	var crown bool
	switch t {
	case "", Central, Other:
		return nil
	case NHSCentral:
		crown = true
	}
	return &crown
}

// UpdateService changes a service and returns it before and after. Errors are
// those of [Registry.CreateService].
func (r *Registry) UpdateService(ctx context.Context, id uuid.UUID, c ServiceChanges, actor Actor) (before, after *Service, err error) {
	err = r.Store.InTx(ctx, func(ctx context.Context) error {
		if before, err = r.Store.LockService(ctx, id); err != nil {
			return fmt.Errorf("lock service: %w", err)
		}
		changed := *before
		after = &changed
		c.apply(after)
		if err := validService(after); err != nil {
			return err
		}
		after.UpdatedAt = r.Clock()
		if err := r.Store.UpdateService(ctx, after); err != nil {
			return fmt.Errorf("update service: %w", err)
		}
		return r.record(ctx, "update_service", actor, id.String(), differences(before, after))
	})
	if err != nil {
		return nil, nil, err
	}
	return before, after, nil
}

// ArchiveService switches a service off and frees its name; one that is archived
// stays as it is.
func (r *Registry) ArchiveService(ctx context.Context, id uuid.UUID, actor Actor) error {
	return r.Store.InTx(ctx, func(ctx context.Context) error {
		before, err := r.Store.LockService(ctx, id)
		if err != nil {
			return fmt.Errorf("lock service: %w", err)
		}
		if !before.Active {
			return nil
		}
		after := *before
		after.Active, after.UpdatedAt = false, r.Clock()
		after.Name = "_archived_" + after.UpdatedAt.UTC().Format("2006-01-02-15:04:05") + "_" + before.Name
		if err := r.Store.UpdateService(ctx, &after); err != nil {
			return fmt.Errorf("archive service: %w", err)
		}
		return r.record(ctx, "archive_service", actor, id.String(), differences(before, &after))
	})
}

// differences are the values that changed, before and after.
func differences(before, after *Service) map[string]any {
	was, is := before.audit(), after.audit()
	for key := range was {
		if reflect.DeepEqual(was[key], is[key]) {
			delete(was, key)
			delete(is, key)
		}
	}
	var settings []string
	for _, key := range slices.Sorted(maps.Keys(after.Settings)) {
		if !reflect.DeepEqual(before.Settings[key], after.Settings[key]) {
			settings = append(settings, key)
		}
	}
	return map[string]any{"before": was, "after": is, "settings": settings}
}

func validService(s *Service) error {
	if strings.TrimSpace(s.Name) == "" {
		return &FieldError{Field: "name", Reason: "Invalid name"}
	}
	if err := validText("name", s.Name); err != nil {
		return err
	}
	if s.OrganisationType != "" && !slices.Contains(OrganisationTypes, s.OrganisationType) {
		return errors.New("organisation type is not one")
	}
	return nil
}
