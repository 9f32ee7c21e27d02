package notify

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// notifyService is upstream's own service, whose members may use security keys.
var notifyService = uuid.MustParse("d6aa2c68-a2d9-4437-ab19-3ae8eb202553")

// user is the full user of the API: twenty keys in alphabetical order.
type user struct {
	AuthType                 directory.AuthType     `json:"auth_type"`
	CanUseWebAuthn           bool                   `json:"can_use_webauthn"`
	CreatedAt                instant                `json:"created_at"`
	CurrentSessionID         uuid.NullUUID          `json:"current_session_id"`
	EmailAccessValidatedAt   instant                `json:"email_access_validated_at"`
	EmailAddress             *string                `json:"email_address"`
	FailedLoginCount         int                    `json:"failed_login_count"`
	ID                       uuid.UUID              `json:"id"`
	LoggedInAt               instant                `json:"logged_in_at"`
	MobileNumber             *string                `json:"mobile_number"`
	Name                     string                 `json:"name"`
	OrganisationPermissions  map[uuid.UUID][]string `json:"organisation_permissions"`
	Organisations            []uuid.UUID            `json:"organisations"`
	PasswordChangedAt        plainInstant           `json:"password_changed_at"`
	Permissions              map[uuid.UUID][]string `json:"permissions"`
	PlatformAdmin            bool                   `json:"platform_admin"`
	ReceivesNewFeaturesEmail bool                   `json:"receives_new_features_email"`
	Services                 []uuid.UUID            `json:"services"`
	State                    directory.State        `json:"state"`
	TakePartInResearch       bool                   `json:"take_part_in_research"`
}

func userOf(u *directory.User, m directory.Memberships) user {
	return user{
		AuthType: u.AuthType, CanUseWebAuthn: canUseWebAuthn(u, m), CreatedAt: instant(u.CreatedAt),
		CurrentSessionID: u.CurrentSessionID, EmailAccessValidatedAt: instant(u.EmailAccessValidatedAt),
		EmailAddress: orNull(u.EmailAddress), FailedLoginCount: u.FailedLoginCount, ID: u.ID, LoggedInAt: instant(u.LoggedInAt),
		MobileNumber: orNull(u.MobileNumber), Name: u.Name, OrganisationPermissions: permissions(m.OrganisationPermissions),
		Organisations: list(m.Organisations), PasswordChangedAt: plainInstant(u.PasswordChangedAt),
		Permissions: permissions(m.ServicePermissions), PlatformAdmin: u.PlatformAdmin,
		ReceivesNewFeaturesEmail: u.ReceivesNewFeaturesEmail, Services: list(m.Services), State: u.State,
		TakePartInResearch: u.TakePartInResearch,
	}
}

func canUseWebAuthn(u *directory.User, m directory.Memberships) bool {
	return u.PlatformAdmin || u.AuthType == directory.WebAuthnAuth || slices.Contains(m.Services, notifyService)
}

// ShowUser answers GET /user/{user_id}.
func (a *API) ShowUser(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "user_id")
	if err != nil {
		return err
	}
	u, err := a.Registry.Store.User(r.Context(), id)
	if err != nil {
		return err
	}
	return a.writeUser(w, r, http.StatusOK, u)
}

func (a *API) writeUser(w http.ResponseWriter, r *http.Request, status int, u *directory.User) error {
	m, err := a.Registry.Store.MembershipsOf(r.Context(), u.ID)
	if err != nil {
		return err
	}
	return writeJSON(w, r, status, data{userSeen(r, u, m)})
}

// CreateUser answers POST /user. What only the server may set (id, counters,
// session) is ignored like any unknown key, but nobody is made a platform
// administrator here.
func (a *API) CreateUser(w http.ResponseWriter, r *http.Request) error {
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	n, password, err := a.newUser(v)
	if err != nil {
		return err
	}
	prepared, err := a.Passwords.PreparePassword(r.Context(), password)
	if err != nil {
		return err
	}
	actor := directory.CallerFrom(r.Context()).Actor()
	u, err := a.Registry.CreateUser(r.Context(), n, actor, func(ctx context.Context, u *directory.User) error {
		return a.Passwords.StorePassword(ctx, u.ID, prepared, actor)
	})
	if err != nil {
		return userFault(err)
	}
	return a.writeUser(w, r, http.StatusCreated, u)
}

func (a *API) newUser(v any) (directory.NewUser, string, error) {
	f, err := newForm(v)
	if err != nil {
		return directory.NewUser{}, "", err
	}
	n := directory.NewUser{
		Name:                 f.text("name", required, validName),
		EmailAddress:         f.text("email_address", required, validEmail),
		MobileNumber:         f.text("mobile_number", nullable, validMobile),
		AuthType:             directory.AuthType(f.text("auth_type", optional, oneOf("sms_auth", "email_auth", "webauthn_auth"))),
		State:                directory.State(f.text("state", optional, oneOf("pending", "active", "inactive"))),
		TakeNoPartInResearch: !f.flag("take_part_in_research", true),
		NoNewFeaturesEmail:   !f.flag("receives_new_features_email", true),
	}
	if f.flag("platform_admin", false) {
		f.refuse("platform_admin", "Cannot set platform_admin to True")
	}
	password := f.text("password", required, a.validPassword)
	if err := f.err(); err != nil {
		return directory.NewUser{}, "", err
	}
	if n.AuthType == "" {
		n.AuthType = directory.SMSAuth
	}
	if n.AuthType == directory.SMSAuth && n.MobileNumber == "" {
		return directory.NewUser{}, "", fault(http.StatusBadRequest, "Mobile number must be set if auth_type is set to sms_auth")
	}
	return n, password, nil
}

func (a *API) validPassword(password string) string {
	if err := a.Passwords.CheckNewPassword(password); err != nil {
		return err.Error()
	}
	return ""
}

// userFault words what the directory found wrong with a user as shape E2.
func userFault(err error) error {
	if conflict, ok := errors.AsType[*directory.ConflictError](err); ok {
		return fieldFault(conflict.Field, "This value is already in use by another user")
	}
	if field, ok := errors.AsType[*directory.FieldError](err); ok {
		if field.Reason == directory.NumberNeeded { // a rule of two fields
			return fault(http.StatusBadRequest, field.Reason)
		}
		return fieldFault(field.Field, field.Reason)
	}
	return err
}
