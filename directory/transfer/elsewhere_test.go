package transfer_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/directory/transfer"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// crowd is a file of n people.
func crowd(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"external_id":"%d","username":"person%d","name":"Person %d"}`+"\n", i, i, i)
	}
	return b.String()
}

// TestOneOfTwoImportsOfAFileGoesOn: the other is told that it is not alone, refuses
// nobody because of it, and everybody is here once.
func TestOneOfTwoImportsOfAFileGoesOn(t *testing.T) {
	const n = 2500
	text := crowd(n)
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		rigs := [2]*rig{newRig(t, s), newRig(t, s)}
		var errs [2]error
		var done [2]directory.ImportProgress
		start := make(chan struct{})
		var both sync.WaitGroup
		for k, r := range rigs {
			i := r.importer("legacy")
			if _, err := i.Start(t.Context(), "d"); err != nil {
				t.Fatal(err)
			}
			both.Go(func() {
				<-start
				done[k], errs[k] = i.Run(t.Context(), strings.NewReader(text), jsonLines)
			})
		}
		close(start)
		both.Wait()
		winner := 0
		if errs[0] != nil {
			winner = 1
		}
		if errs[winner] != nil || !errors.Is(errs[1-winner], transfer.ErrElsewhere) {
			t.Errorf("one must go on and the other stop: %v and %v", errs[0], errs[1])
		}
		if want := int64(n); done[winner].Records != want || done[winner].Created != want {
			t.Errorf("%+v", done[winner])
		}
		for _, r := range rigs {
			if len(r.rejected) > 0 {
				t.Errorf("refused %+v", r.rejected[0])
			}
		}
	})
}

// TestNewerFileSignsOutWhoIsInactiveNow: at once, and only them.
func TestNewerFileSignsOutWhoIsInactiveNow(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		r := newRig(t, s)
		text := crowd(2)
		r.run(r.importer("legacy"), "d", text, jsonLines)
		var tokens [2]string
		for n := range tokens {
			o := &authn.Outcome{User: r.user(fmt.Sprintf("person%d", n)), AMR: []string{"pwd"}, ACR: authn.ACRSingle, At: noon}
			token, _, err := r.authn.StartSession(t.Context(), o, authn.SessionInfo{})
			if err != nil {
				t.Fatal(err)
			}
			tokens[n] = token
		}
		newer := strings.Replace(text, `"name":"Person 0"`, `"name":"Person 0","enabled":false`, 1)
		if got, reasons := r.run(r.importer("legacy"), "d2", newer, jsonLines); got != "created 0, updated 1, unchanged 1, rejected 0 of 2" {
			t.Fatal(got, reasons)
		}
		if session, _, err := r.authn.Session(t.Context(), tokens[0]); err == nil {
			t.Errorf("who is inactive now still has a session: %+v", session)
		}
		if _, _, err := r.authn.Session(t.Context(), tokens[1]); err != nil {
			t.Errorf("the neighbour: %v", err)
		}
		if n := r.events("end_user_access"); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}
