package oauth_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"gatehouse/directory"
)

// TestConsentsGivenAtOnceAreAllKept: each tab of a browser asks for something
// else, and none takes back what another was allowed.
func TestConsentsGivenAtOnceAreAllKept(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		const tabs = 16
		var want []string
		var wait sync.WaitGroup
		start := make(chan struct{})
		for i := range tabs {
			scope := fmt.Sprintf("scope-%02d", i)
			want = append(want, scope)
			wait.Go(func() {
				<-start
				err := g.server.Store.AddConsent(t.Context(), g.alice.ID, "conf", []string{scope, "openid"}, g.clock.Now())
				if err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		wait.Wait()
		got := g.allowed(g.alice, "conf")
		slices.Sort(got)
		if want = append([]string{"openid"}, want...); !slices.Equal(got, want) {
			t.Errorf("allowed %q", got)
		}
	})
}

// allowed are the scopes that a user has allowed a client.
func (g *rig) allowed(u *directory.User, clientID string) []string {
	g.t.Helper()
	used, err := g.server.Store.UsedClients(g.t.Context(), u.ID, g.clock.Now())
	if err != nil {
		g.t.Fatal(err)
	}
	for _, c := range used {
		if c.ID == clientID {
			return c.Scopes
		}
	}
	return nil
}
