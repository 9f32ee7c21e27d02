package oauth_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
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
		got, err := g.server.Store.Consent(t.Context(), g.alice.ID, "conf")
		slices.Sort(got)
		if want = append([]string{"openid"}, want...); err != nil || !slices.Equal(got, want) {
			t.Errorf("allowed %q, %v", got, err)
		}
	})
}
