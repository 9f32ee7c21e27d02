package oauth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"gatehouse/oauth"
)

func TestDiscoveryIgnoresTheHost(t *testing.T) {
	d := oauth.NewDiscovery("https://id.example.org/tenant", false)
	r := httptest.NewRequest(http.MethodGet, "http://evil.example/.well-known/openid-configuration", nil)
	for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Prefix", "Forwarded", "X-Original-Url"} {
		r.Header.Set(name, "evil.example")
	}
	w := httptest.NewRecorder()
	if err := d.Metadata(w, r); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(w.Body.String(), "evil") {
		t.Error("the document repeats what the request says")
	}
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		t.Fatal(err)
	}
	if m["issuer"] != "https://id.example.org/tenant" {
		t.Errorf("issuer is %v", m["issuer"])
	}
	for name, value := range m {
		endpoint, ok := value.(string)
		if ok && !strings.HasPrefix(endpoint, "https://id.example.org/tenant") {
			t.Errorf("%s is %s", name, endpoint)
		}
	}
	for _, absent := range []string{"check_session_iframe", "frontchannel_logout_supported", "frontchannel_logout_session_supported"} {
		if _, there := m[absent]; there {
			t.Errorf("%s is advertised", absent)
		}
	}
}

func TestDiscoveryIsWhereBothSpecificationsLook(t *testing.T) {
	for issuer, want := range map[string][]string{
		"https://id.example.org": {"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"},
		"https://id.example.org/t": {
			"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server",
			"/t/.well-known/openid-configuration", "/.well-known/openid-configuration/t", "/.well-known/oauth-authorization-server/t",
		},
	} {
		if got := oauth.NewDiscovery(issuer, false).Paths(); !slices.Equal(got, want) {
			t.Errorf("%s: %v", issuer, got)
		}
	}
}
