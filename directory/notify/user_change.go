package notify

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/message"
	"gatehouse/directory"
)

// subject is the user whom a path names.
func (a *API) subject(r *http.Request) (*directory.User, error) {
	id, err := pathID(r, "user_id")
	if err != nil {
		return nil, err
	}
	return a.Registry.Store.User(r.Context(), id)
}

// UpdateUser answers POST /user/{user_id}. Who names another user as the one who
// makes the change has its owner told of a new address or number.
func (a *API) UpdateUser(w http.ResponseWriter, r *http.Request) error {
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	u, err := a.subject(r)
	if err != nil {
		return err
	}
	by, err := a.updatedBy(r.Context(), v)
	if err != nil {
		return err
	}
	change, err := readUserChange(v)
	if err != nil {
		return err
	}
	actor := directory.CallerFrom(r.Context()).Actor()
	updated, err := a.Registry.UpdateUser(r.Context(), u.ID, change, actor, func(ctx context.Context, u *directory.User) error {
		return a.tellUpdated(ctx, u, change, by)
	})
	if err != nil {
		return userFault(err)
	}
	return a.writeUser(w, r, http.StatusOK, updated)
}

// updatedBy returns the user that the body names as making the change, or nil.
func (a *API) updatedBy(ctx context.Context, v any) (*directory.User, error) {
	body, _ := v.(object)
	given, ok := body.get("updated_by")
	if !ok {
		return nil, nil
	}
	if !isUUID(given) {
		return nil, errNoResult
	}
	return a.Registry.Store.User(ctx, uuid.MustParse(given.(string)))
}

func readUserChange(v any) (directory.UserChange, error) {
	f, err := newForm(v)
	if err != nil {
		return directory.UserChange{}, err
	}
	c := directory.UserChange{
		Name:                     given(f, "name", f.text("name", optional, validName)),
		EmailAddress:             given(f, "email_address", f.text("email_address", optional, validEmail)),
		MobileNumber:             given(f, "mobile_number", f.text("mobile_number", nullable, validMobile)),
		AuthType:                 given(f, "auth_type", directory.AuthType(f.text("auth_type", optional, oneOf("sms_auth", "email_auth", "webauthn_auth")))),
		CurrentSessionID:         given(f, "current_session_id", f.id("current_session_id")),
		EmailAccessValidatedAt:   given(f, "email_access_validated_at", f.time("email_access_validated_at")),
		TakePartInResearch:       given(f, "take_part_in_research", f.flag("take_part_in_research", false)),
		ReceivesNewFeaturesEmail: given(f, "receives_new_features_email", f.flag("receives_new_features_email", false)),
		PlatformAdmin:            given(f, "platform_admin", f.flag("platform_admin", false)),
	}
	if c.PlatformAdmin != nil && *c.PlatformAdmin {
		f.refuse("platform_admin", "Cannot set platform_admin to True")
	}
	f.onlyKnown("name", "email_address", "mobile_number", "auth_type", "current_session_id", "email_access_validated_at",
		"take_part_in_research", "receives_new_features_email", "platform_admin", "updated_by")
	return c, f.err()
}

// given is nil for a field that the body leaves out.
func given[T any](f *form, name string, value T) *T {
	if _, ok := f.body.get(name); !ok {
		return nil
	}
	return &value
}

// tellUpdated tells a user, at the new address or else the new number, what
// somebody else changed.
func (a *API) tellUpdated(ctx context.Context, u *directory.User, c directory.UserChange, by *directory.User) error {
	if by == nil || c.EmailAddress == nil && c.MobileNumber == nil {
		return nil
	}
	m := authn.Message{
		Channel: message.Email, To: u.EmailAddress, Template: message.TeamMemberEditEmail, Language: u.Language,
		Personalisation: map[string]any{"name": u.Name, "servicemanagername": by.Name, "email address": u.EmailAddress},
	}
	if c.EmailAddress == nil {
		m.Channel, m.To, m.Template = message.SMS, u.MobileNumber, message.TeamMemberEditMobile
	}
	if m.To == "" {
		return errNoRecipient
	}
	return a.Messages.Send(ctx, m)
}

var errNoRecipient = fault(http.StatusBadRequest, "Recipient can't be empty")

// ActivateUser answers POST /user/{user_id}/activate.
func (a *API) ActivateUser(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "user_id")
	if err != nil {
		return err
	}
	u, err := a.Registry.ActivateUser(r.Context(), id, directory.CallerFrom(r.Context()).Actor())
	if errors.Is(err, directory.ErrActive) {
		return fault(http.StatusBadRequest, "User already active")
	}
	if err != nil {
		return err
	}
	return a.writeUser(w, r, http.StatusOK, u)
}

// ArchiveUser answers POST /user/{user_id}/archive.
func (a *API) ArchiveUser(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "user_id")
	if err != nil {
		return err
	}
	actor := directory.CallerFrom(r.Context()).Actor()
	err = a.Registry.ArchiveUser(r.Context(), id, a.domain(), actor, func(ctx context.Context) error {
		return a.Proofs.Disable(ctx, id)
	})
	if errors.Is(err, directory.ErrNeeded) {
		return fault(http.StatusBadRequest, "User cannot be removed from a service")
	}
	if err != nil {
		return err
	}
	return noContent(w, r)
}

// domain is of the addresses that stand in for those of archived users.
func (a *API) domain() string {
	u, err := url.Parse(a.Links.AdminURL)
	if err != nil || u.Hostname() == "" {
		return "localhost"
	}
	return u.Hostname()
}

// UserByEmail answers POST /user/email.
func (a *API) UserByEmail(w http.ResponseWriter, r *http.Request) error {
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	b, err := readAddress(v, validEmail)
	if err != nil {
		return err
	}
	u, err := a.Registry.UserOfAddress(r.Context(), b.email)
	if err != nil {
		return err
	}
	return a.writeUser(w, r, http.StatusOK, u)
}

// addressBody is what the routes read that begin with an address.
type addressBody struct{ email, next, adminBaseURL string }

func readAddress(v any, check func(string) string) (addressBody, error) {
	f, err := newForm(v)
	if err != nil {
		return addressBody{}, err
	}
	b := addressBody{
		email: f.text("email", required, check), next: f.text("next", optional, anyText), adminBaseURL: f.text("admin_base_url", optional, anyText),
	}
	return b, f.err()
}

// listedUser is a user as the search lists them.
type listedUser struct {
	EmailAddress *string   `json:"email_address"`
	ID           uuid.UUID `json:"id"`
	MobileNumber *string   `json:"mobile_number"`
	Name         string    `json:"name"`
}

// FindUsers answers POST /user/find-users-by-email.
func (a *API) FindUsers(w http.ResponseWriter, r *http.Request) error {
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	b, err := readAddress(v, anyText)
	if err != nil {
		return err
	}
	users, err := a.Registry.Store.FindUsers(r.Context(), b.email)
	if err != nil {
		return err
	}
	all := make([]listedUser, len(users))
	for i, u := range users {
		all[i] = listedUser{EmailAddress: orNull(u.EmailAddress), ID: u.ID, MobileNumber: orNull(u.MobileNumber), Name: u.Name}
	}
	return writeJSON(w, r, http.StatusOK, data{all})
}

// id returns a field that is a UUID or null.
func (f *form) id(name string) uuid.NullUUID {
	v, ok := f.value(name, nullable)
	if !ok {
		return uuid.NullUUID{}
	}
	if !isUUID(v) {
		f.refuse(name, "Not a valid UUID.")
		return uuid.NullUUID{}
	}
	return uuid.NullUUID{UUID: uuid.MustParse(v.(string)), Valid: true}
}

// instants are the spellings of ISO 8601 that a time is read in; without an
// offset it is in UTC.
var instants = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04",
}

// time returns a field that is a time.
func (f *form) time(name string) time.Time {
	v, ok := f.value(name, optional)
	if !ok {
		return time.Time{}
	}
	text, _ := v.(string)
	for _, layout := range instants {
		if t, err := time.Parse(layout, text); err == nil && !t.IsZero() {
			return t.UTC()
		}
	}
	f.refuse(name, "Not a valid datetime.")
	return time.Time{}
}

// onlyKnown refuses the first field that is none of names, unless another has a fault.
func (f *form) onlyKnown(names ...string) {
	if len(f.faults) > 0 {
		return
	}
	for _, m := range f.body {
		known := false
		for _, name := range names {
			known = known || m.name == name
		}
		if !known {
			f.refuse("_schema", "Unknown field name "+m.name)
			return
		}
	}
}
