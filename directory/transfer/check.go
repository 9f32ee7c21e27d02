package transfer

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// item is a record on its way: where it stood, and what it comes to once it has
// been checked by itself.
type item struct {
	line       int
	kind       string
	externalID string
	digests    digests
	refused    error // nil, or why it can never be taken
	unfit      error // nil, or why it cannot be taken beside what is here now

	record any // a *UserRecord and so on
	// Of a user.
	user     *directory.User
	hash     string
	wantsKey userKeys
	// Of a user of the marketplace.
	profile  *directory.Profile
	consents []directory.ProfileConsent
}

// digest is what is kept to tell this state of a record from another.
func (it *item) digest() []byte { return it.digests[0] }

// userKeys are the values that no two users share, as they are compared.
type userKeys struct{ username, email, number string }

// errField is a value that breaks a rule of this package's.
func errField(field, reason string) error {
	return &directory.FieldError{Field: field, Reason: reason}
}

// checker checks records by themselves, many at once.
type checker struct {
	registry *directory.Registry
	keys     [][]byte // of digests
}

// check makes an item of what stood in a line.
func (c *checker) check(r raw) item {
	it := item{line: r.line}
	record, err := r.decode()
	if record != nil {
		it.kind, it.externalID = externalID(record)
		it.record = record
	}
	if err == nil {
		err = validReference("external_id", it.externalID)
	}
	if err != nil {
		it.refused = err
		return it
	}
	it.digests = c.digestsOf(record)
	it.refused = c.prepare(&it)
	return it
}

func (c *checker) prepare(it *item) error {
	switch r := it.record.(type) {
	case *UserRecord:
		return c.prepareUser(it, r)
	case *OrganisationRecord:
		return errors.Join(validID(r.ID), validOrganisation(r))
	case *ServiceRecord:
		return errors.Join(validID(r.ID), validService(r))
	case *MembershipRecord:
		return validMembership(r)
	case *ProfileRecord:
		return c.prepareProfile(it, r)
	case *roleRecord:
		if r.Role == "" || len(r.Role) > maxExternalID || !printable(r.Role) {
			return errField("roles", "Not a valid role name.")
		}
	}
	return nil
}

// digests are those of a record under each key, the newest first.
type digests [][]byte

// digestsOf tells one state of a record from another. Without a key they say
// nothing about what the record holds, which may be encrypted where it goes.
func (c *checker) digestsOf(record any) digests {
	text, _ := json.Marshal(record) // a date that JSON cannot say is refused anyway
	all := make(digests, len(c.keys))
	for n, key := range c.keys {
		mac := hmac.New(sha256.New, key)
		mac.Write(text)
		all[n] = mac.Sum(nil)[:16]
	}
	return all
}

// has reports whether one of them is the one that was kept.
func (d digests) has(kept []byte) bool {
	return slices.ContainsFunc(d, func(one []byte) bool { return bytes.Equal(one, kept) })
}

// maxExternalID bounds an external id in bytes.
const maxExternalID = 255

// validReference wants the id of a record, or of something else that it refers to.
func validReference(field, id string) error {
	if id == "" {
		return errField(field, "Missing data for required field.")
	}
	if len(id) > maxExternalID || !printable(id) {
		return errField(field, "Not a valid string.")
	}
	return nil
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

func validID(id string) error {
	if id == "" {
		return nil
	}
	if parsed, err := uuid.Parse(id); err != nil || parsed == uuid.Nil {
		return errField("id", "Not a valid UUID.")
	}
	return nil
}

// idOf is the identifier that a record asks for; uuid.Nil for none.
func idOf(id string) uuid.UUID {
	parsed, _ := uuid.Parse(id) // checked before
	return parsed
}

func (c *checker) prepareUser(it *item, r *UserRecord) error {
	if err := validID(r.ID); err != nil {
		return err
	}
	if r.PasswordHash != "" {
		stored, err := authn.ForeignHash(r.PasswordHash)
		if err != nil {
			return errField("password_hash", err.Error())
		}
		it.hash = stored
	}
	if r.Language != "" && directory.ReadLanguage(r.Language) == "" {
		return errField("language", "Is not spoken here.")
	}
	if err := validPlaces(r); err != nil {
		return err
	}
	u, err := c.registry.PrepareUser(r.newUser())
	if err != nil {
		return err
	}
	now := c.registry.Clock()
	u.EmailAccessValidatedAt, u.PasswordChangedAt = past(r.EmailAccessValidatedAt, now), past(r.PasswordChangedAt, now)
	u.Language = directory.ReadLanguage(r.Language)
	if !r.CreatedAt.IsZero() {
		u.CreatedAt = past(r.CreatedAt, now)
	}
	if r.Locked {
		u.FailedLoginCount, u.LockedAt = directory.MaxFailedLogins, now
	}
	if err := validTimes(u.EmailAccessValidatedAt, u.PasswordChangedAt, u.CreatedAt); err != nil {
		return err
	}
	it.user = u
	it.wantsKey = keysOf(u)
	return nil
}

// past is when something happened: now, for what the clock of another system puts in
// the future. A password that is yet to change would keep its owner out until then.
func past(t, now time.Time) time.Time {
	if t.After(now) {
		return now
	}
	return t
}

// validTimes refuses what cannot be kept as microseconds.
func validTimes(all ...time.Time) error {
	for _, t := range all {
		if year := t.Year(); !t.IsZero() && (year < 1900 || year > 9999) {
			return errField("created_at", "Not a valid time.")
		}
	}
	return nil
}

func (r *UserRecord) newUser() directory.NewUser {
	n := directory.NewUser{
		ID: idOf(r.ID), Number: r.Number, Username: r.Username, Name: r.Name, FirstName: r.FirstName, Surname: r.Surname,
		EmailAddress: r.EmailAddress, MobileNumber: r.MobileNumber, AuthType: directory.AuthType(r.AuthType),
		State: directory.State(r.State), PlatformAdmin: r.PlatformAdmin != nil && *r.PlatformAdmin, Roles: r.Roles,
		TakeNoPartInResearch: r.TakeNoPartInResearch, NoNewFeaturesEmail: r.NoNewFeaturesEmail,
	}
	if n.State == "" {
		n.State = directory.Active
	}
	if r.Enabled != nil && !*r.Enabled {
		n.State = directory.Inactive
	}
	return n
}

func keysOf(u *directory.User) userKeys {
	var k userKeys
	if u.Username != "" {
		k.username = directory.NormaliseUsername(u.Username)
	}
	if u.EmailAddress != "" {
		k.email = directory.NormaliseEmail(u.EmailAddress)
	}
	if u.Number != 0 {
		k.number = fmt.Sprint(u.Number)
	}
	return k
}

// validPlaces knows the permissions, and puts them as they are stored.
func validPlaces(r *UserRecord) error {
	for n, place := range r.Organisations {
		all, err := storedPermissions(KindOrganisation, place.Permissions)
		if err != nil || !printable(place.Of) || place.Of == "" {
			return errField("organisations", "No such permission, or no organisation named.")
		}
		r.Organisations[n].Permissions = all
	}
	for n, place := range r.Services {
		all, err := storedPermissions(KindService, place.Permissions)
		if err != nil || !printable(place.Of) || place.Of == "" {
			return errField("services", "No such permission, or no service named.")
		}
		r.Services[n].Permissions = all
	}
	return nil
}

func validOrganisation(r *OrganisationRecord) error {
	if r.OrganisationType != "" && !slices.Contains(directory.OrganisationTypes, directory.OrganisationType(r.OrganisationType)) {
		return errField("organisation_type", "No such type.")
	}
	if !printable(r.Name) || strings.TrimSpace(r.Name) == "" {
		return errField("name", "Not a valid string.")
	}
	for _, text := range r.texts() {
		if text.said != nil && (!utf8.ValidString(*text.said) || strings.ContainsRune(*text.said, 0)) {
			return errField(text.field, "Not a valid string.")
		}
	}
	return nil
}

func validService(r *ServiceRecord) error {
	if r.OrganisationType != "" && !slices.Contains(directory.OrganisationTypes, directory.OrganisationType(r.OrganisationType)) {
		return errField("organisation_type", "No such type.")
	}
	for _, name := range r.Permissions {
		if !slices.Contains(directory.ServiceFeatures, name) {
			return errField("permissions", "No such permission.")
		}
	}
	if !printable(r.Name) || strings.TrimSpace(r.Name) == "" || !printable(r.Organisation) {
		return errField("name", "Not a valid string.")
	}
	return nil
}
