package pages

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

const dataPath = accountPath + "/data"

// Users is what the pages of an account need of the directory.
type Users interface {
	// UpdateUser runs also in the transaction of the change, when it is not nil.
	UpdateUser(ctx context.Context, id uuid.UUID, c directory.UserChange, actor directory.Actor, also func(ctx context.Context, u *directory.User) error) (*directory.User, error)
	// ArchiveUser returns directory.ErrNeeded for somebody a service cannot do without.
	ArchiveUser(ctx context.Context, id uuid.UUID, domain string, actor directory.Actor, also func(ctx context.Context) error) error
	// MayMoveTo returns directory.ErrForbidden for an address with which somebody's
	// teams would no longer count them.
	MayMoveTo(ctx context.Context, u *directory.User, address string) error
	// TeamsOf names the organisations and services that a user belongs to.
	TeamsOf(ctx context.Context, id uuid.UUID) (organisations, services []string, err error)
}

// heldData is everything that is kept about a person and is not a secret.
type heldData struct {
	ID               uuid.UUID      `json:"id"`
	Name             string         `json:"name"`
	Username         string         `json:"username,omitempty"`
	EmailAddress     string         `json:"email_address,omitempty"`
	MobileNumber     string         `json:"mobile_number,omitempty"`
	SignInBy         string         `json:"auth_type"`
	Roles            []string       `json:"roles,omitempty"`
	CreatedAt        time.Time      `json:"created_at"`
	SignedInAt       time.Time      `json:"logged_in_at,omitzero"`
	PasswordChanged  time.Time      `json:"password_changed_at,omitzero"`
	EmailProved      time.Time      `json:"email_access_validated_at,omitzero"`
	Language         string         `json:"language,omitempty"`
	TakesPart        bool           `json:"take_part_in_research"`
	NewFeaturesEmail bool           `json:"receives_new_features_email"`
	Organisations    []string       `json:"organisations"`
	Teams            []string       `json:"services"`
	Keys             []heldKey      `json:"passkeys"`
	App              bool           `json:"authenticator_app"`
	RecoveryCodes    int            `json:"recovery_codes_left"`
	Sessions         []heldSession  `json:"sessions"`
	Browsers         []heldBrowser  `json:"known_browsers"`
	UsedBy           []heldService  `json:"used_by"`
	Activity         []heldActivity `json:"activity"`
}

type heldKey struct {
	Name         string    `json:"name,omitempty"`
	Passwordless bool      `json:"passwordless"`
	AddedAt      time.Time `json:"added_at"`
	LastUsed     time.Time `json:"last_used,omitzero"`
}

type heldSession struct {
	Network   string    `json:"network,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
	Since     time.Time `json:"since"`
	SeenAt    time.Time `json:"last_used"`
}

// heldBrowser is a browser that the person is known by: a cookie there, and of it
// here nothing but when it was used.
type heldBrowser struct {
	Since    time.Time `json:"since"`
	SignedIn time.Time `json:"last_signed_in"`
}

type heldService struct {
	Name      string    `json:"name"`
	Allowed   []string  `json:"allowed"`
	AllowedAt time.Time `json:"allowed_at,omitzero"`
	LastUsed  time.Time `json:"last_used,omitzero"`
}

type heldActivity struct {
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	ByOther bool      `json:"by_somebody_else,omitempty"`
}

// data offers everything that is kept about the person.
func (p *Pages) data(w http.ResponseWriter, r *http.Request, a *account) error {
	view := p.accountFrame(p.frame(r, "account.data.title", &Flow{}), r, a)
	return p.render(w, http.StatusOK, "accountdata", view.Flow, view)
}

// submitData sends it, as a file to keep.
func (p *Pages) submitData(w http.ResponseWriter, r *http.Request, a *account) error {
	held, err := p.held(r.Context(), a)
	if err != nil {
		return err
	}
	document, err := json.MarshalIndent(held, "", "  ")
	if err != nil {
		return fmt.Errorf("encode data: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="account.json"`)
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(document) // the client has gone when this fails
	return nil
}

// mostHeldActivity bounds what is sent of what happened; older records are
// deleted in time.
const mostHeldActivity = 1000

func (p *Pages) held(ctx context.Context, a *account) (*heldData, error) {
	u := a.User
	held := &heldData{
		ID: u.ID, Name: u.Name, Username: u.Username, EmailAddress: u.EmailAddress, MobileNumber: u.MobileNumber, SignInBy: string(u.AuthType),
		Roles: u.Roles, CreatedAt: u.CreatedAt, SignedInAt: u.LoggedInAt, PasswordChanged: u.PasswordChangedAt, EmailProved: u.EmailAccessValidatedAt,
		Language: string(u.Language), TakesPart: u.TakePartInResearch, NewFeaturesEmail: u.ReceivesNewFeaturesEmail,
		Keys: []heldKey{}, Sessions: []heldSession{}, Browsers: []heldBrowser{}, UsedBy: []heldService{}, Activity: []heldActivity{},
	}
	var err error
	if held.Organisations, held.Teams, err = p.Users.TeamsOf(ctx, u.ID); err != nil {
		return nil, err
	}
	for _, add := range []func(context.Context, *Pages, uuid.UUID) error{held.addFactors, held.addUses, held.addActivity} {
		if err := add(ctx, p, u.ID); err != nil {
			return nil, err
		}
	}
	return held, nil
}
