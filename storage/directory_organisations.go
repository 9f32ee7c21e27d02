package storage

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// organisationColumns are scanned by scanOrganisation, in this order.
const organisationColumns = `o.id, o.name, o.active, o.crown, o.organisation_type, o.email_branding_id, o.letter_branding_id,
	o.agreement_signed, o.agreement_signed_at, o.agreement_signed_by_id, o.agreement_signed_on_behalf_of_name,
	o.agreement_signed_on_behalf_of_email_address, o.agreement_signed_version, o.request_to_go_live_notes, o.notes,
	o.purchase_order_number, o.billing_contact_names, o.billing_contact_email_addresses, o.billing_reference,
	o.can_approve_own_go_live_requests, o.permissions, o.created_at, o.updated_at,
	(select count(*) from services s where s.organisation_id = o.id and s.active and not s.restricted),
	(select string_agg(d.domain, ' ' order by d.domain) from organisation_domains d where d.organisation_id = o.id)`

func (d Directory) organisation(ctx context.Context, query string, args ...any) (*directory.Organisation, error) {
	var o directory.Organisation
	var domains string
	err := d.DB.row(ctx, query, args,
		&o.ID, &o.Name, &o.Active, &o.Crown, &o.Type, &o.EmailBrandingID, &o.LetterBrandingID,
		&o.AgreementSigned, timeInto(&o.AgreementSignedAt), &o.AgreementSignedByID, &o.AgreementSignedOnBehalfOfName,
		&o.AgreementSignedOnBehalfOfEmail, &o.AgreementSignedVersion, &o.RequestToGoLiveNotes, &o.Notes,
		&o.PurchaseOrderNumber, &o.BillingContactNames, &o.BillingContactEmailAddresses, &o.BillingReference,
		&o.CanApproveOwnGoLiveRequests, listInto(&o.Permissions), timeInto(&o.CreatedAt), timeInto(&o.UpdatedAt),
		&o.CountOfLiveServices, stringInto(&domains))
	if err != nil {
		return nil, err
	}
	o.Domains = strings.Fields(domains)
	return &o, nil
}

// CreateOrganisation implements directory.Store.
func (d Directory) CreateOrganisation(ctx context.Context, o *directory.Organisation) error {
	_, err := d.DB.exec(ctx, `
		insert into organisations (id, name, name_folded, active, crown, organisation_type, email_branding_id, letter_branding_id,
			agreement_signed, agreement_signed_at, agreement_signed_by_id, agreement_signed_on_behalf_of_name,
			agreement_signed_on_behalf_of_email_address, agreement_signed_version, request_to_go_live_notes, notes,
			purchase_order_number, billing_contact_names, billing_contact_email_addresses, billing_reference,
			can_approve_own_go_live_requests, permissions, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)`,
		o.ID, o.Name, folded(o.Name), o.Active, o.Crown, string(o.Type), o.EmailBrandingID, o.LetterBrandingID,
		o.AgreementSigned, o.AgreementSignedAt, o.AgreementSignedByID, o.AgreementSignedOnBehalfOfName,
		o.AgreementSignedOnBehalfOfEmail, o.AgreementSignedVersion, o.RequestToGoLiveNotes, o.Notes,
		o.PurchaseOrderNumber, o.BillingContactNames, o.BillingContactEmailAddresses, o.BillingReference,
		o.CanApproveOwnGoLiveRequests, o.Permissions, o.CreatedAt)
	return err
}

// folded is the form in which names are searched and put in order: neither
// engine knows the small letters of all scripts in the same way.
func folded(name string) string { return strings.ToLower(name) }

// UpdateOrganisation implements directory.Store.
func (d Directory) UpdateOrganisation(ctx context.Context, o *directory.Organisation) error {
	n, err := d.DB.exec(ctx, `
		update organisations set name = $2, name_folded = $3, active = $4, crown = $5, organisation_type = $6, email_branding_id = $7,
			letter_branding_id = $8, agreement_signed = $9, agreement_signed_at = $10, agreement_signed_by_id = $11,
			agreement_signed_on_behalf_of_name = $12, agreement_signed_on_behalf_of_email_address = $13,
			agreement_signed_version = $14, request_to_go_live_notes = $15, notes = $16, purchase_order_number = $17,
			billing_contact_names = $18, billing_contact_email_addresses = $19, billing_reference = $20,
			can_approve_own_go_live_requests = $21, permissions = $22, updated_at = $23
		where id = $1`,
		o.ID, o.Name, folded(o.Name), o.Active, o.Crown, string(o.Type), o.EmailBrandingID, o.LetterBrandingID,
		o.AgreementSigned, o.AgreementSignedAt, o.AgreementSignedByID, o.AgreementSignedOnBehalfOfName,
		o.AgreementSignedOnBehalfOfEmail, o.AgreementSignedVersion, o.RequestToGoLiveNotes, o.Notes,
		o.PurchaseOrderNumber, o.BillingContactNames, o.BillingContactEmailAddresses, o.BillingReference,
		o.CanApproveOwnGoLiveRequests, o.Permissions, o.UpdatedAt)
	if err == nil && n == 0 {
		return directory.ErrNotFound
	}
	return err
}

// Organisation implements directory.Store.
func (d Directory) Organisation(ctx context.Context, id uuid.UUID) (*directory.Organisation, error) {
	return d.organisation(ctx, `select `+organisationColumns+` from organisations o where o.id = $1`, id)
}

// LockOrganisation implements directory.Store. An update that changes nothing is
// the lock that both engines know.
func (d Directory) LockOrganisation(ctx context.Context, id uuid.UUID) (*directory.Organisation, error) {
	n, err := d.DB.exec(ctx, `update organisations set active = active where id = $1`, id)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, directory.ErrNotFound
	}
	return d.Organisation(ctx, id)
}

// ReplaceDomains implements directory.Store.
func (d Directory) ReplaceDomains(ctx context.Context, organisation uuid.UUID, domains []string) error {
	if _, err := d.DB.exec(ctx, `delete from organisation_domains where organisation_id = $1`, organisation); err != nil {
		return err
	}
	for _, domain := range domains {
		_, err := d.DB.exec(ctx, `insert into organisation_domains (domain, organisation_id) values ($1, $2)`, domain, organisation)
		if errors.Is(err, directory.ErrConflict) {
			return &directory.ConflictError{Field: "domains"}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// OrganisationUse implements directory.Store.
func (d Directory) OrganisationUse(ctx context.Context, id uuid.UUID) (directory.OrganisationUse, error) {
	var u directory.OrganisationUse
	err := d.DB.row(ctx, `
		select (select count(*) from services s where s.organisation_id = $1 and s.active),
			(select count(*) from organisation_members m where m.organisation_id = $1),
			(select count(*) from organisation_invitations i where i.organisation_id = $1 and i.status = 'pending')`,
		[]any{id}, &u.ActiveServices, &u.Members, &u.Invitations)
	return u, err
}

// AlignServices implements directory.Store.
func (d Directory) AlignServices(ctx context.Context, o *directory.Organisation, change directory.OrganisationChange) error {
	if change.Has("organisation_type") {
		if _, err := d.DB.exec(ctx, `update services set organisation_type = $2, updated_at = $3 where organisation_id = $1`,
			o.ID, string(o.Type), o.UpdatedAt); err != nil {
			return err
		}
	}
	if change.Has("crown") {
		if _, err := d.DB.exec(ctx, `update services set crown = $2, updated_at = $3 where organisation_id = $1`,
			o.ID, o.Crown, o.UpdatedAt); err != nil {
			return err
		}
	}
	if change.Has("email_branding_id") && o.EmailBrandingID.Valid {
		if _, err := d.DB.exec(ctx, `
			update services set email_branding_id = $2, updated_at = $3
			where organisation_id = $1 and email_branding_id is null`, o.ID, o.EmailBrandingID, o.UpdatedAt); err != nil {
			return err
		}
	}
	if !change.Has("letter_branding_id") || !o.LetterBrandingID.Valid {
		return nil
	}
	_, err := d.DB.exec(ctx, `
		update services set letter_branding_id = $2, updated_at = $3
		where organisation_id = $1 and letter_branding_id is null`, o.ID, o.LetterBrandingID, o.UpdatedAt)
	return err
}
