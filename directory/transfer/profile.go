package transfer

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// ProfileRecord is a user of the marketplace in a file. What is known of them has
// the names of POST /users.
type ProfileRecord struct {
	Type       string `json:"type"`
	ExternalID string `json:"external_id"`
	// ID is the identifier to have here; generated when missing.
	ID string `json:"id,omitempty"`
	// PartnerID is the client id of the company whose user it is.
	PartnerID  string `json:"partner_id"`
	AnonUserID string `json:"anon_user_id,omitempty"`

	directory.ProfileData
	// AssociatedCPUser is the partner's own reference.
	AssociatedCPUser *string `json:"associated_cp_user,omitempty"`

	// Visits and LastVisited count for a user who is new, like CreatedAt.
	Visits      int64           `json:"visits,omitempty"`
	LastVisited time.Time       `json:"last_visited,omitzero"`
	CreatedAt   time.Time       `json:"created_at,omitzero"`
	Consents    []ConsentRecord `json:"consents,omitempty"`
}

// ConsentRecord lets a provider see a user of the marketplace.
type ConsentRecord struct {
	// CPID is the provider's client id.
	CPID string `json:"cp_id"`
	// CPUserID is how the provider knows the user; generated when missing.
	CPUserID  string    `json:"cp_user_id,omitempty"`
	CreatedAt time.Time `json:"created,omitzero"` // when it was given; now when missing
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
}

// prepareProfile checks what POST /users would, and what only files can say.
func (c *checker) prepareProfile(it *item, r *ProfileRecord) error {
	if err := validID(r.ID); err != nil {
		return err
	}
	if err := validReference("partner_id", r.PartnerID); err != nil {
		return err
	}
	now := c.registry.Clock()
	p := &directory.Profile{
		ProfileData: r.ProfileData, ID: idOf(r.ID), PartnerID: r.PartnerID, AnonUserID: r.AnonUserID,
		Visits: r.Visits, LastVisited: r.LastVisited, CreatedAt: exactly(r.CreatedAt, now),
	}
	if p.ID == uuid.Nil {
		p.ID = c.registry.NewID()
	}
	p.PartnerReference = r.AssociatedCPUser
	p.Email, p.UpdatedAt = strings.TrimSpace(p.Email), p.CreatedAt
	if err := validProfile(p, now); err != nil {
		return err
	}
	for _, given := range r.Consents {
		consent, err := c.consent(given, p.ID, now)
		if err != nil {
			return err
		}
		for _, other := range it.consents {
			if other.ProviderID == consent.ProviderID || other.Pseudonym == consent.Pseudonym {
				return errField("consents", "The same company or cp_user_id twice.")
			}
		}
		it.consents = append(it.consents, consent)
	}
	it.profile = p
	return nil
}

func validProfile(p *directory.Profile, now time.Time) error {
	var faults directory.ProfileFaults
	faults.AnonUserID(p.AnonUserID)
	if p.Meta == nil {
		p.Meta = []byte("{}")
	}
	meta, err := directory.MergeMeta([]byte("{}"), p.Meta)
	faults.Add(err != nil, "meta", "must be an object")
	p.Meta = meta
	if err := faults.Err(); err != nil {
		return err
	}
	if err := p.ValidateNew(now); err != nil {
		return err
	}
	return validTimes(p.CreatedAt, p.LastVisited)
}

// consent is one that is over when it has expired, like those of companies that
// the clean-up has come by.
func (c *checker) consent(r ConsentRecord, profile uuid.UUID, now time.Time) (directory.ProfileConsent, error) {
	given := directory.ProfileConsent{
		ProfileID: profile, ProviderID: r.CPID, Pseudonym: idOf(r.CPUserID), GivenAt: exactly(r.CreatedAt, now),
		ExpiresAt: r.ExpiresAt.UTC().Truncate(time.Microsecond), EndedAt: r.EndedAt,
	}
	if given.Pseudonym == uuid.Nil {
		given.Pseudonym = c.registry.NewID()
	}
	if given.EndedAt.IsZero() && !given.Stands(now) {
		given.EndedAt = given.ExpiresAt
	}
	if err := validReference("consents", r.CPID); err != nil {
		return given, err
	}
	if validID(r.CPUserID) != nil {
		return given, errField("consents", "Not a valid cp_user_id.")
	}
	return given, validTimes(given.GivenAt, given.ExpiresAt, given.EndedAt)
}

// exactly is a time as exact as what is kept, or else another.
func exactly(t, otherwise time.Time) time.Time {
	if t.IsZero() {
		t = otherwise
	}
	return t.UTC().Truncate(time.Microsecond)
}
