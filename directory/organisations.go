package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Why an organisation is not archived, or takes nothing any more.
var (
	// ErrActiveServices says that an organisation still has active services.
	ErrActiveServices = errors.New("organisation has active services")
	// ErrTeamMembers says that it still has members or pending invitations.
	ErrTeamMembers = errors.New("organisation has team members or invited team members")
	// ErrArchived says that an organisation is archived: nobody and nothing joins it.
	ErrArchived = errors.New("organisation is archived")
	// ErrNotInOrganisation says that a user is no member, or a branding not in the pool.
	ErrNotInOrganisation = errors.New("not in the organisation")
)

// archivedPrefix begins the name of an archived organisation, and the address of an
// archived user, before the time.
const archivedPrefix = "_archived_"

// archived reports whether an organisation was archived, which is more than
// having been made inactive.
func (o *Organisation) archived() bool {
	return !o.Active && strings.HasPrefix(o.Name, archivedPrefix)
}

// OrganisationChange is a change of some fields of an organisation.
type OrganisationChange struct {
	// Fields are the names of what is changed, as on the wire.
	Fields []string
	// Apply writes the new values into an organisation.
	Apply func(o *Organisation)
}

// Has reports whether a field is changed, be it to the value that it has.
func (c *OrganisationChange) Has(field string) bool { return slices.Contains(c.Fields, field) }

// ChangeOrganisation changes an organisation and whatever follows from it, in
// one transaction: its type and crown are those of all its services and of
// their allowances, its default brandings are given to services that have none
// and are in its pools, and an NHS organisation has the NHS brandings unless it
// has others. Errors: [ErrNotFound], [*FieldError], [*ConflictError] of "name" or
// "domains".
func (r *Registry) ChangeOrganisation(ctx context.Context, id uuid.UUID, change OrganisationChange, actor Actor) (*Organisation, error) {
	var after *Organisation
	err := r.Store.InTx(ctx, func(ctx context.Context) error {
		before, err := r.Store.LockOrganisation(ctx, id)
		if err != nil {
			return fmt.Errorf("lock organisation: %w", err)
		}
		if after, err = r.changed(before, change); err != nil {
			return err
		}
		if err := r.Store.UpdateOrganisation(ctx, after); err != nil {
			return fmt.Errorf("update organisation: %w", err)
		}
		if change.Has("domains") && !slices.Equal(before.Domains, after.Domains) {
			if err := r.Store.ReplaceDomains(ctx, id, after.Domains); err != nil {
				return fmt.Errorf("replace domains: %w", err)
			}
		}
		if err := r.spread(ctx, after, change); err != nil {
			return err
		}
		return r.record(ctx, "update_organisation", actor, id.String(), map[string]any{
			"fields": change.Fields, "before": organisationFacts(before), "after": organisationFacts(after),
		})
	})
	return after, err
}

// changed is an organisation after a change, as long as the change makes sense.
func (r *Registry) changed(before *Organisation, change OrganisationChange) (*Organisation, error) {
	after := *before
	change.Apply(&after)
	if change.Has("name") {
		if err := validOrganisationName(after.Name); err != nil {
			return nil, err
		}
	}
	if change.Has("domains") {
		domains, err := registrableDomains(after.Domains)
		if err != nil {
			return nil, err
		}
		after.Domains = domains
	}
	if change.Has("organisation_type") {
		after.takeNHSBrandings()
	}
	now := r.Clock()
	if after.AgreementSigned != nil && *after.AgreementSigned && after.AgreementSignedAt.IsZero() {
		after.AgreementSignedAt = now
	}
	after.UpdatedAt = now
	return &after, nil
}

// takeNHSBrandings gives an NHS organisation its brandings where it has none.
func (o *Organisation) takeNHSBrandings() {
	if !o.Type.NHS() {
		return
	}
	if !o.EmailBrandingID.Valid {
		o.EmailBrandingID = uuid.NullUUID{UUID: NHSEmailBrandingID, Valid: true}
	}
	if !o.LetterBrandingID.Valid {
		o.LetterBrandingID = uuid.NullUUID{UUID: NHSLetterBrandingID, Valid: true}
	}
}

func validOrganisationName(name string) error {
	if strings.TrimSpace(name) == "" {
		return &FieldError{Field: "name", Reason: "should be non-empty"}
	}
	return validText("name", name)
}

// spread carries a change to the organisation's pools, services and allowances.
func (r *Registry) spread(ctx context.Context, o *Organisation, change OrganisationChange) error {
	var email, letter uuid.NullUUID
	if change.Has("email_branding_id") {
		email = o.EmailBrandingID
	}
	if change.Has("letter_branding_id") {
		letter = o.LetterBrandingID
	}
	if change.Has("organisation_type") && o.Type.NHS() {
		nhsEmail, nhsLetter := uuid.NullUUID{UUID: NHSEmailBrandingID, Valid: true}, uuid.NullUUID{UUID: NHSLetterBrandingID, Valid: true}
		if err := r.Store.AddToBrandingPools(ctx, o.ID, nhsEmail, nhsLetter); err != nil {
			return fmt.Errorf("fill branding pools: %w", err)
		}
	}
	if err := r.Store.AddToBrandingPools(ctx, o.ID, email, letter); err != nil {
		return fmt.Errorf("fill branding pools: %w", err)
	}
	if err := r.Store.AlignServices(ctx, o, change); err != nil {
		return fmt.Errorf("align services: %w", err)
	}
	if !change.Has("organisation_type") {
		return nil
	}
	if err := r.Store.SetOrganisationAllowances(ctx, o.ID, NewAllowance(o.Type, r.Clock())); err != nil {
		return fmt.Errorf("set allowances: %w", err)
	}
	return nil
}

// organisationFacts are what the audit trail keeps of an organisation: nothing
// that names a person.
func organisationFacts(o *Organisation) map[string]any {
	return map[string]any{
		"name": o.Name, "active": o.Active, "crown": o.Crown, "organisation_type": o.Type, "domains": o.Domains,
		"email_branding_id": o.EmailBrandingID, "letter_branding_id": o.LetterBrandingID, "permissions": o.Permissions,
		"agreement_signed": o.AgreementSigned, "agreement_signed_version": o.AgreementSignedVersion,
		"agreement_signed_by_id": o.AgreementSignedByID, "can_approve_own_go_live_requests": o.CanApproveOwnGoLiveRequests,
	}
}

// ArchiveOrganisation ends an organisation: it gives up its name, its domains and
// its default brandings. One that is inactive stays as it is. Errors:
// [ErrNotFound], [ErrActiveServices], [ErrTeamMembers].
func (r *Registry) ArchiveOrganisation(ctx context.Context, id uuid.UUID, actor Actor) error {
	return r.Store.InTx(ctx, func(ctx context.Context) error {
		o, err := r.Store.LockOrganisation(ctx, id)
		if err != nil {
			return fmt.Errorf("lock organisation: %w", err)
		}
		if o.archived() {
			return nil
		}
		use, err := r.Store.OrganisationUse(ctx, id)
		switch {
		case err != nil:
			return fmt.Errorf("count what organisation has: %w", err)
		case use.ActiveServices > 0:
			return ErrActiveServices
		case use.Members+use.Invitations > 0:
			return ErrTeamMembers
		}
		before := organisationFacts(o)
		o.UpdatedAt = r.Clock()
		o.Name = archivedPrefix + o.UpdatedAt.UTC().Format("2006-01-02-15:04:05") + "_" + o.Name
		o.Active, o.EmailBrandingID, o.LetterBrandingID, o.Domains = false, uuid.NullUUID{}, uuid.NullUUID{}, nil
		if err := r.Store.UpdateOrganisation(ctx, o); err != nil {
			return fmt.Errorf("archive organisation: %w", err)
		}
		if err := r.Store.ReplaceDomains(ctx, id, nil); err != nil {
			return fmt.Errorf("delete domains: %w", err)
		}
		return r.record(ctx, "archive_organisation", actor, id.String(), map[string]any{"before": before, "after": organisationFacts(o)})
	})
}
