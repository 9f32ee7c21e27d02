package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/oauth"
)

// The demo's fixed identifiers, so that a second start finds the first one's data.
var (
	demoOrganisation = uuid.MustParse("de300000-0000-4000-8000-000000000001")
	demoService      = uuid.MustParse("de300000-0000-4000-8000-000000000002")
)

// demoData is what dev prints.
type demoData struct {
	issuer               string
	user, admin, delius  *directory.User
	password             string
	relying, api, legacy clientSecret
}

type clientSecret struct{ id, secret string }

// seedDemo creates what is missing of the demo: an organisation with a service,
// three users and three clients. Passwords follow from the data directory's
// root key, so they are not the same anywhere else; client secrets are new at
// every start.
func (a *app) seedDemo(ctx context.Context) (*demoData, error) {
	demo := &demoData{issuer: a.config.Issuer, password: a.demoPassword()}
	steps := []func(context.Context, *demoData) error{a.seedUsers, a.seedTeam, a.seedClients}
	for _, step := range steps {
		if err := step(ctx, demo); err != nil {
			return nil, err
		}
	}
	return demo, nil
}

// demoPassword is long enough for the policy and easy to type.
func (a *app) demoPassword() string {
	mac := hmac.New(sha256.New, a.keyring.Derive("demo"))
	text := strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil)))
	return strings.Join([]string{text[:4], text[4:8], text[8:12], text[12:16]}, "-")
}

func (a *app) seedUsers(ctx context.Context, demo *demoData) error {
	for _, u := range []struct {
		to  **directory.User
		new directory.NewUser
	}{
		{&demo.user, directory.NewUser{Name: "Demo User", EmailAddress: "demo.user@example.gov.uk", MobileNumber: "07700900123", State: directory.Active}},
		{&demo.admin, directory.NewUser{Name: "Demo Administrator", EmailAddress: "demo.admin@example.gov.uk", MobileNumber: "07700900456", State: directory.Active, PlatformAdmin: true}},
		{&demo.delius, directory.NewUser{Name: "Demo Delius", EmailAddress: "demo.delius@example.gov.uk", Username: "demo.delius", Roles: []string{"ABC001"}, State: directory.Active}},
	} {
		existing, err := a.registry.Store.UsersByEmail(ctx, u.new.EmailAddress)
		if err != nil {
			return err
		}
		if len(existing) > 0 {
			*u.to = existing[0]
			continue
		}
		if *u.to, err = a.createUser(ctx, u.new, demo.password); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) seedTeam(ctx context.Context, demo *demoData) error {
	store := a.registry.Store
	if _, err := store.Organisation(ctx, demoOrganisation); !errors.Is(err, directory.ErrNotFound) {
		return err
	}
	crown := true
	colour := "#1d70b8"
	branding, err := a.registry.CreateEmailBranding(ctx, directory.EmailBranding{Name: "Demo Organisation", Colour: &colour, BrandType: "org"}, operator)
	if err != nil {
		return err
	}
	_, err = a.registry.CreateOrganisation(ctx, directory.NewOrganisation{
		ID: demoOrganisation, Name: "Demo Organisation", Crown: &crown, Type: directory.Central, EmailBrandingID: uuid.NullUUID{UUID: branding.ID, Valid: true},
	}, operator)
	if err != nil {
		return err
	}
	now := a.clock.Now()
	return store.InTx(ctx, func(ctx context.Context) error {
		err := store.CreateService(ctx, &directory.Service{
			ID: demoService, Name: "Demo Service", Active: true, OrganisationID: uuid.NullUUID{UUID: demoOrganisation, Valid: true},
			OrganisationType: directory.Central, Crown: &crown, Permissions: []string{"sms", "email", "letter"},
			EmailMessageLimit: 1000, SMSMessageLimit: 1000, LetterMessageLimit: 1000, CreatedBy: uuid.NullUUID{UUID: demo.admin.ID, Valid: true}, CreatedAt: now,
		})
		if err != nil {
			return err
		}
		for _, user := range []*directory.User{demo.user, demo.admin} {
			member := directory.Membership{UserID: user.ID, Of: demoService, Permissions: []string{"manage_users", "manage_settings", "view_activity"}, CreatedAt: now}
			if err := store.AddServiceMember(ctx, member); err != nil {
				return err
			}
		}
		return store.AddOrganisationMember(ctx, directory.Membership{UserID: demo.user.ID, Of: demoOrganisation, Permissions: []string{"can_make_services_live"}, CreatedAt: now})
	})
}

func (a *app) seedClients(ctx context.Context, demo *demoData) error {
	for _, c := range []struct {
		to  *clientSecret
		new oauth.Client
	}{
		{&demo.relying, oauth.Client{
			ID: "demo", Name: "Demo relying service", GrantTypes: []string{"authorization_code", "refresh_token"},
			Scopes: []string{"openid", "profile", "email", "phone", "offline_access", "notify.admin"}, RedirectURIs: []string{demo.issuer + "/demo/callback"},
			Metadata: oauth.Metadata{OrganisationID: demoOrganisation.String()},
		}},
		{&demo.api, oauth.Client{ID: "demo-api", Name: "Demo directory caller", GrantTypes: []string{"client_credentials"}, Scopes: []string{"notify.admin"}}},
		{&demo.legacy, oauth.Client{
			ID: "demo-legacy", Name: "Demo legacy caller", GrantTypes: []string{"client_credentials"},
			Roles: []string{"PROBATION_API__HMPPS_AUTH__AUTHENTICATE", "PROBATION_API__HMPPS_AUTH__USER_DETAILS", "PROBATION_API__HMPPS_AUTH__PASSWORD__RW"},
		}},
	} {
		// A start on another port has another redirect URI: make the client anew.
		if err := a.clients.Delete(ctx, operator, c.new.ID); err != nil && !errors.Is(err, directory.ErrNotFound) {
			return err
		}
		client, secret, err := a.clients.Create(ctx, operator, c.new)
		if err != nil {
			return err
		}
		*c.to = clientSecret{client.ID, secret}
	}
	return nil
}

// print tells a newcomer where to go.
func (d *demoData) print(w io.Writer, addr string) {
	token := `curl -s -u %s:%s -d grant_type=client_credentials %s/oauth/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/'`
	fmt.Fprintf(w, "listening on http://%s\n\n", addr)
	fmt.Fprintf(w, "Gatehouse is serving its demo.\n\n")
	fmt.Fprintf(w, "  issuer        %s\n  discovery     %s/.well-known/openid-configuration\n", d.issuer, d.issuer)
	fmt.Fprintf(w, "  sign in       %s/demo   (a small relying service; open it in a browser)\n", d.issuer)
	fmt.Fprintf(w, "  messages      %s/dev/outbox   (codes arrive here)\n", d.issuer)
	fmt.Fprintf(w, "  move time     curl -s -H 'Content-Type: application/json' -d '{\"advance\":\"61m\"}' %s/dev/clock\n\n", d.issuer)
	fmt.Fprintf(w, "Users, all with the password %s\n", d.password)
	fmt.Fprintf(w, "  %-28s password, then a text message code\n", d.user.EmailAddress)
	fmt.Fprintf(w, "  %-28s the same, platform administrator\n", d.admin.EmailAddress)
	fmt.Fprintf(w, "  %-28s Delius user %d, role ABC001\n\n", d.delius.Username, d.delius.Number)
	fmt.Fprintf(w, "Authenticate as a legacy caller does:\n\n")
	fmt.Fprintf(w, "  TOKEN=$("+token+")\n", d.legacy.id, d.legacy.secret, d.issuer)
	fmt.Fprintf(w, "  curl -i -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -d '{\"username\":\"%s\",\"password\":\"%s\"}' %s/authenticate\n\n", d.delius.Username, d.password, d.issuer)
	fmt.Fprintf(w, "Read the directory:\n\n")
	fmt.Fprintf(w, "  TOKEN=$("+token+")\n", d.api.id, d.api.secret+" -d scope=notify.admin", d.issuer)
	fmt.Fprintf(w, "  curl -s -H \"Authorization: Bearer $TOKEN\" %s/user/%s\n", d.issuer, d.user.ID)
	fmt.Fprintf(w, "  curl -s -H \"Authorization: Bearer $TOKEN\" %s/organisation/%s\n\n", d.issuer, demoOrganisation)
}
