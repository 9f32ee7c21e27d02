package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gatehouse/directory"
)

// profileColumns are scanned into a profileRow, in this order.
const profileColumns = `u.id, u.partner_id, u.email, u.anon_user_id, u.profile, u.meta,
	u.national_insurance_number, u.passport_number, u.dob, u.partner_dob,
	u.visits, u.last_visited, u.created_at, u.updated_at, u.partner_reference`

// profileRow is a profile as it is stored.
type profileRow struct {
	directory.SeenProfile

	details, meta string
	secrets       sealedSecrets
}

// sealedSecrets are the encrypted columns; nil for NULL.
type sealedSecrets struct{ nationalInsurance, passport, birth, partnerBirth []byte }

func newProfileRow() *profileRow {
	return &profileRow{SeenProfile: directory.SeenProfile{Profile: &directory.Profile{}}}
}

// fields are where the columns of profileColumns go.
func (r *profileRow) fields() []any {
	return []any{
		&r.ID, &r.PartnerID, &r.Email, stringInto(&r.AnonUserID), &r.details, &r.meta,
		&r.secrets.nationalInsurance, &r.secrets.passport, &r.secrets.birth, &r.secrets.partnerBirth,
		&r.Visits, timeInto(&r.LastVisited), timeInto(&r.CreatedAt), timeInto(&r.UpdatedAt), &r.PartnerReference,
	}
}

// column is an encrypted column of a profile: its name and where it is.
type column struct {
	name   string
	sealed *[]byte
}

func (s *sealedSecrets) columns() []column {
	return []column{
		{"national_insurance_number", &s.nationalInsurance}, {"passport_number", &s.passport},
		{"dob", &s.birth}, {"partner_dob", &s.partnerBirth},
	}
}

// open decrypts a row that was read.
func (p Profiles) open(ctx context.Context, r *profileRow) (directory.SeenProfile, error) {
	if err := json.Unmarshal([]byte(r.details), &r.ProfileDetails); err != nil {
		return r.SeenProfile, fmt.Errorf("decode profile %s: %w", r.ID, err)
	}
	r.Meta = json.RawMessage(r.meta)
	texts := make([]*string, 0, 4)
	for _, c := range r.secrets.columns() {
		text, err := p.openText(ctx, *c.sealed, fieldPlace("marketplace_users", c.name, r.ID.String()))
		if err != nil {
			return r.SeenProfile, err
		}
		texts = append(texts, text)
	}
	r.NationalInsuranceNumber, r.PassportNumber = texts[0], texts[1]
	var err error
	if r.DateOfBirth, err = parseMoment(texts[2]); err != nil {
		return r.SeenProfile, err
	}
	r.PartnerDateOfBirth, err = parseMoment(texts[3])
	return r.SeenProfile, err
}

func (p Profiles) openText(ctx context.Context, sealed, place []byte) (*string, error) {
	if sealed == nil {
		return nil, nil
	}
	plaintext, err := p.Keys.open(ctx, sealed, place)
	text := string(plaintext)
	return &text, err
}

// seal encrypts the secrets of a profile, and returns the id of the key; nil
// when there is nothing to encrypt.
func (p Profiles) seal(ctx context.Context, profile *directory.Profile) (s sealedSecrets, key any, err error) {
	keys, err := p.Keys.keys(ctx)
	if err != nil {
		return s, nil, err
	}
	texts := []*string{
		profile.NationalInsuranceNumber, profile.PassportNumber,
		formatMoment(profile.DateOfBirth), formatMoment(profile.PartnerDateOfBirth),
	}
	for i, c := range s.columns() {
		if texts[i] == nil {
			continue
		}
		key = int64(keys.primary)
		*c.sealed, err = keys.aead.Encrypt([]byte(*texts[i]), fieldPlace("marketplace_users", c.name, profile.ID.String()))
		if err != nil {
			return s, nil, fmt.Errorf("encrypt %s: %w", c.name, err)
		}
	}
	return s, key, nil
}

func formatMoment(t *time.Time) *string {
	if t == nil {
		return nil
	}
	text := t.UTC().Format(time.RFC3339Nano)
	return &text
}

func parseMoment(text *string) (*time.Time, error) {
	if text == nil {
		return nil, nil
	}
	t, err := time.Parse(time.RFC3339Nano, *text)
	return &t, err
}
