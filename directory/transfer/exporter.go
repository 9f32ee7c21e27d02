package transfer

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// ExportStore reads everything there is, a page at a time, in the order of the
// ids: what is added while it is read may be there or not.
type ExportStore interface {
	ExportOrganisations(ctx context.Context, after uuid.UUID, limit int) ([]*directory.Organisation, error)
	ExportServices(ctx context.Context, after uuid.UUID, limit int) ([]*directory.Service, error)
	ExportUsers(ctx context.Context, after uuid.UUID, limit int) ([]directory.ExportedUser, error)
}

// ExportProfiles reads the users of the marketplace in the same way, with what is
// kept encrypted only when secrets is true.
type ExportProfiles interface {
	ExportProfiles(ctx context.Context, after uuid.UUID, limit int, secrets bool) ([]directory.ExportedProfile, error)
}

// Exporter writes what is here in the formats that [Importer] reads. The external
// id of a record is its id.
type Exporter struct {
	Store    ExportStore
	Profiles ExportProfiles
	// WithPasswordHashes writes the hashes of passwords too.
	WithPasswordHashes bool
	// WithSensitive writes what is kept encrypted of users of the marketplace too:
	// identity numbers and dates of birth.
	WithSensitive bool
}

// Export writes the records of these kinds, organisations before services before
// users, and returns how many there were.
func (e *Exporter) Export(ctx context.Context, w Writer, kinds ...string) (records int64, err error) {
	for _, kind := range kinds {
		switch kind {
		case KindOrganisation:
			err = pages(ctx, w, &records, e.Store.ExportOrganisations, organisationRecord)
		case KindService:
			err = pages(ctx, w, &records, e.Store.ExportServices, serviceRecord)
		case KindUser:
			err = pages(ctx, w, &records, e.Store.ExportUsers, e.userRecord)
		case KindProfile:
			read := func(ctx context.Context, after uuid.UUID, limit int) ([]directory.ExportedProfile, error) {
				return e.Profiles.ExportProfiles(ctx, after, limit, e.WithSensitive)
			}
			err = pages(ctx, w, &records, read, profileRecord)
		default:
			err = fmt.Errorf("no records of kind %q", kind)
		}
		if err != nil {
			return records, fmt.Errorf("export %s: %w", kind, err)
		}
	}
	return records, w.Close()
}

// pages writes all of a kind, which read returns in the order of their ids.
func pages[T any](ctx context.Context, w Writer, records *int64, read func(ctx context.Context, after uuid.UUID, limit int) ([]T, error), record func(T) (any, uuid.UUID)) error {
	after := uuid.Nil
	for {
		page, err := read(ctx, after, batchSize)
		if err != nil {
			return err
		}
		for _, one := range page {
			r, id := record(one)
			if err := w.Write(r); err != nil {
				return err
			}
			*records++
			after = id
		}
		if len(page) < batchSize {
			return nil
		}
	}
}

func (e *Exporter) userRecord(from directory.ExportedUser) (any, uuid.UUID) {
	u := from.User
	r := &UserRecord{
		Type: KindUser, ExternalID: u.ID.String(), ID: u.ID.String(), Number: u.Number, Username: u.Username,
		Name: u.Name, FirstName: u.FirstName, Surname: u.Surname, EmailAddress: u.EmailAddress, MobileNumber: u.MobileNumber,
		AuthType: string(u.AuthType), State: string(u.State), Locked: u.Locked(), Roles: u.Roles, Language: string(u.Language),
		PasswordChangedAt: u.PasswordChangedAt, EmailAccessValidatedAt: u.EmailAccessValidatedAt, CreatedAt: u.CreatedAt,
		TakeNoPartInResearch: !u.TakePartInResearch, NoNewFeaturesEmail: !u.ReceivesNewFeaturesEmail,
		Organisations: places(from.Organisations), Services: places(from.Services),
	}
	if u.PlatformAdmin {
		r.PlatformAdmin = &u.PlatformAdmin
	}
	if e.WithPasswordHashes {
		r.PasswordHash = from.PasswordHash
	}
	return r, u.ID
}

func places(all []directory.Membership) []Place {
	var to []Place
	for _, m := range all {
		to = append(to, Place{Of: m.Of.String(), Permissions: m.Permissions})
	}
	return to
}

func organisationRecord(o *directory.Organisation) (any, uuid.UUID) {
	return &OrganisationRecord{
		Type: KindOrganisation, ExternalID: o.ID.String(), ID: o.ID.String(), Name: o.Name, OrganisationType: string(o.Type),
		Inactive: !o.Active, Crown: o.Crown, Domains: o.Domains, Notes: o.Notes, RequestToGoLiveNotes: o.RequestToGoLiveNotes,
		PurchaseOrderNumber: o.PurchaseOrderNumber, BillingContactNames: o.BillingContactNames,
		BillingContactEmailAddresses: o.BillingContactEmailAddresses, BillingReference: o.BillingReference,
		CanApproveOwnGoLiveRequests: o.CanApproveOwnGoLiveRequests,
	}, o.ID
}

func serviceRecord(s *directory.Service) (any, uuid.UUID) {
	r := &ServiceRecord{
		Type: KindService, ExternalID: s.ID.String(), ID: s.ID.String(), Name: s.Name, OrganisationType: string(s.OrganisationType),
		Inactive: !s.Active, Live: !s.Restricted, Permissions: s.Permissions, EmailMessageLimit: &s.EmailMessageLimit,
		SMSMessageLimit: &s.SMSMessageLimit, LetterMessageLimit: &s.LetterMessageLimit,
	}
	if s.OrganisationID.Valid {
		r.Organisation = s.OrganisationID.UUID.String()
	}
	return r, s.ID
}

func profileRecord(p directory.ExportedProfile) (any, uuid.UUID) {
	r := &ProfileRecord{
		Type: KindProfile, ExternalID: p.ID.String(), ID: p.ID.String(), PartnerID: p.PartnerID, AnonUserID: p.AnonUserID,
		ProfileData: p.ProfileData, AssociatedCPUser: p.PartnerReference, Visits: p.Visits, LastVisited: p.LastVisited, CreatedAt: p.CreatedAt,
	}
	for _, c := range p.Consents {
		r.Consents = append(r.Consents, ConsentRecord{
			CPID: c.ProviderID, CPUserID: c.Pseudonym.String(), CreatedAt: c.GivenAt, ExpiresAt: c.ExpiresAt, EndedAt: c.EndedAt,
		})
	}
	return r, p.ID
}
