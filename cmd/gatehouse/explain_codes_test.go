package main

import (
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatehouse/oauth"
)

// unexplained are the codes that no request of TestEveryCodeIsExplained is told.
var unexplained = map[string]string{
	"authorization_pending":      "told all day to devices in order, and not recorded",
	"slow_down":                  "the same",
	"use_dpop_nonce":             "told all day to clients in order, and not recorded",
	"account_selection_required": "nobody asks for it: prompt=none and select_account contradict each other, which is invalid_request",
}

// refusedRequest is an answer with a code, and what its explanation has to say.
type refusedRequest struct {
	res  response
	says string
}

// refusals has a request refused with each code. The person is signed in at rp.
func refusals(t *testing.T, d *deployment, s *server, j *journey, rp clientOutput) map[string]refusedRequest {
	t.Helper()
	other := d.client("--id", "other", "--grant", "authorization_code", "--redirect-uri", callback, "--scope", "openid")
	machine := d.client("--id", "machine", "--grant", "client_credentials", "--scope", "notify.usage")
	d.client("--id", "tv", "--public", "--grant", oauth.GrantDeviceCode, "--scope", "openid")
	authorize := func(b *http.Client, client string, pairs ...string) response {
		q := (&abuse{}).params(clientOutput{ClientID: client}, pairs...)
		return do(t, b, request(t, http.MethodGet, s.url+"/oauth/authorize?"+q.Encode(), nil))
	}
	ask := func(pairs ...string) response { return authorize(j.browser, "rp", pairs...) }
	token := func(grantType string, header ...string) response {
		r := request(t, http.MethodPost, s.url+"/oauth/token", url.Values{"grant_type": {grantType}, "code": {"x"}}, header...)
		r.SetBasicAuth(machine.ClientID, machine.ClientSecret)
		return do(t, http.DefaultClient, r)
	}
	register := func(body string) response {
		var initial struct {
			Token string `json:"initial_access_token"`
		}
		d.command("", &initial, "client", "initial-access-token", "--json")
		return do(t, http.DefaultClient, request(t, http.MethodPost, s.url+"/register", body, "Authorization", "Bearer "+initial.Token))
	}
	own := s.token(machine, "notify.usage")
	introspected := request(t, http.MethodPost, s.url+"/oauth/introspect", url.Values{"token": {"x"}})
	introspected.SetBasicAuth(machine.ClientID, machine.ClientSecret)
	all := map[string]refusedRequest{
		"invalid_request":                   {ask("code_challenge", ""), "code_challenge"},
		"unsupported_response_type":         {ask("response_type", "token"), "response type"},
		"invalid_scope":                     {ask("scope", "openid everything"), "everything"},
		"invalid_target":                    {ask("resource", "https://other.example"), "resource"},
		"request_not_supported":             {ask("request", "x"), "Request objects"},
		"request_uri_not_supported":         {ask("request_uri", "https://other.example"), "request_uri"},
		"registration_not_supported":        {ask("registration", "{}"), "registration"},
		"login_required":                    {authorize(newBrowser(t), "rp", "prompt", "none"), "has to sign in"},
		"consent_required":                  {authorize(j.browser, "other", "prompt", "none"), "has to consent"},
		"unmet_authentication_requirements": {ask("claims", `{"id_token":{"acr":{"essential":true,"value":"urn:gold"}}}`), "level"},
		"invalid_request_uri":               {ask("request_uri", "urn:ietf:params:oauth:request_uri:x"), "was not pushed by this client"},
		"unsupported_grant_type":            {token("password"), "grant type is not supported"},
		"unauthorized_client":               {token("authorization_code"), "not registered for this grant type"},
		"invalid_dpop_proof":                {token("client_credentials", "DPoP", "x"), "proof"},
		"invalid_client":                    {s.tokenAs("machine", "wrong", url.Values{"grant_type": {"client_credentials"}}), "the client secret is wrong"},
		"invalid_grant":                     {s.tokenAs(rp.ClientID, rp.ClientSecret, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}}), "not one that this service made"},
		"inactive":                          {do(t, http.DefaultClient, introspected), "no key of ours"},
		"invalid_token":                     {s.call("x", http.MethodGet, "/oauth/userinfo", nil), "no key of ours"},
		"insufficient_scope":                {s.call(own, http.MethodPost, "/authenticate", "{}"), "no scope or role of PROBATION_API__HMPPS_AUTH__AUTHENTICATE"},
		"invalid_client_metadata":           {register(`{"redirect_uris":"x"}`), "client metadata"},
		"invalid_redirect_uri":              {register(`{"redirect_uris":["http://other.example/cb"]}`), "redirect_uri"},
		"invalid_software_statement":        {register(`{"software_statement":"x"}`), "not supported"},
	}
	j.authorize(other, "openid")
	all["access_denied"] = refusedRequest{j.consent("deny"), "did not allow it"}
	maps.Copy(all, lateRefusals(t, s, j, rp))
	device := beginDevice(t, s)
	for n := 0; device.status == http.StatusOK && n < 1000; n++ {
		device = beginDevice(t, s)
	}
	all["temporarily_unavailable"] = refusedRequest{device, "the limit device-network is reached"}
	return all
}

func beginDevice(t *testing.T, s *server) response {
	t.Helper()
	return do(t, http.DefaultClient, request(t, http.MethodPost, s.url+"/oauth/device_authorization", url.Values{"client_id": {"tv"}, "scope": {"openid"}}))
}

// lateRefusals come when the clock of a development server has gone on.
func lateRefusals(t *testing.T, s *server, j *journey, rp clientOutput) map[string]refusedRequest {
	t.Helper()
	var device struct {
		Code string `json:"device_code"`
	}
	beginDevice(t, s).json(t, &device)
	j.authorize(rp, "openid offline_access notify.admin")
	_, got := s.exchange(rp, j.code())
	if res := do(t, http.DefaultClient, request(t, http.MethodPost, s.url+"/dev/clock", `{"advance":"61m"}`)); res.status != http.StatusOK {
		t.Fatalf("move the clock: %d %s", res.status, res.body)
	}
	_, old := s.refresh(rp, got.RefreshToken)
	poll := url.Values{"grant_type": {oauth.GrantDeviceCode}, "device_code": {device.Code}, "client_id": {"tv"}}
	return map[string]refusedRequest{
		"expired_token":                    {s.tokenAs("", "", poll), "has expired"},
		"insufficient_user_authentication": {s.call(old.AccessToken, http.MethodGet, "/organisations", nil), "recent sign-in"},
	}
}

// TestEveryCodeIsExplained: of each code that this service tells a client, an
// operator learns why, in words, by the id of the request.
func TestEveryCodeIsExplained(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, sqliteConfig(t))
	rp, person := d.relyingService("notify.admin"), d.person()
	s := d.start("dev")
	j := d.journey(s)
	j.authorize(rp, "openid offline_access notify.admin")
	j.signIn(person, 1)
	j.consent("accept")
	all := refusals(t, d, s, j, rp)
	for code, refused := range all {
		t.Run(code, func(t *testing.T) {
			text := d.explained(t, refused.res)
			if !strings.Contains(text, refused.says) || !strings.Contains(text, "was told "+code+"\n") {
				t.Errorf("%d, explained as %q", refused.res.status, text)
			}
		})
	}
	for _, code := range toldCodes(t) {
		if _, tried := all[code]; !tried && unexplained[code] == "" {
			t.Errorf("nobody has tried what %s is explained as", code)
		}
	}
}

// toldCodes are the error codes in the source of the protocol.
func toldCodes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(moduleRoot, "oauth", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	written := regexp.MustCompile(`(?:refuse\(|\b[cC]ode(?:: +| = )|putOff\(w, |NoteRefusal\(w, )"([a-z_]+)"`)
	var codes []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range written.FindAllStringSubmatch(string(content), -1) {
			codes = append(codes, found[1])
		}
	}
	slices.Sort(codes)
	if codes = slices.Compact(codes); len(codes) < 25 {
		t.Fatalf("only %d codes in the source: %v", len(codes), codes)
	}
	return codes
}
