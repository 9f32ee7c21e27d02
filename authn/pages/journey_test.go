package pages_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/authn"
	"gatehouse/authn/pages"
)

// walks take every step of these pages; those of package oauth are taken there.
var walks = []struct {
	step   pages.Step
	person person
	walk   func(v *visitor) *http.Response // up to the step
}{
	{pages.Step{From: pages.SigningIn, On: pages.CodeNeeded, To: pages.CodePage}, person{next: authn.SMSCode}, sent("/signin", credentials(""))},
	{pages.Step{From: pages.SigningIn, On: pages.KeyNeeded, To: pages.SecurityKeyPage}, person{next: authn.SecurityKey, keys: 1}, sent("/signin", credentials(""))},
	{pages.Step{From: pages.SigningIn, On: pages.SignedIn, To: pages.HomePage}, person{}, sent("/signin", credentials(""))},
	{pages.Step{From: pages.SigningIn, On: pages.SignedInFor, To: pages.ContinuePage}, person{}, from("/begin", "/signin", credentials("flow-1"))},
	{pages.Step{From: pages.SigningIn, On: pages.SignedInBefore, To: pages.AccountPage}, person{}, from("/account/services", "/signin", credentials(""))},
	{pages.Step{From: pages.SigningIn, On: pages.SignedInInvited, To: pages.InvitationPage}, person{invited: invited{to: aliceInvited(), account: true}}, func(v *visitor) *http.Response {
		sent("/invitation/good", url.Values{})(v)
		return sent("/signin", credentials(""))(v)
	}},
	{pages.Step{From: pages.EmailSignInPage, On: pages.MailSent, To: pages.EmailCodePage}, person{}, from("/begin", "/signin/email", credentials("flow-1"))},
	{pages.Step{From: pages.CodePage, On: pages.CodeSent, To: pages.CodePage}, person{next: authn.SMSCode}, signedInThen("/signin/resend", url.Values{})},
	{pages.Step{From: pages.CodePage, On: pages.Closed, To: pages.InvitationPage}, person{next: authn.SMSCode, invited: invited{to: aliceInvited(), closes: true}}, func(v *visitor) *http.Response {
		sent("/invitation/good", registration())(v)
		return sent("/signin/code", url.Values{"code": {rightCode}})(v)
	}},
	{pages.Step{From: pages.InvitationPage, On: pages.SignInNeeded, To: pages.SignInPage}, person{invited: invited{to: aliceInvited(), account: true}}, sent("/invitation/good", url.Values{})},
	{pages.Step{From: pages.InvitationPage, On: pages.Joined, To: pages.InvitationPage}, person{invited: invited{to: aliceInvited()}}, signedInThen("/invitation/good", url.Values{})},
	{pages.Step{From: pages.AccountPage, On: pages.SignInNeeded, To: pages.SignInPage}, person{}, sent("/account/name", url.Values{})},
	{pages.Step{From: pages.AccountPage, On: pages.ProofNeeded, To: pages.ConfirmPage}, person{stale: true}, signedInThen("/account/password", url.Values{})},
	{pages.Step{From: pages.AccountPage, On: pages.CodeSent, To: pages.AccountPage}, person{}, signedInThen("/account/mobile", url.Values{"mobile": {"07700 900456"}})},
	{pages.Step{From: pages.AccountPage, On: pages.Changed, To: pages.AccountPage}, person{}, signedInThen("/account/name", url.Values{"name": {"Ann"}})},
	{pages.Step{From: pages.SignOutPage, On: pages.SignedOut, To: pages.SignedOutPage}, person{}, sent("/signout", url.Values{})},
	{pages.Step{From: pages.SignOutPage, On: pages.SignedOutFor, To: pages.Service}, person{}, sent("/signout", url.Values{"client_id": {"forms"}, "post_logout_redirect_uri": {"https://rp.example.gov.uk/bye"}})},
}

func sent(path string, form url.Values) func(*visitor) *http.Response {
	return func(v *visitor) *http.Response {
		res, _ := v.do(http.MethodPost, path, form)
		return res
	}
}

func from(page, path string, form url.Values) func(*visitor) *http.Response {
	return func(v *visitor) *http.Response {
		v.do(http.MethodGet, page, nil)
		return sent(path, form)(v)
	}
}

func signedInThen(path string, form url.Values) func(*visitor) *http.Response {
	return func(v *visitor) *http.Response {
		sent("/signin", credentials(""))(v)
		return sent(path, form)(v)
	}
}

// ofOAuth reports whether package oauth takes a step.
func ofOAuth(step pages.Step, parts map[pages.Page]pages.Page) bool {
	return step.From == pages.Deciding || step.From == pages.DevicePage || parts[step.From] == pages.Deciding
}

// TestEveryStepOfAPageIsTaken: those that the journey has, each where it says.
func TestEveryStepOfAPageIsTaken(t *testing.T) {
	taken := map[pages.Step]bool{}
	steps, parts := pages.Journey()
	for i := range walks {
		c := &walks[i]
		t.Run(string(c.step.From)+" "+string(c.step.On), func(t *testing.T) {
			res := c.walk(visit(t, serve(t, &c.person)))
			last := c.person.steps.Last()
			if last.On != c.step.On || last.From != c.step.From && parts[last.From] != c.step.From {
				t.Errorf("took %v", last)
			}
			to, _, _ := strings.Cut(string(c.step.To), "{")
			if c.step.To == pages.Service {
				to = "https://rp.example.gov.uk"
			}
			if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got, to) {
				t.Errorf("%d to %q", res.StatusCode, got)
			}
			taken[c.step] = true
		})
	}
	for _, step := range steps {
		if !taken[step] && !ofOAuth(step, parts) {
			t.Errorf("no walk takes %v", step)
		}
		delete(taken, step)
	}
	if len(taken) > 0 {
		t.Errorf("not in the journey: %v", taken)
	}
}

// TestOnlyTheJourneyRedirects: what leads a browser on is nowhere but in its
// table, except for the choice of a language, which changes no page.
func TestOnlyTheJourneyRedirects(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if file == "journey.go" || file == "language.go" || strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, mark := range []string{"redirect(", `"Location"`, "StatusSeeOther", "http.Redirect"} {
			if strings.Contains(string(source), mark) {
				t.Errorf("%s holds %s", file, mark)
			}
		}
	}
}
