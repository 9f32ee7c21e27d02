package transfer

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// takeTeam creates or changes an organisation or a service.
func (i *Importer) takeTeam(ctx context.Context, it *item) error {
	known, err := i.known(ctx, it.kind, []*item{it})
	if err != nil {
		return err
	}
	here, exists := known[it.externalID]
	if exists && it.digests.has(here.Digest) {
		i.progress.Unchanged++
		return nil
	}
	if !exists {
		here = directory.Imported{Kind: it.kind, ExternalID: it.externalID}
	}
	here.Digest = it.digest()
	write := i.organisation
	if it.kind == KindService {
		write = i.service
	}
	if err := write(ctx, it, &here); err != nil || it.unfit != nil {
		return err
	}
	i.seen.add(it.kind, it.externalID)
	if exists {
		i.progress.Updated++
	} else {
		i.progress.Created++
	}
	if i.DryRun {
		return nil
	}
	return i.Store.PutImported(ctx, i.Source, here, i.Registry.Clock())
}

// nameTaken reports whether an organisation or service of a name is another one.
func (i *Importer) nameTaken(ctx context.Context, kind, name string, own uuid.UUID) (bool, error) {
	find := i.Store.OrganisationsByName
	if kind == KindService {
		find = i.Store.ServicesByName
	}
	found, err := find(ctx, []string{name})
	if err != nil {
		return false, fmt.Errorf("look up name: %w", err)
	}
	id, ok := found[name]
	taken := ok && id != own || i.seen.has(kind+" name", name)
	i.seen.add(kind+" name", name)
	i.seen.add(kind, name) // users may refer to it by name
	return taken, nil
}

func (i *Importer) organisation(ctx context.Context, it *item, here *directory.Imported) error {
	r := it.record.(*OrganisationRecord)
	taken, err := i.nameTaken(ctx, KindOrganisation, r.Name, here.ID)
	if err != nil {
		return err
	}
	if taken {
		it.unfit = &directory.ConflictError{Field: "name"}
		return nil
	}
	if i.DryRun {
		return nil
	}
	if here.ID == uuid.Nil {
		o, err := i.Registry.CreateOrganisation(ctx, r.newOrganisation(), i.Actor)
		if err != nil {
			return err
		}
		here.ID = o.ID
		if len(r.Domains) == 0 {
			return nil
		}
		change := directory.OrganisationChange{Fields: []string{"domains"}, Apply: func(o *directory.Organisation) { o.Domains = r.Domains }}
		_, err = i.Registry.ChangeOrganisation(ctx, here.ID, change, i.Actor)
		return err
	}
	_, err = i.Registry.ChangeOrganisation(ctx, here.ID, r.change(), i.Actor)
	return err
}

func (r *OrganisationRecord) newOrganisation() directory.NewOrganisation {
	return directory.NewOrganisation{
		ID: idOf(r.ID), Name: r.Name, Inactive: r.Inactive, Crown: r.Crown, Type: directory.OrganisationType(r.OrganisationType),
		Notes: r.Notes, RequestToGoLiveNotes: r.RequestToGoLiveNotes, PurchaseOrderNumber: r.PurchaseOrderNumber,
		BillingContactNames: r.BillingContactNames, BillingContactEmailAddresses: r.BillingContactEmailAddresses,
		BillingReference: r.BillingReference, CanApproveOwnGoLiveRequests: r.CanApproveOwnGoLiveRequests,
	}
}

// change is what a record says of an organisation that is here already.
func (r *OrganisationRecord) change() directory.OrganisationChange {
	fields := []string{"name", "active"}
	if r.OrganisationType != "" {
		fields = append(fields, "organisation_type")
	}
	if r.Crown != nil {
		fields = append(fields, "crown")
	}
	if r.Domains != nil {
		fields = append(fields, "domains")
	}
	return directory.OrganisationChange{Fields: fields, Apply: func(o *directory.Organisation) {
		o.Name, o.Active = r.Name, !r.Inactive
		if r.OrganisationType != "" {
			o.Type = directory.OrganisationType(r.OrganisationType)
		}
		if r.Crown != nil {
			o.Crown = r.Crown
		}
		if r.Domains != nil {
			o.Domains = r.Domains
		}
		o.CanApproveOwnGoLiveRequests = r.CanApproveOwnGoLiveRequests
		for _, text := range r.texts() {
			if text.said != nil {
				*text.of(o) = text.said
			}
		}
	}}
}

// organisationText is a text of an organisation that nobody but people reads.
type organisationText struct {
	field string
	said  *string
	of    func(o *directory.Organisation) **string
}

func (r *OrganisationRecord) texts() []organisationText {
	return []organisationText{
		{"notes", r.Notes, func(o *directory.Organisation) **string { return &o.Notes }},
		{"request_to_go_live_notes", r.RequestToGoLiveNotes, func(o *directory.Organisation) **string { return &o.RequestToGoLiveNotes }},
		{"purchase_order_number", r.PurchaseOrderNumber, func(o *directory.Organisation) **string { return &o.PurchaseOrderNumber }},
		{"billing_contact_names", r.BillingContactNames, func(o *directory.Organisation) **string { return &o.BillingContactNames }},
		{"billing_contact_email_addresses", r.BillingContactEmailAddresses, func(o *directory.Organisation) **string { return &o.BillingContactEmailAddresses }},
		{"billing_reference", r.BillingReference, func(o *directory.Organisation) **string { return &o.BillingReference }},
	}
}
