package oauth_test

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"

	"gatehouse/directory"
	"gatehouse/oauth"
	"gatehouse/storage/storagetest"
)

// TestAClientRegistersItsNameInLanguages (RFC 7591 section 2.2): what it says is
// kept under the tags it gave, told again, and gone when it says so no more.
func TestAClientRegistersItsNameInLanguages(t *testing.T) {
	eachRegistry(t, func(t *testing.T, g *registry) {
		said := map[string]string{
			"client_name": "The shop", "client_name#cy": "Y siop", "client_name#ja-Hira-JP": "みせ", "client_uri#cy": "https://app.example.com/cy",
			"logo_uri#cy": "https://app.example.com/cy.png", "policy_uri#cy": "https://app.example.com/preifatrwydd", "tos_uri#CY-gb": "https://app.example.com/telerau",
		}
		asked := map[string]any{"redirect_uris": []string{callback}, "redirect_uris#cy": 1, "client_name#fr": "", "software_id#cy": "x"}
		for name, text := range said {
			asked[name] = text
		}
		first := g.register(asked)
		id, token := first.text("client_id"), first.text("registration_access_token")
		for _, got := range []*answer{first, g.call(http.MethodGet, "/register/"+id, token, nil)} {
			for name, text := range said {
				if got.text(name) != text {
					t.Errorf("%s is %q: %d %s", name, got.text(name), got.status, got.body)
				}
			}
			if strings.Count(got.body, "#") != len(said)-1 || got.text("registration_access_token") != token {
				t.Errorf("answered %s", got.body)
			}
		}
		c, err := g.clients.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if name := c.Named(); name.For(directory.Welsh) != "Y siop" || name.For(directory.English) != "The shop" {
			t.Errorf("named %+v", name)
		}
		replaced := g.call(http.MethodPut, "/register/"+id, token, map[string]any{"client_id": id, "redirect_uris": []string{callback}, "client_name#en": "A shop"})
		if replaced.status != http.StatusOK || replaced.text("client_name#en") != "A shop" || strings.Count(replaced.body, "#") != 1 {
			t.Errorf("%d %s", replaced.status, replaced.body)
		}
	})
}

func TestAMemberInALanguageIsRefusedWithItsReason(t *testing.T) {
	g := newRegistry(t, storagetest.Open(t))
	token := g.token(1)
	many := `{"redirect_uris":["` + callback + `"]`
	for c := 'a'; c < 'a'+21; c++ {
		many += `,"client_name#x` + string(c) + `":"Shop"`
	}
	for name, member := range map[string]string{
		"number": `"client_name#cy":1`, "list": `"client_name#cy":["Siop"]`, "no tag": `"client_name#":"Siop"`, "no language": `"client_name#c!":"Siop"`,
		"two tags": `"client_name#cy#en":"Siop"`, "twice": `"client_name#cy":"Siop","client_name#CY":"Shop"`, "same twice": `"client_name#cy":"a","client_name#cy":"b"`,
		"hidden": `"client_name#cy":"Si\u202eop"`, "long": `"client_name#cy":"` + strings.Repeat("x", 201) + `"`, "script": `"tos_uri#cy":"javascript:alert(1)"`,
	} {
		body := `{"redirect_uris":["` + callback + `"],` + member + `}`
		wantError(t, name, g.call(http.MethodPost, "/register", token, body), http.StatusBadRequest, "invalid_client_metadata")
	}
	wantError(t, "many", g.call(http.MethodPost, "/register", token, many+"}"), http.StatusBadRequest, "invalid_client_metadata")
}

// TestMergeKnowsATagInAnyLetterCase: an empty text takes away what was there.
func TestMergeKnowsATagInAnyLetterCase(t *testing.T) {
	stored := map[string]string{"client_name#cy": "Siop", "client_name#fr": "Boutique"}
	c := oauth.Client{ID: "shop", Name: "Shop", Localised: maps.Clone(stored)}
	document := c.Document()
	if err := document.Merge([]byte(`{"client_name#CY":" Y siop ","client_name#FR":"","client_name#en":"","client_name":"The shop"}`)); err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"client_name#CY": "Y siop"}; !maps.Equal(document.Localised, want) || document.ClientName != "The shop" {
		t.Errorf("%q %v", document.ClientName, document.Localised)
	}
	if !maps.Equal(c.Localised, stored) {
		t.Errorf("the client itself is changed: %v", c.Localised)
	}
	for _, object := range []string{`{"scope#cy":"openid"}`, `{"#":"x"}`, `{"client_name#cy":null,"x#":1}`} {
		if err := document.Merge([]byte(object)); err == nil {
			t.Errorf("%s was taken", object)
		}
	}
	cs := clientsOn(storagetest.Open(t), newMoving())
	_, _, err := cs.Create(t.Context(), operator, oauth.Client{Name: "A", GrantTypes: []string{"client_credentials"}, Localised: map[string]string{"scope#cy": "x"}})
	if fault := (*directory.FieldError)(nil); !errors.As(err, &fault) || fault.Field != "scope" {
		t.Errorf("created: %v", err)
	}
}

// TestADocumentsClientIsNamedWithItsHostInEveryLanguage: the name is the client's
// word, the host was checked.
func TestADocumentsClientIsNamedWithItsHostInEveryLanguage(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	withDocuments(g, publish(agent, agentDocument(agent, map[string]any{"client_name#cy": "Asiant", "tos_uri#cy": "https://agents.example.com/telerau"})), "agents.example.com")
	g.signedIn().allowAgent(agentRequest())
	c, err := g.clients.Get(t.Context(), agent)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Named().For(directory.Welsh); got != "Asiant (agents.example.com)" || c.Localised["tos_uri#cy"] != "https://agents.example.com/telerau" {
		t.Errorf("named %q, %v", got, c.Localised)
	}
}
