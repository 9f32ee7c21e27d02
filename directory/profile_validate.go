package directory

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// maxProfileText is the longest text of a profile, in characters.
	maxProfileText = 255
	// MaxProfileMeta bounds the object meta of a profile, in bytes of compact JSON.
	MaxProfileMeta = 16 << 10
	// maxPartnerReference is the longest name that a partner has for a profile, in characters.
	maxPartnerReference = 200
	// maxVisits bounds what a partner says of visits, so that more can be counted.
	maxVisits = 1_000_000_000
	// maxPerWeek bounds what a person smokes or drinks.
	maxPerWeek = 10_000
	// maxAnonUserID is the longest id of an anonymous visitor, in bytes.
	maxAnonUserID = 255
)

// AnonUserID finds fault with how a partner knew a person before.
func (f *ProfileFaults) AnonUserID(id string) {
	f.Add(len(id) > maxAnonUserID || strings.ContainsRune(id, 0), "anon_user_id", "must be at most 255 bytes without NUL")
}

// ProfileFaults are the fields of a body that break a rule, at least one.
type ProfileFaults []FieldError

func (f ProfileFaults) Error() string {
	texts := make([]string, len(f))
	for i := range f {
		texts[i] = f[i].Error()
	}
	return strings.Join(texts, "; ")
}

// Is makes errors.Is(err, ErrInvalid) true.
func (f ProfileFaults) Is(target error) bool { return target == ErrInvalid }

// Add adds a fault when broken.
func (f *ProfileFaults) Add(broken bool, field, reason string) {
	if broken {
		*f = append(*f, FieldError{Field: field, Reason: reason})
	}
}

// Err is nil without a fault, and otherwise the faults in the order of their fields.
func (f ProfileFaults) Err() error {
	if len(f) == 0 {
		return nil
	}
	slices.SortStableFunc(f, func(a, b FieldError) int { return strings.Compare(a.Field, b.Field) })
	return f
}

// ValidateNew is Validate for a profile that is new, of which visits could have been
// by a moment.
func (p *Profile) ValidateNew(now time.Time) error {
	f := p.faults()
	f.Add(p.Visits < 0 || p.Visits > maxVisits, "visits", "must be from 0 to 1000000000")
	f.Add(p.LastVisited.After(now), "last_visited", "must not be in the future")
	f.Add(!p.LastVisited.IsZero() && p.LastVisited.Year() < 1970, "last_visited", "must not be before 1970")
	return f.Err()
}

// Validate finds fault with what breaks a rule: [ProfileFaults].
func (d *ProfileData) Validate() error { return d.faults().Err() }

func (d *ProfileData) faults() ProfileFaults {
	var f ProfileFaults
	f.required("first_name", d.FirstName)
	f.required("surname", d.Surname)
	f.Add(strings.TrimSpace(d.Email) == "", "email", "is required")
	f.Add(strings.TrimSpace(d.Email) != "" && ValidateEmail(d.Email) != nil, "email", "must be an e-mail address")
	for field, text := range d.texts() {
		f.text(field, text)
	}
	f.count("number_of_cigarettes_per_week", d.CigarettesPerWeek)
	f.count("number_of_units_per_week", d.UnitsOfAlcoholPerWeek)
	f.birthday("dob", d.DateOfBirth)
	f.birthday("partner_dob", d.PartnerDateOfBirth)
	f.Add(len(d.Meta) > MaxProfileMeta, "meta", "must be at most 16 KiB")
	const reference = "associated_cp_user"
	f.text(reference, d.PartnerReference)
	f.Add(d.PartnerReference != nil && utf8.RuneCountInString(*d.PartnerReference) > maxPartnerReference, reference, "must be at most 200 characters")
	return f
}

// texts are the optional texts by their names.
func (d *ProfileData) texts() map[string]*string {
	return map[string]*string{
		"preferred_name": d.PreferredName, "title": d.Title, "postcode": d.Postcode, "building_number": d.BuildingNumber,
		"address_1": d.Address1, "address_2": d.Address2, "address_3": d.Address3, "town_city": d.TownCity, "county": d.County,
		"country_of_residence": d.CountryOfResidence, "nationality": d.Nationality, "gender": d.Gender,
		"relationship_status": d.RelationshipStatus, "number_of_children": d.NumberOfChildren, "ages_of_children": d.AgesOfChildren,
		"partner_first_name": d.PartnerFirstName, "partner_surname": d.PartnerSurname, "partner_sex": d.PartnerSex,
		"relationship_to_partner": d.RelationshipToPartner, "smoker": d.Smoker, "drinker": d.Drinker,
		"phone_number": d.PhoneNumber, "mobile_number": d.MobileNumber,
		"national_insurance_number": d.NationalInsuranceNumber, "passport_number": d.PassportNumber,
	}
}

func (f *ProfileFaults) required(field, text string) {
	if strings.TrimSpace(text) == "" {
		f.Add(true, field, "is required")
		return
	}
	f.text(field, &text)
}

func (f *ProfileFaults) text(field string, text *string) {
	if text == nil {
		return
	}
	f.Add(utf8.RuneCountInString(*text) > maxProfileText, field, "must be at most 255 characters")
	f.Add(strings.ContainsFunc(*text, unicode.IsControl), field, "must not hold control characters")
}

func (f *ProfileFaults) count(field string, n *int64) {
	f.Add(n != nil && (*n < 0 || *n > maxPerWeek), field, "must be from 0 to 10000")
}

// birthday wants a year that JSON can show (RFC 3339 has four digits).
func (f *ProfileFaults) birthday(field string, t *time.Time) {
	f.Add(t != nil && (t.UTC().Year() < 1 || t.UTC().Year() > 9999), field, "must be a date of the years 1 to 9999")
}

func (o *BroadbandOffer) validate() error {
	var f ProfileFaults
	f.text("broadbandProvider", o.Provider)
	f.text("broadbandPpm", o.PricePerMonth)
	f.text("broadbandDownSpeed", o.DownSpeed)
	return f.Err()
}

// MergeMeta changes the members of a JSON object that another names; null
// removes one. Both are objects.
func MergeMeta(meta, change json.RawMessage) (json.RawMessage, error) {
	merged, changes := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if err := json.Unmarshal(meta, &merged); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(change, &changes); err != nil {
		return nil, err
	}
	for name, value := range changes {
		if bytes.Equal(bytes.TrimSpace(value), []byte("null")) {
			delete(merged, name)
			continue
		}
		merged[name] = value
	}
	return json.Marshal(merged)
}
