package storage_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// value makes a table with one column of a type, given for both engines, and
// runs test with it.
func value(t *testing.T, postgresType, sqliteType string, test func(t *testing.T, db *storage.DB)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		statement := "create table value (n bigint, v " + postgresType + ")"
		if s.DB.Engine == storage.SQLite {
			statement = "create table value (n integer, v " + sqliteType + ") strict"
		}
		if _, err := s.DB.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		test(t, s.DB)
	})
}

// through writes a value and reads it back.
func through(t *testing.T, db *storage.DB, in, out any) {
	t.Helper()
	if err := db.Row(t.Context(), "insert into value (v) values ($1) returning v", []any{in}, out); err != nil {
		t.Errorf("%v: %v", in, err)
	}
}

func TestTimesComeBackAsTheyWere(t *testing.T) {
	value(t, "bigint", "integer", func(t *testing.T, db *storage.DB) {
		for _, in := range []time.Time{
			time.Date(2026, 3, 29, 1, 30, 0, 123456000, time.UTC),
			time.Date(2026, 10, 25, 1, 30, 0, 1000, time.FixedZone("BST", 3600)),
			time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC),
			time.Date(1900, 1, 1, 0, 0, 0, 0, time.FixedZone("", -11*3600-1800)),
			time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
			time.UnixMicro(0),
			{},
		} {
			out := time.Now()
			through(t, db, in, storage.TimeInto(&out))
			if !out.Equal(in) || !in.IsZero() && out.Location() != time.UTC {
				t.Errorf("%v came back as %v", in, out)
			}
		}
	})
}

func TestTimesCompareAcrossZones(t *testing.T) {
	value(t, "bigint", "integer", func(t *testing.T, db *storage.DB) {
		noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		east, west := time.FixedZone("", 13*3600), time.FixedZone("", -11*3600)
		for n, at := range []time.Time{noon.In(east), noon.Add(time.Microsecond).In(west), noon.Add(-time.Microsecond).In(east)} {
			if _, err := db.Exec(t.Context(), "insert into value (n, v) values ($1, $2)", n, at); err != nil {
				t.Fatal(err)
			}
		}
		var later []int
		err := db.Rows(t.Context(), "select n from value where v >= $1 order by v desc", []any{noon.In(west)},
			func(scan func(dest ...any) error) error {
				var n int
				err := scan(&n)
				later = append(later, n)
				return err
			})
		if diff := cmp.Diff([]int{1, 0}, later); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

func TestTextsAndListsComeBackAsTheyWere(t *testing.T) {
	value(t, "text", "text", func(t *testing.T, db *storage.DB) {
		for _, in := range [][]string{{"a"}, {"b", "", `"quoted", and more`, "ü — 漢字 🔑"}, nil} {
			out := []string{"old"}
			through(t, db, in, storage.ListInto(&out))
			if diff := cmp.Diff(in, out); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		for _, in := range []string{"x", "", "O'Brien; drop table value --", "%_\\"} {
			out := "old"
			through(t, db, storage.Nullable(in), storage.StringInto(&out))
			if out != in {
				t.Errorf("%q came back as %q", in, out)
			}
		}
		var nulls int
		if err := db.Row(t.Context(), "select count(*) from value where v is null", nil, &nulls); err != nil || nulls != 1 {
			t.Errorf("%d NULLs, %v; want the empty text alone", nulls, err)
		}
	})
}

func TestOtherValuesComeBackAsTheyWere(t *testing.T) {
	t.Run("boolean", func(t *testing.T) {
		value(t, "boolean", "integer", func(t *testing.T, db *storage.DB) {
			for _, in := range []bool{true, false} {
				var out bool
				through(t, db, in, &out)
				if out != in {
					t.Errorf("%v came back as %v", in, out)
				}
			}
			var n int
			if err := db.Row(t.Context(), "select count(*) from value where v", nil, &n); err != nil || n != 1 {
				t.Errorf("%d are true, %v", n, err)
			}
		})
	})
	t.Run("bytes", func(t *testing.T) {
		value(t, "bytea", "blob", func(t *testing.T, db *storage.DB) {
			for _, in := range [][]byte{{0, 1, 0xff}, {}, nil} {
				out := []byte("old")
				through(t, db, in, &out)
				if !bytes.Equal(in, out) {
					t.Errorf("%v came back as %v", in, out)
				}
			}
			var nulls int
			if err := db.Row(t.Context(), "select count(*) from value where v is null", nil, &nulls); err != nil || nulls != 1 {
				t.Errorf("%d NULLs, %v; want nil alone", nulls, err)
			}
		})
	})
	t.Run("uuid", func(t *testing.T) {
		value(t, "uuid", "text", func(t *testing.T, db *storage.DB) {
			for _, in := range []uuid.NullUUID{{UUID: uuid.New(), Valid: true}, {}} {
				out := uuid.NullUUID{UUID: uuid.New(), Valid: true}
				through(t, db, in, &out)
				if out.Valid != in.Valid || in.Valid && out != in {
					t.Errorf("%v came back as %v", in, out)
				}
			}
		})
	})
}

// Pages are read by the last row seen, which may share its first key with others.
func TestPagesByRowValuesMissNothing(t *testing.T) {
	value(t, "text", "text", func(t *testing.T, db *storage.DB) {
		var want []string
		for _, v := range []string{"a", "b", "c"} {
			for n := range 4 {
				if _, err := db.Exec(t.Context(), "insert into value (n, v) values ($1, $2)", n, v); err != nil {
					t.Fatal(err)
				}
				want = append(want, v+string(rune('0'+n)))
			}
		}
		var got []string
		lastV, lastN := "", -1
		for {
			seen := len(got)
			err := db.Rows(t.Context(), "select v, n from value where (v, n) > ($1, $2) order by v, n limit 5", []any{lastV, lastN},
				func(scan func(dest ...any) error) error {
					err := scan(&lastV, &lastN)
					got = append(got, lastV+string(rune('0'+lastN)))
					return err
				})
			if err != nil {
				t.Fatal(err)
			}
			if len(got) == seen {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
