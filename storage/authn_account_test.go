package storage_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// insertUser makes an account and nothing else.
func insertUser(t *testing.T, db *storage.DB) uuid.UUID {
	t.Helper()
	u := &directory.User{ID: uuid.New(), Name: "Ann Other", AuthType: directory.EmailAuth, State: directory.Active, CreatedAt: noon}
	if err := (storage.Directory{DB: db}).CreateUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	return u.ID
}

func rowsOf(t *testing.T, db *storage.DB, table string, user uuid.UUID) (n int) {
	t.Helper()
	if err := db.Row(t.Context(), "select count(*) from "+table+" where user_id = $1", []any{user}, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestFactorsGoWithTheAccount: whoever is archived keeps nothing to sign in with,
// and others keep theirs.
func TestFactorsGoWithTheAccount(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, stores *storage.Stores) {
		alice, bob := insertUser(t, stores.DB), insertUser(t, stores.DB)
		for i, id := range []uuid.UUID{alice, bob} {
			hash := []byte{byte(i)}
			for statement, args := range map[string][]any{
				`insert into totp_secrets (user_id, sealed, last_step, created_at) values ($1, $2, 0, 0)`:                   {id, hash},
				`insert into recovery_codes (hash, user_id, created_at) values ($1, $2, 0)`:                                 {hash, id},
				`insert into links (hash, purpose, user_id, sealed, created_at, expires_at) values ($1, 'x', $2, $1, 0, 1)`: {hash, id},
				`insert into known_browsers (id, user_id, token_hash, created_at, seen_at) values ($1, $2, $3, 0, 0)`:       {uuid.New(), id, hash},
			} {
				if _, err := stores.DB.Exec(t.Context(), statement, args...); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := (storage.Authn{DB: stores.DB}).DeleteFactors(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"totp_secrets", "recovery_codes", "links", "known_browsers"} {
			if got := rowsOf(t, stores.DB, table, alice); got != 0 {
				t.Errorf("%s: %d left", table, got)
			}
			if got := rowsOf(t, stores.DB, table, bob); got != 1 {
				t.Errorf("%s: %d of somebody else", table, got)
			}
		}
	})
}

func TestSessionIsEndedForItsOwnUserAlone(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, stores *storage.Stores) {
		alice, bob := insertUser(t, stores.DB), insertUser(t, stores.DB)
		store, now := storage.Authn{DB: stores.DB}, time.Now()
		s := &authn.Session{ID: uuid.New(), UserID: alice, AuthTime: now, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(time.Hour)}
		if err := store.CreateSession(t.Context(), s, []byte("hash"), ""); err != nil {
			t.Fatal(err)
		}
		if _, err := store.DeleteSessionOf(t.Context(), bob, s.ID); err == nil {
			t.Error("ended by somebody else")
		}
		if got, err := store.DeleteSessionOf(t.Context(), alice, s.ID); err != nil || got.ID != s.ID {
			t.Errorf("%v, %v", got, err)
		}
	})
}
