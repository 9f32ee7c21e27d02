package oauth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

func (g *rig) registry() *directory.Registry {
	return &directory.Registry{Store: storage.Directory{DB: g.stores.DB}, Clock: g.clock.Now, NewID: uuid.New}
}

// organisation makes one with an e-mail branding.
func (g *rig) organisation(b directory.EmailBranding) *directory.Organisation {
	g.t.Helper()
	branding, err := g.registry().CreateEmailBranding(g.t.Context(), b, operator)
	if err != nil {
		g.t.Fatal(err)
	}
	o, err := g.registry().CreateOrganisation(g.t.Context(), directory.NewOrganisation{
		Name: "Organisation of " + b.Name, Type: directory.Central, EmailBrandingID: uuid.NullUUID{UUID: branding.ID, Valid: true},
	}, operator)
	if err != nil {
		g.t.Fatal(err)
	}
	return o
}

// TestPagesOfAClientCarryTheBrandOfItsOrganisation, and follow it within a minute.
func TestPagesOfAClientCarryTheBrandOfItsOrganisation(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		colour, text := "#1d70b8", "Ministry of Examples"
		org := g.organisation(directory.EmailBranding{Name: "examples", Colour: &colour, Text: &text, BrandType: "both"})
		g.client(oauth.Client{ID: "branded", GrantTypes: []string{"authorization_code"}, Metadata: oauth.Metadata{OrganisationID: org.ID.String()}})
		b := g.browser()
		b.signIn(g.alice, authn.ACRMulti)
		consent := b.authorize(request("branded")).location
		shows := func(what, name, colour string) {
			t.Helper()
			body := b.get(consent).body
			if strings.Contains(body, `gh-brand__name">`+name+`<`) != (name != "") || strings.Contains(body, "/branding/"+colour+".css") != (colour != "") {
				t.Errorf("%s: %s", what, body)
			}
		}
		shows("at first", text, "1d70b8")
		change := func(to func(b *directory.EmailBranding)) {
			t.Helper()
			if _, err := g.registry().ChangeEmailBranding(t.Context(), org.EmailBrandingID.UUID, to, operator); err != nil {
				t.Fatal(err)
			}
		}
		change(func(b *directory.EmailBranding) { b.Text, b.Colour = nil, nil })
		g.clock.Advance(time.Minute)
		shows("without text and colour", org.Name, "")
		change(func(b *directory.EmailBranding) { b.Text, b.Colour, b.BrandType = &text, &colour, "no_branding" })
		g.clock.Advance(time.Minute)
		shows("with no branding", org.Name, "")
		_, err := g.registry().ChangeOrganisation(t.Context(), org.ID, directory.OrganisationChange{
			Fields: []string{"active"}, Apply: func(o *directory.Organisation) { o.Active = false },
		}, operator)
		if err != nil {
			t.Fatal(err)
		}
		g.clock.Advance(time.Minute)
		if body := b.get(consent).body; strings.Contains(body, "gh-brand") || !strings.Contains(body, "<h1") {
			t.Errorf("of an organisation that is not active: %s", body)
		}
	})
}

func TestAClientBelongsToAnOrganisationThatThereIs(t *testing.T) {
	g := newReplica(t, storagetest.Open(t), newMoving())
	org := g.organisation(directory.EmailBranding{Name: "examples", BrandType: "org"}).ID.String()
	for id, accepted := range map[string]bool{
		org: true, "": true, uuid.NewString(): false, strings.ToUpper(org): false, uuid.Nil.String(): false, "Ministry": false,
	} {
		_, _, err := g.clients.Create(t.Context(), operator, oauth.Client{
			Name: "A service", GrantTypes: []string{"client_credentials"}, Metadata: oauth.Metadata{OrganisationID: id},
		})
		if accepted != (err == nil) || err != nil && !strings.Contains(err.Error(), "organisation_id: ") {
			t.Errorf("%q: %v", id, err)
		}
		document := oauth.ClientDocument{ClientID: "planned", ClientName: "A service", GrantTypes: []string{"client_credentials"}, Metadata: oauth.Metadata{OrganisationID: id}}
		if _, err := g.clients.Plan(t.Context(), []oauth.ClientDocument{document}, false); accepted != (err == nil) {
			t.Errorf("planned with %q: %v", id, err)
		}
	}
}
