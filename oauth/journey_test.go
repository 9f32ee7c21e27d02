package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/authn/pages"
)

// walks take every step of an authorization and of a device's code; those of the
// pages are taken by the tests of package pages.
var walks = []struct {
	step pages.Step
	walk func(g *rig, b *browser) *answer // up to the step
}{
	{pages.Step{From: pages.Deciding, On: pages.SignInNeeded, To: pages.SignInPage}, func(g *rig, _ *browser) *answer {
		return g.browser().authorize(request("conf"))
	}},
	{pages.Step{From: pages.Deciding, On: pages.ChoiceNeeded, To: pages.SelectAccountPage}, func(_ *rig, b *browser) *answer {
		return b.authorize(request("conf", "prompt", "select_account"))
	}},
	{pages.Step{From: pages.Deciding, On: pages.ConsentNeeded, To: pages.ConsentPage}, func(_ *rig, b *browser) *answer {
		return b.authorize(request("third"))
	}},
	{pages.Step{From: pages.Deciding, On: pages.SessionUnseen, To: pages.ContinuePage}, func(g *rig, _ *browser) *answer {
		return g.browser().do(http.MethodPost, "/oauth/authorize", request("conf"))
	}},
	{pages.Step{From: pages.Deciding, On: pages.Answered, To: pages.Service}, func(_ *rig, b *browser) *answer {
		return b.authorize(request("conf"))
	}},
	{pages.Step{From: pages.ConsentPage, On: pages.SessionEnded, To: pages.ContinuePage}, func(_ *rig, b *browser) *answer {
		flow := b.authorize(request("third")).flow("/consent")
		delete(b.cookies, authn.SessionCookie)
		return b.get("/consent?flow=" + flow)
	}},
	{pages.Step{From: pages.SelectAccountPage, On: pages.AnotherAccount, To: pages.SignInPage}, func(_ *rig, b *browser) *answer {
		flow := b.authorize(request("conf", "prompt", "select_account")).flow("/select-account")
		return b.do(http.MethodPost, "/select-account", url.Values{"flow": {flow}, "account": {"another"}})
	}},
	{pages.Step{From: pages.ContinuePage, On: pages.DeviceCodeNeeded, To: pages.DevicePage}, func(g *rig, b *browser) *answer {
		delete(b.cookies, authn.SessionCookie)
		flow := b.get("/device").flow("/signin")
		b.signIn(g.alice, authn.ACRSingle)
		return b.get("/oauth/continue?flow=" + flow)
	}},
	{pages.Step{From: pages.DevicePage, On: pages.SignInNeeded, To: pages.SignInPage}, func(g *rig, _ *browser) *answer {
		return g.browser().get("/device")
	}},
	{pages.Step{From: pages.DevicePage, On: pages.DeviceFound, To: pages.ConsentPage}, func(g *rig, b *browser) *answer {
		_, shown := g.begun("tv")
		return b.enter(shown)
	}},
}

// TestEveryStepOfAnAuthorizationIsTaken: those that the journey has, each where it says.
func TestEveryStepOfAnAuthorizationIsTaken(t *testing.T) {
	steps, parts := pages.Journey()
	each(t, func(t *testing.T, g *rig) {
		taken := map[pages.Step]bool{}
		for _, c := range walks {
			b := g.signedIn()
			g.clock.Advance(time.Second)
			got := c.walk(g, b)
			last := g.steps.Last()
			if last.On != c.step.On || last.From != c.step.From && parts[last.From] != c.step.From {
				t.Errorf("%v: took %v", c.step, last)
			}
			to := string(c.step.To)
			if c.step.To == pages.Service {
				to = callback
			}
			if got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, to) {
				t.Errorf("%v: %d to %q", c.step, got.status, got.location)
			}
			taken[c.step] = true
		}
		for _, step := range steps {
			ours := step.From == pages.Deciding || step.From == pages.DevicePage || parts[step.From] == pages.Deciding
			if ours && !taken[step] {
				t.Errorf("no walk takes %v", step)
			}
		}
	})
}
