package storage_test

import (
	"strings"
	"testing"

	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// Tokens have no index in the order of their hashes on SQLite. Nothing that is
// done to one may look at all of them instead.
func TestNoTokenIsLookedForAmongAll(t *testing.T) {
	t.Parallel()
	db := storagetest.OpenConfig(t, storagetest.SQLite(t)).DB
	// What the foreign keys do when a grant or a client is deleted.
	cascades := []string{`delete from access_tokens where grant_id in ($1, $2)`, `delete from access_tokens where client_id in ($1, $2)`}
	for _, statement := range append(storage.TokenStatements(), cascades...) {
		steps := 0
		err := db.Rows(t.Context(), "explain query plan "+statement, []any{1, 2}, func(scan func(dest ...any) error) error {
			var id, parent, unused int
			var step string
			steps++
			err := scan(&id, &parent, &unused, &step)
			if strings.HasPrefix(step, "SCAN") {
				t.Errorf("%s: %s", statement, step)
			}
			return err
		})
		if err != nil || steps == 0 {
			t.Errorf("%s: %d steps, %v", statement, steps, err)
		}
	}
}
