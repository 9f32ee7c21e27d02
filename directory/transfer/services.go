package transfer

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"gatehouse/directory"
)

func (i *Importer) service(ctx context.Context, it *item, here *directory.Imported) error {
	r := it.record.(*ServiceRecord)
	taken, err := i.nameTaken(ctx, KindService, r.Name, here.ID)
	if err != nil {
		return err
	}
	if taken {
		it.unfit = &directory.ConflictError{Field: "name"}
		return nil
	}
	owner, err := i.ownerOf(ctx, r)
	if err != nil {
		return err
	}
	if r.Organisation != "" && !owner.Valid && !i.seen.has(KindOrganisation, r.Organisation) {
		it.unfit = errField("organisation", "Is not here.")
		return nil
	}
	if i.DryRun {
		return nil
	}
	if here.ID == uuid.Nil {
		s, err := i.Registry.ImportService(ctx, idOf(r.ID), owner, r.changes(), i.Actor)
		if err != nil {
			return err
		}
		here.ID = s.ID
		return nil
	}
	_, _, err = i.Registry.UpdateService(ctx, here.ID, r.changes(), i.Actor)
	return err
}

// ownerOf finds the organisation that a service names.
func (i *Importer) ownerOf(ctx context.Context, r *ServiceRecord) (uuid.NullUUID, error) {
	if r.Organisation == "" {
		return uuid.NullUUID{}, nil
	}
	found, err := i.referred(ctx, KindOrganisation, []string{r.Organisation}, i.Store.OrganisationsByName)
	if err != nil {
		return uuid.NullUUID{}, fmt.Errorf("look up organisation: %w", err)
	}
	id, ok := found[r.Organisation]
	return uuid.NullUUID{UUID: id, Valid: ok}, nil
}

func (r *ServiceRecord) changes() directory.ServiceChanges {
	active, restricted := !r.Inactive, !r.Live
	c := directory.ServiceChanges{
		Name: &r.Name, Active: &active, Restricted: &restricted,
		EmailMessageLimit: r.EmailMessageLimit, SMSMessageLimit: r.SMSMessageLimit, LetterMessageLimit: r.LetterMessageLimit,
	}
	if r.OrganisationType != "" {
		t := directory.OrganisationType(r.OrganisationType)
		c.OrganisationType = &t
	}
	if r.Permissions != nil {
		c.Permissions = &r.Permissions
	}
	return c
}
