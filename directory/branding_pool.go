package directory

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// ErrDefaultBranding says that a branding is its organisation's default, which
// its pool never lacks.
var ErrDefaultBranding = errors.New("branding is the organisation's default")

// AddEmailBrandings puts e-mail brandings into an organisation's pool; those
// that are in it stay. Errors: [ErrNotFound] for an unknown one, and then none is added.
func (r *Registry) AddEmailBrandings(ctx context.Context, organisation uuid.UUID, brandings []uuid.UUID, actor Actor) error {
	return r.addBrandings(ctx, organisation, brandings, "add_to_email_branding_pool", actor, func(ctx context.Context, id uuid.NullUUID) error {
		return r.Store.AddToBrandingPools(ctx, organisation, id, uuid.NullUUID{})
	})
}

// AddLetterBrandings is the same for letters.
func (r *Registry) AddLetterBrandings(ctx context.Context, organisation uuid.UUID, brandings []uuid.UUID, actor Actor) error {
	return r.addBrandings(ctx, organisation, brandings, "add_to_letter_branding_pool", actor, func(ctx context.Context, id uuid.NullUUID) error {
		return r.Store.AddToBrandingPools(ctx, organisation, uuid.NullUUID{}, id)
	})
}

func (r *Registry) addBrandings(ctx context.Context, organisation uuid.UUID, brandings []uuid.UUID, event string, actor Actor, add func(ctx context.Context, id uuid.NullUUID) error) error {
	return r.Store.InTx(ctx, func(ctx context.Context) error {
		if _, err := r.Store.LockOrganisation(ctx, organisation); err != nil {
			return fmt.Errorf("lock organisation: %w", err)
		}
		for _, id := range brandings {
			if err := add(ctx, uuid.NullUUID{UUID: id, Valid: true}); err != nil {
				return fmt.Errorf("add branding: %w", err)
			}
		}
		return r.record(ctx, event, actor, organisation.String(), map[string]any{"branding_ids": brandings})
	})
}

// RemoveEmailBranding takes an e-mail branding out of an organisation's pool. It
// returns the organisation with [ErrNotInOrganisation] when it is not in it.
// Errors: that, [ErrNotFound], [ErrDefaultBranding].
func (r *Registry) RemoveEmailBranding(ctx context.Context, organisation, branding uuid.UUID, actor Actor) (*Organisation, error) {
	return r.removeBranding(ctx, organisation, branding, "remove_from_email_branding_pool", actor, r.Store.RemoveFromEmailPool,
		func(o *Organisation) uuid.NullUUID { return o.EmailBrandingID })
}

// RemoveLetterBranding is the same for letters.
func (r *Registry) RemoveLetterBranding(ctx context.Context, organisation, branding uuid.UUID, actor Actor) (*Organisation, error) {
	return r.removeBranding(ctx, organisation, branding, "remove_from_letter_branding_pool", actor, r.Store.RemoveFromLetterPool,
		func(o *Organisation) uuid.NullUUID { return o.LetterBrandingID })
}

func (r *Registry) removeBranding(ctx context.Context, organisation, branding uuid.UUID, event string, actor Actor,
	remove func(ctx context.Context, organisation, branding uuid.UUID) (bool, error), standard func(o *Organisation) uuid.NullUUID,
) (*Organisation, error) {
	var o *Organisation
	err := r.Store.InTx(ctx, func(ctx context.Context) (err error) {
		if o, err = r.Store.LockOrganisation(ctx, organisation); err != nil {
			return fmt.Errorf("lock organisation: %w", err)
		}
		if id := standard(o); id.Valid && id.UUID == branding {
			return ErrDefaultBranding
		}
		removed, err := remove(ctx, organisation, branding)
		if err != nil {
			return fmt.Errorf("remove branding: %w", err)
		}
		if !removed {
			return ErrNotInOrganisation
		}
		return r.record(ctx, event, actor, organisation.String(), map[string]any{"branding_id": branding})
	})
	return o, err
}
