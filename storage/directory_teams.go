package storage

import (
	"context"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// MembershipsOf implements directory.Store.
func (d Directory) MembershipsOf(ctx context.Context, userID uuid.UUID) (directory.Memberships, error) {
	m := directory.Memberships{ServicePermissions: map[uuid.UUID][]string{}, OrganisationPermissions: map[uuid.UUID][]string{}}
	err := d.DB.each(ctx, `
		select 'service', m.service_id, s.active, m.permissions, m.created_at
		from service_members m join services s on s.id = m.service_id where m.user_id = $1
		union all
		select 'organisation', m.organisation_id, o.active, m.permissions, m.created_at
		from organisation_members m join organisations o on o.id = m.organisation_id where m.user_id = $1
		order by 5, 2`, []any{userID}, func(scan func(...any) error) error {
		var kind string
		var id uuid.UUID
		var active bool
		var permissions []string
		var createdAt int64
		if err := scan(&kind, &id, &active, listInto(&permissions), &createdAt); err != nil {
			return err
		}
		if kind == "organisation" {
			addOrganisation(&m, id, active, permissions)
		} else if active {
			addService(&m, id, permissions)
		}
		return nil
	})
	return m, err
}

func addOrganisation(m *directory.Memberships, id uuid.UUID, active bool, permissions []string) {
	m.OrganisationPermissions[id] = permissions
	if active {
		m.Organisations = append(m.Organisations, id)
	}
}

func addService(m *directory.Memberships, id uuid.UUID, permissions []string) {
	m.Services = append(m.Services, id)
	if len(permissions) > 0 {
		m.ServicePermissions[id] = permissions
	}
}

// CreateOrganisation implements directory.Store.
func (d Directory) CreateOrganisation(ctx context.Context, o *directory.Organisation) error {
	_, err := d.DB.exec(ctx, `
		insert into organisations (id, name, active, crown, organisation_type, email_branding_id, letter_branding_id,
			agreement_signed, agreement_signed_at, agreement_signed_by_id, agreement_signed_on_behalf_of_name,
			agreement_signed_on_behalf_of_email_address, agreement_signed_version, request_to_go_live_notes, notes,
			purchase_order_number, billing_contact_names, billing_contact_email_addresses, billing_reference,
			can_approve_own_go_live_requests, permissions, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`,
		o.ID, o.Name, o.Active, o.Crown, string(o.Type), o.EmailBrandingID, o.LetterBrandingID,
		o.AgreementSigned, o.AgreementSignedAt, o.AgreementSignedByID, o.AgreementSignedOnBehalfOfName,
		o.AgreementSignedOnBehalfOfEmail, o.AgreementSignedVersion, o.RequestToGoLiveNotes, o.Notes,
		o.PurchaseOrderNumber, o.BillingContactNames, o.BillingContactEmailAddresses, o.BillingReference,
		o.CanApproveOwnGoLiveRequests, o.Permissions, o.CreatedAt)
	return err
}

// Organisation implements directory.Store.
func (d Directory) Organisation(ctx context.Context, id uuid.UUID) (*directory.Organisation, error) {
	var o directory.Organisation
	err := d.DB.row(ctx, `
		select o.id, o.name, o.active, o.crown, o.organisation_type, o.email_branding_id, o.letter_branding_id,
			o.agreement_signed, o.agreement_signed_at, o.agreement_signed_by_id, o.agreement_signed_on_behalf_of_name,
			o.agreement_signed_on_behalf_of_email_address, o.agreement_signed_version, o.request_to_go_live_notes, o.notes,
			o.purchase_order_number, o.billing_contact_names, o.billing_contact_email_addresses, o.billing_reference,
			o.can_approve_own_go_live_requests, o.permissions, o.created_at, o.updated_at,
			(select count(*) from services s where s.organisation_id = o.id and s.active and not s.restricted)
		from organisations o where o.id = $1`, []any{id},
		&o.ID, &o.Name, &o.Active, &o.Crown, &o.Type, &o.EmailBrandingID, &o.LetterBrandingID,
		&o.AgreementSigned, timeInto(&o.AgreementSignedAt), &o.AgreementSignedByID, &o.AgreementSignedOnBehalfOfName,
		&o.AgreementSignedOnBehalfOfEmail, &o.AgreementSignedVersion, &o.RequestToGoLiveNotes, &o.Notes,
		&o.PurchaseOrderNumber, &o.BillingContactNames, &o.BillingContactEmailAddresses, &o.BillingReference,
		&o.CanApproveOwnGoLiveRequests, listInto(&o.Permissions), timeInto(&o.CreatedAt), timeInto(&o.UpdatedAt),
		&o.CountOfLiveServices)
	if err != nil {
		return nil, err
	}
	o.Domains, err = d.domains(ctx, id)
	return &o, err
}

func (d Directory) domains(ctx context.Context, organisation uuid.UUID) ([]string, error) {
	var all []string
	err := d.DB.each(ctx, `select domain from organisation_domains where organisation_id = $1 order by domain`,
		[]any{organisation}, func(scan func(...any) error) error {
			var domain string
			if err := scan(&domain); err != nil {
				return err
			}
			all = append(all, domain)
			return nil
		})
	return all, err
}

// AddToBrandingPools implements directory.Store.
func (d Directory) AddToBrandingPools(ctx context.Context, organisation uuid.UUID, email, letter uuid.NullUUID) error {
	if email.Valid {
		if _, err := d.DB.exec(ctx, `
			insert into organisation_email_branding_pool (organisation_id, email_branding_id) values ($1, $2)
			on conflict do nothing`, organisation, email.UUID); err != nil {
			return err
		}
	}
	if !letter.Valid {
		return nil
	}
	_, err := d.DB.exec(ctx, `
		insert into organisation_letter_branding_pool (organisation_id, letter_branding_id) values ($1, $2)
		on conflict do nothing`, organisation, letter.UUID)
	return err
}

// AddServiceMember implements directory.Store.
func (d Directory) AddServiceMember(ctx context.Context, m directory.Membership) error {
	_, err := d.DB.exec(ctx, `insert into service_members (service_id, user_id, permissions, created_at) values ($1, $2, $3, $4)`,
		m.Of, m.UserID, m.Permissions, m.CreatedAt)
	return err
}

// AddOrganisationMember implements directory.Store.
func (d Directory) AddOrganisationMember(ctx context.Context, m directory.Membership) error {
	_, err := d.DB.exec(ctx, `insert into organisation_members (organisation_id, user_id, permissions, created_at) values ($1, $2, $3, $4)`,
		m.Of, m.UserID, m.Permissions, m.CreatedAt)
	return err
}
