package transfer_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

const people = `
{"type":"organisation","external_id":"o1","name":"Ministry of Things","organisation_type":"central"}
{"type":"service","external_id":"s1","name":"Send things","organisation":"o1"}
{"external_id":"1","username":"ann","name":"Ann Person"}
{"type":"membership","external_id":"m1","user":"1","service":"s1","permissions":["manage_service"]}
{"type":"membership","external_id":"m2","user":"1","organisation":"Ministry of Things"}
{"type":"membership","external_id":"m3","user":"2","service":"s1"}
{"type":"membership","external_id":"m4","user":"1","service":"nowhere"}
{"type":"membership","external_id":"m5","user":"1","service":"s1","permissions":["fly"]}
{"type":"membership","external_id":"m6","user":"1"}
`

// TestMembershipsMayComeAfterTheirUsers: as records of their own, held to the same rules.
func TestMembershipsMayComeAfterTheirUsers(t *testing.T) {
	refused := []string{
		"7 m3: user: Is not here.",
		"8 m4: services: Of a service that is not here.",
		"9 m5: permissions: No such permission.",
		"10 m6: service: Say either an organisation or a service.",
	}
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		r := newRig(t, s)
		dry := r.importer("legacy")
		dry.DryRun = true
		if got, reasons := r.run(dry, "d", people, jsonLines); got != "created 5, updated 0, unchanged 0, rejected 4 of 9" || !cmp.Equal(reasons, refused) {
			t.Errorf("dry run: %s %q", got, reasons)
		}
		if got, reasons := r.run(r.importer("legacy"), "d", people, jsonLines); got != "created 5, updated 0, unchanged 0, rejected 4 of 9" || !cmp.Equal(reasons, refused) {
			t.Errorf("%s %q", got, reasons)
		}
		m, err := r.store.MembershipsOf(t.Context(), r.user("ann").ID)
		if err != nil || len(m.Organisations) != 1 || len(m.Services) != 1 || !slices.Equal(m.ServicePermissions[m.Services[0]], []string{"manage_users", "manage_settings"}) {
			t.Errorf("%+v, %v", m, err)
		}
		changed := `{"type":"membership","external_id":"m1","user":"1","service":"s1","permissions":["view_activity"]}`
		if got, reasons := r.run(r.importer("legacy"), "d2", changed, jsonLines); got != "created 0, updated 1, unchanged 0, rejected 0 of 1" {
			t.Error(got, reasons)
		}
		m, err = r.store.MembershipsOf(t.Context(), r.user("ann").ID)
		if err != nil || len(m.Services) != 1 || !slices.Equal(m.ServicePermissions[m.Services[0]], []string{"view_activity"}) {
			t.Errorf("%+v, %v", m, err)
		}
	})
}
