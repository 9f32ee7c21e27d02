package directory

import (
	"time"

	"github.com/google/uuid"
)

// OrganisationType classifies an organisation (seed 001).
type OrganisationType string

// Organisation types, in the order in which the Notify API lists them.
const (
	Central          OrganisationType = "central"
	Local            OrganisationType = "local"
	NHSCentral       OrganisationType = "nhs_central"
	NHSLocal         OrganisationType = "nhs_local"
	NHSGP            OrganisationType = "nhs_gp"
	NHSNotify        OrganisationType = "nhs_notify"
	EmergencyService OrganisationType = "emergency_service"
	SchoolOrCollege  OrganisationType = "school_or_college"
	Other            OrganisationType = "other"
)

// OrganisationTypes lists every type.
var OrganisationTypes = []OrganisationType{Central, Local, NHSCentral, NHSLocal, NHSGP, NHSNotify, EmergencyService, SchoolOrCollege, Other}

// NHS reports whether the type is one of the four NHS types.
func (t OrganisationType) NHS() bool {
	return t == NHSCentral || t == NHSLocal || t == NHSGP || t == NHSNotify
}

// The brandings that NHS organisations start with (spec of seed 001).
var (
	NHSEmailBrandingID  = uuid.MustParse("a7dc4e56-660b-4db7-8cff-12c37b12b5ea")
	NHSLetterBrandingID = uuid.MustParse("2cd354bb-6b85-eda3-c0ad-6b613150459f")
)

// CanAskToJoinAService is the organisation permission every organisation starts with.
const CanAskToJoinAService = "can_ask_to_join_a_service"

// Organisation owns services and has members (seed 001). Pointers are nil
// where the seed says nullable.
type Organisation struct {
	ID                             uuid.UUID
	Name                           string // unique
	Active                         bool
	Crown                          *bool
	Type                           OrganisationType
	EmailBrandingID                uuid.NullUUID
	LetterBrandingID               uuid.NullUUID
	AgreementSigned                *bool
	AgreementSignedAt              time.Time // zero when not signed
	AgreementSignedByID            uuid.NullUUID
	AgreementSignedOnBehalfOfName  *string
	AgreementSignedOnBehalfOfEmail *string
	AgreementSignedVersion         *float64
	Domains                        []string // lower case
	RequestToGoLiveNotes           *string
	Notes                          *string
	PurchaseOrderNumber            *string
	BillingContactNames            *string
	BillingContactEmailAddresses   *string
	BillingReference               *string
	CanApproveOwnGoLiveRequests    bool
	Permissions                    []string
	CountOfLiveServices            int // derived: active and not restricted
	CreatedAt                      time.Time
	UpdatedAt                      time.Time // zero when never changed
}

// Membership is a user's place in a service or an organisation.
type Membership struct {
	UserID      uuid.UUID
	Of          uuid.UUID // the service or organisation
	Permissions []string
	CreatedAt   time.Time
}

// Memberships are everything a user belongs to, as the Notify user object shows it.
type Memberships struct {
	Services                []uuid.UUID            // active services
	Organisations           []uuid.UUID            // active organisations
	ServicePermissions      map[uuid.UUID][]string // active services with at least one permission
	OrganisationPermissions map[uuid.UUID][]string // every organisation, also inactive ones
}
