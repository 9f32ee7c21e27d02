package directory

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Imported is where a record of another system has gone.
type Imported struct {
	Kind       string // "user", "organisation", "service", "membership" or "marketplace_user"
	ExternalID string // what its own system calls it
	ID         uuid.UUID
	// Digest is that of the record when it was imported last.
	Digest []byte
}

// ImportedUser is a user who comes from another system with all that is theirs.
type ImportedUser struct {
	Imported
	User *User
	// PasswordHash is one that package authn can read; "" for no password.
	PasswordHash  string
	Organisations []Membership
	Services      []Membership
	Event         Event // what the audit trail keeps of it
}

// ImportedProfile is a user of the marketplace who comes from another system,
// with the consents to be seen. Those that have ended keep their pseudonyms.
type ImportedProfile struct {
	Imported
	Profile  *Profile
	Consents []ProfileConsent
	Event    Event
}

// ProfileClaim is a user of the marketplace who has an address at a partner.
type ProfileClaim struct {
	ID        uuid.UUID
	PartnerID string
	Email     string // normalised
}

// ImportProgress is how far the import of a file has come.
type ImportProgress struct {
	Source string
	Digest string // of the file, in hexadecimal
	// Records are all that were dealt with, from the start of the file; the four
	// others add up to them.
	Records, Created, Updated, Unchanged, Rejected int64
	UpdatedAt                                      time.Time
	FinishedAt                                     time.Time // zero while there is more
}

// UserClaim is a user who has one of the unique values that others want.
type UserClaim struct {
	ID       uuid.UUID
	Username string // normalised; "" when none
	Email    string // normalised; "" when none
	Number   int64  // 0 when none
}

// PrepareUser is what [Registry.CreateUser] would write, without writing it.
// Errors: [*FieldError].
func (r *Registry) PrepareUser(n NewUser) (*User, error) { return r.newUser(n) }

// ImportService writes a service that another system had: nobody here created
// it, and its members come with their own records. A service of an organisation
// takes over its type and brandings. The id is generated when it is nil. Errors are
// those of [Registry.CreateService].
func (r *Registry) ImportService(ctx context.Context, id uuid.UUID, organisation uuid.NullUUID, c ServiceChanges, actor Actor) (*Service, error) {
	s := &Service{
		ID: cmp.Or(id, r.NewID()), Active: true, Restricted: true, Permissions: DefaultServicePermissions(),
		OrganisationID: organisation, CreatedAt: r.Clock(),
	}
	c.apply(s)
	if err := validService(s); err != nil {
		return nil, err
	}
	err := r.Store.InTx(ctx, func(ctx context.Context) error {
		if organisation.Valid {
			o, err := r.Store.LockOrganisation(ctx, organisation.UUID)
			if err != nil {
				return fmt.Errorf("lock organisation: %w", err)
			}
			s.belongTo(o)
		} else {
			s.Crown = defaultCrown(s.OrganisationType)
		}
		if err := r.Store.CreateService(ctx, s); err != nil {
			return fmt.Errorf("create service: %w", err)
		}
		if err := r.Store.SetServiceAllowance(ctx, s.ID, NewAllowance(s.OrganisationType, s.CreatedAt)); err != nil {
			return fmt.Errorf("set allowance: %w", err)
		}
		return r.record(ctx, "import_service", actor, s.ID.String(), map[string]any{"after": s.audit()})
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// ExportedUser is a user with all that is theirs, for another system.
type ExportedUser struct {
	User          *User
	PasswordHash  string // "" for no password
	Organisations []Membership
	Services      []Membership
}

// ExportedProfile is a user of the marketplace with every consent there has been.
type ExportedProfile struct {
	*Profile
	Consents []ProfileConsent
}
