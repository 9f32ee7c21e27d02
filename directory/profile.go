package directory

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// CompanyKind is what a company does in the marketplace (seed 003).
type CompanyKind string

// The kinds of companies.
const (
	Partner  CompanyKind = "partner"  // brings users in
	Provider CompanyKind = "provider" // offers them products
)

// The scopes of companies. Only a client of that kind can be granted one.
const (
	ScopePartner  = "marketplace:partner"
	ScopeProvider = "marketplace:provider"
)

// Company is a client that calls the marketplace's API. Its id is the client's.
type Company struct {
	ID   string
	Kind CompanyKind
}

func (c Company) actor() Actor { return Actor{Kind: "client", ID: c.ID} }

// ProfileDetails are what a profile says that is not particularly sensitive. The
// names are seed 003's; nil is unknown.
type ProfileDetails struct {
	FirstName              string  `json:"first_name"`
	Surname                string  `json:"surname"`
	PreferredName          *string `json:"preferred_name"`
	Title                  *string `json:"title"`
	Postcode               *string `json:"postcode"`
	BuildingNumber         *string `json:"building_number"`
	Address1               *string `json:"address_1"`
	Address2               *string `json:"address_2"`
	Address3               *string `json:"address_3"`
	TownCity               *string `json:"town_city"`
	County                 *string `json:"county"`
	CountryOfResidence     *string `json:"country_of_residence"`
	Nationality            *string `json:"nationality"`
	Gender                 *string `json:"gender"`
	RelationshipStatus     *string `json:"relationship_status"`
	NumberOfChildren       *string `json:"number_of_children"`
	AgesOfChildren         *string `json:"ages_of_children"`
	PartnerFirstName       *string `json:"partner_first_name"`
	PartnerSurname         *string `json:"partner_surname"`
	PartnerSex             *string `json:"partner_sex"`
	RelationshipToPartner  *string `json:"relationship_to_partner"`
	Smoker                 *string `json:"smoker"`
	CigarettesPerWeek      *int64  `json:"number_of_cigarettes_per_week"`
	Drinker                *string `json:"drinker"`
	UnitsOfAlcoholPerWeek  *int64  `json:"number_of_units_per_week"`
	PhoneNumber            *string `json:"phone_number"`
	MobileNumber           *string `json:"mobile_number"`
	AcceptsTermsConditions *bool   `json:"terms_conditions"`
}

// ProfileSecrets are what identifies a person for life or opens doors in their
// name. They are encrypted where they are kept, and never logged.
type ProfileSecrets struct {
	NationalInsuranceNumber *string    `json:"national_insurance_number"`
	PassportNumber          *string    `json:"passport_number"`
	DateOfBirth             *time.Time `json:"dob"`
	PartnerDateOfBirth      *time.Time `json:"partner_dob"`
}

// ProfileData is what companies write of a profile.
type ProfileData struct {
	ProfileDetails
	ProfileSecrets

	Email string `json:"email"`
	// Meta is a JSON object of the companies' own, never empty.
	Meta json.RawMessage `json:"meta"`
	// PartnerReference is what the owner calls the profile, which nobody else is
	// shown; nil for nothing.
	PartnerReference *string `json:"-"`
}

// Profile is a user of the marketplace: what one partner knows of one person. It
// is not a [User], who signs in; the two meet at the address.
type Profile struct {
	ProfileData

	ID uuid.UUID
	// PartnerID is the company that owns the profile.
	PartnerID string
	// AnonUserID is how the partner knew the person before; "" for unknown.
	AnonUserID string
	// Visits counts those that the partner knew of when it created the profile,
	// and the person's sign-ins since at providers that may see it. LastVisited is
	// when the last one was; zero before the first.
	Visits      int64
	LastVisited time.Time
	CreatedAt   time.Time
	UpdatedAt   time.Time // CreatedAt until it is changed
}

// ProfileConsent lets a provider see a profile. It is kept when it has ended,
// for the pseudonym in it never changes.
type ProfileConsent struct {
	ProfileID  uuid.UUID
	ProviderID string
	// Pseudonym is the cp_user_id: the id under which the provider, and no other
	// company but the owner, knows the profile.
	Pseudonym uuid.UUID
	// GivenBy is the account of the person who gave it; uuid.Nil where the
	// partner recorded it.
	GivenBy uuid.UUID
	GivenAt time.Time
	// ExpiresAt is when it ends by itself; zero for never.
	ExpiresAt time.Time
	// EndedAt is when it was withdrawn; zero while it was not.
	EndedAt time.Time
}

// Stands reports whether the consent counts at a moment.
func (c *ProfileConsent) Stands(now time.Time) bool {
	return c.EndedAt.IsZero() && (c.ExpiresAt.IsZero() || now.Before(c.ExpiresAt))
}

// SeenProfile is a profile as one company sees it.
type SeenProfile struct {
	*Profile

	// Pseudonym is the provider's cp_user_id; uuid.Nil for the owner.
	Pseudonym uuid.UUID
	// Unreadable says that an encrypted value does not open, in a list: then none
	// of the secrets is there, be they known or not.
	Unreadable bool
}

// BroadbandEntry is what a provider's broadband offer says about a profile.
type BroadbandEntry struct {
	ID         uuid.UUID
	ProfileID  uuid.UUID
	ProviderID string
	Pseudonym  uuid.UUID
	Offer      BroadbandOffer
	CreatedAt  time.Time
	UpdatedAt  time.Time // CreatedAt until it is changed
}

// BroadbandOffer is a product; nil is unknown.
type BroadbandOffer struct {
	Provider      *string `json:"broadbandProvider,omitempty"`
	PricePerMonth *string `json:"broadbandPpm,omitempty"`
	DownSpeed     *string `json:"broadbandDownSpeed,omitempty"`
}
