package notify

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// organisationField is one field that POST /organisation/{organisation_id} changes.
type organisationField struct {
	property
	set func(o *directory.Organisation, v any) error
}

var organisationFields = []organisationField{
	{property{"name", schema{types: []string{"string", "null"}, nonEmpty: true, maxLength: 255}}, unlessNull(func(o *directory.Organisation, v any) error {
		o.Name = v.(string)
		return nil
	})},
	{property{"active", schema{types: []string{"boolean", "null"}}}, unlessNull(func(o *directory.Organisation, v any) error {
		o.Active = v.(bool)
		return nil
	})},
	{property{"crown", schema{types: []string{"boolean", "null"}}}, setFlag(func(o *directory.Organisation) **bool { return &o.Crown })},
	{property{"organisation_type", schema{enum: organisationTypes()}}, func(o *directory.Organisation, v any) error {
		o.Type = directory.OrganisationType(v.(string))
		return nil
	}},
	{property{"permissions", schema{types: []string{"array"}, items: &schema{enum: []string{directory.CanAskToJoinAService}}}}, setPermissions},
	{property{"domains", schema{}}, setDomains},
	{property{"email_branding_id", nullableText}, setID(func(o *directory.Organisation) *uuid.NullUUID { return &o.EmailBrandingID })},
	{property{"letter_branding_id", nullableText}, setID(func(o *directory.Organisation) *uuid.NullUUID { return &o.LetterBrandingID })},
	{property{"agreement_signed", schema{types: []string{"boolean", "null"}}}, setFlag(func(o *directory.Organisation) **bool { return &o.AgreementSigned })},
	{property{"agreement_signed_at", nullableText}, setSignedAt},
	{property{"agreement_signed_by_id", nullableText}, setID(func(o *directory.Organisation) *uuid.NullUUID { return &o.AgreementSignedByID })},
	{property{"agreement_signed_on_behalf_of_name", nullableText}, setText(func(o *directory.Organisation) **string { return &o.AgreementSignedOnBehalfOfName })},
	{property{"agreement_signed_on_behalf_of_email_address", nullableText}, setText(func(o *directory.Organisation) **string { return &o.AgreementSignedOnBehalfOfEmail })},
	{property{"agreement_signed_version", schema{types: []string{"number", "null"}}}, setVersion},
	{property{"request_to_go_live_notes", nullableText}, setText(func(o *directory.Organisation) **string { return &o.RequestToGoLiveNotes })},
	{property{"notes", nullableText}, setText(func(o *directory.Organisation) **string { return &o.Notes })},
	{property{"purchase_order_number", nullableText}, setText(func(o *directory.Organisation) **string { return &o.PurchaseOrderNumber })},
	{property{"billing_contact_names", nullableText}, setText(func(o *directory.Organisation) **string { return &o.BillingContactNames })},
	{property{"billing_contact_email_addresses", nullableText}, setText(func(o *directory.Organisation) **string { return &o.BillingContactEmailAddresses })},
	{property{"billing_reference", nullableText}, setText(func(o *directory.Organisation) **string { return &o.BillingReference })},
	{property{"can_approve_own_go_live_requests", schema{types: []string{"boolean"}}}, func(o *directory.Organisation, v any) error {
		o.CanApproveOwnGoLiveRequests = v.(bool)
		return nil
	}},
}

var organisationChanges = func() schema {
	s := schema{types: []string{"object"}}
	for _, f := range organisationFields {
		s.properties = append(s.properties, f.property)
	}
	return s
}()

type setter = func(o *directory.Organisation, v any) error

// unlessNull leaves alone a column that cannot be null.
func unlessNull(set setter) setter {
	return func(o *directory.Organisation, v any) error {
		if v == nil {
			return nil
		}
		return set(o, v)
	}
}

func setText(field func(o *directory.Organisation) **string) setter {
	return func(o *directory.Organisation, v any) error {
		*field(o) = nil
		if text, ok := v.(string); ok {
			*field(o) = &text
		}
		return nil
	}
}

func setFlag(field func(o *directory.Organisation) **bool) setter {
	return func(o *directory.Organisation, v any) error {
		*field(o) = nil
		if flag, ok := v.(bool); ok {
			*field(o) = &flag
		}
		return nil
	}
}

func setID(field func(o *directory.Organisation) *uuid.NullUUID) setter {
	return func(o *directory.Organisation, v any) error {
		*field(o) = uuid.NullUUID{}
		text, ok := v.(string)
		if !ok {
			return nil
		}
		if !validID(text) {
			return errNoResult
		}
		*field(o) = uuid.NullUUID{UUID: uuid.MustParse(text), Valid: true}
		return nil
	}
}

func setVersion(o *directory.Organisation, v any) error {
	o.AgreementSignedVersion = nil
	n, ok := v.(number)
	if !ok {
		return nil
	}
	version, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return errNotUnderstood // a number that no float holds
	}
	o.AgreementSignedVersion = &version
	return nil
}

// setSignedAt reads a time as upstream's database does: with or without a zone,
// which is UTC then.
func setSignedAt(o *directory.Organisation, v any) error {
	o.AgreementSignedAt = time.Time{}
	text, ok := v.(string)
	if !ok {
		return nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", time.DateTime, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			o.AgreementSignedAt = at.UTC()
			return nil
		}
	}
	return errNoResult
}

func setPermissions(o *directory.Organisation, v any) error {
	o.Permissions = nil
	for _, item := range v.([]any) {
		if name := item.(string); !slices.Contains(o.Permissions, name) {
			o.Permissions = append(o.Permissions, name)
		}
	}
	return nil
}

// setDomains reads a list; anything else leaves the domains alone, as upstream does.
func setDomains(o *directory.Organisation, v any) error {
	items, ok := v.([]any)
	if !ok {
		return nil
	}
	o.Domains = nil
	for _, item := range items {
		domain, ok := item.(string)
		if !ok {
			return schemaFault([]string{"domains " + show(item) + " is not of type string"})
		}
		o.Domains = append(o.Domains, domain)
	}
	return nil
}

// renamePermission replaces the documentation's name of a permission (seed 001)
// by the one that is stored.
func renamePermission(body any) {
	o, ok := body.(object)
	if !ok {
		return
	}
	items, _ := o.get("permissions")
	names, _ := items.([]any)
	for i, name := range names {
		if name == "can_ask_to_join_service" {
			names[i] = directory.CanAskToJoinAService
		}
	}
}

// changeOrganisation answers POST /organisation/{organisation_id}.
func (a *API) changeOrganisation(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "organisation_id")
	if err != nil {
		return err
	}
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	renamePermission(v)
	if err := organisationChanges.validate(v); err != nil {
		return err
	}
	body := v.(object)
	change, err := organisationChangeOf(body)
	if err != nil {
		return a.faultOfKnown(r.Context(), id, err)
	}
	err = a.Registry.Store.InTx(r.Context(), func(ctx context.Context) error {
		o, err := a.Registry.ChangeOrganisation(ctx, id, change, directory.CallerFrom(ctx).Actor())
		if err != nil {
			return err
		}
		signed, _ := body.get("agreement_signed")
		if signer, _ := body.get("agreement_signed_by_id"); signed == true && signer != nil {
			return a.confirmAgreement(ctx, o)
		}
		return nil
	})
	if err != nil {
		return organisationFault(err)
	}
	return noContent(w, r)
}

// faultOfKnown is err, unless there is no organisation that it could be about.
func (a *API) faultOfKnown(ctx context.Context, id uuid.UUID, err error) error {
	if _, missing := a.Registry.Store.Organisation(ctx, id); missing != nil {
		return missing
	}
	return err
}

// organisationChangeOf turns a body that meets the schema into a change.
func organisationChangeOf(body object) (directory.OrganisationChange, error) {
	var change directory.OrganisationChange
	var sets []func(o *directory.Organisation) error
	for _, f := range organisationFields {
		v, ok := body.get(f.name)
		if !ok {
			continue
		}
		if err := f.set(&directory.Organisation{}, v); err != nil {
			return change, err
		}
		change.Fields = append(change.Fields, f.name)
		sets = append(sets, func(o *directory.Organisation) error { return f.set(o, v) })
	}
	change.Apply = func(o *directory.Organisation) {
		for _, set := range sets {
			_ = set(o) // it worked above
		}
	}
	return change, nil
}

// archiveOrganisation answers POST /organisation/{organisation_id}/archive.
func (a *API) archiveOrganisation(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "organisation_id")
	if err != nil {
		return err
	}
	err = a.Registry.ArchiveOrganisation(r.Context(), id, a.actor(r))
	switch {
	case errors.Is(err, directory.ErrActiveServices):
		return fault(http.StatusBadRequest, "Cannot archive an organisation with active services")
	case errors.Is(err, directory.ErrTeamMembers):
		return fault(http.StatusBadRequest, "Cannot archive an organisation with team members or invited team members")
	case err != nil:
		return err
	}
	return noContent(w, r)
}
