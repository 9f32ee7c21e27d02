package storage_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// eachEmpty runs test with databases that hold nothing yet.
func eachEmpty(t *testing.T, test func(t *testing.T, c storage.Config)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, storage.Config{Dir: t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) {
		c := storagetest.Postgres(t)
		conn, err := pgx.Connect(t.Context(), c.DatabaseURL)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), "drop schema public cascade; create schema public"); err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		test(t, c)
	})
}

func TestMigrateOnce(t *testing.T) {
	eachEmpty(t, func(t *testing.T, c storage.Config) {
		all := len(storage.MigrationTexts())
		if n, err := storage.PendingMigrations(t.Context(), c); err != nil || n != all {
			t.Errorf("%d pending, %v; want %d", n, err, all)
		}
		if applied, err := storage.Migrate(t.Context(), c); err != nil || len(applied) != all {
			t.Fatalf("applied %q, %v", applied, err)
		}
		if applied, err := storage.Migrate(t.Context(), c); err != nil || len(applied) != 0 {
			t.Errorf("the second time applied %q, %v", applied, err)
		}
		if n, err := storage.PendingMigrations(t.Context(), c); err != nil || n != 0 {
			t.Errorf("%d pending, %v", n, err)
		}
	})
}

func TestFiveProcessesMigrateAtOnce(t *testing.T) {
	eachEmpty(t, func(t *testing.T, c storage.Config) {
		var starts sync.WaitGroup
		var mu sync.Mutex
		total := 0
		for range 5 {
			starts.Go(func() {
				applied, err := storage.Migrate(t.Context(), c)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				total += len(applied)
			})
		}
		starts.Wait()
		if all := len(storage.MigrationTexts()); total != all {
			t.Errorf("applied %d migrations, want %d", total, all)
		}
	})
}

// lines collects the rows of a query with one text column.
func lines(t *testing.T, db *storage.DB, query string) []string {
	t.Helper()
	var all []string
	err := db.Rows(t.Context(), query, nil, func(scan func(dest ...any) error) error {
		var line string
		err := scan(&line)
		all = append(all, line)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// schema queries return one line for each thing, in the same words on both engines.
var schema = map[string]map[storage.Engine]string{
	"columns": {
		storage.PostgreSQL: `select table_name || '.' || column_name || ' ' ||
			case data_type when 'bigint' then 'integer' when 'boolean' then 'integer' when 'uuid' then 'text' when 'bytea' then 'blob' when 'double precision' then 'real' else data_type end ||
			case is_nullable when 'YES' then '' else ' not null' end
			from information_schema.columns where table_schema = 'public' and table_name <> 'goose_db_version' order by 1`,
		storage.SQLite: `select m.name || '.' || c.name || ' ' || lower(c.type) || case when c."notnull" or c.pk > 0 then ' not null' else '' end
			from sqlite_master m, pragma_table_info(m.name) c
			where m.type = 'table' and m.name not like 'sqlite_%' and m.name <> 'goose_db_version' order by 1`,
	},
	"indexes": {
		storage.PostgreSQL: `select i.relname || case when x.indisunique then ' unique' else '' end || case when x.indpred is null then '' else ' partial' end
			from pg_index x join pg_class i on i.oid = x.indexrelid join pg_namespace n on n.oid = i.relnamespace
			where n.nspname = 'public' and not x.indisprimary
			and i.relname not like '%\_trgm\_idx' -- SQLite has none of that kind
			order by 1`,
		storage.SQLite: `select i.name || case when i."unique" then ' unique' else '' end || case when i.partial then ' partial' else '' end
			from sqlite_master m, pragma_index_list(m.name) i
			where m.type = 'table' and i.origin <> 'pk' order by 1`,
	},
	"references": {
		storage.PostgreSQL: `select t.relname || '.' || a.attname || ' to ' || f.relname ||
			case c.confdeltype when 'c' then ' cascade' when 'n' then ' set null' else '' end
			from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_class f on f.oid = c.confrelid
			join pg_attribute a on a.attrelid = t.oid and a.attnum = any (c.conkey)
			where c.contype = 'f' order by 1`,
		storage.SQLite: `select m.name || '.' || f."from" || ' to ' || f."table" ||
			case f.on_delete when 'CASCADE' then ' cascade' when 'SET NULL' then ' set null' else '' end
			from sqlite_master m, pragma_foreign_key_list(m.name) f where m.type = 'table' order by 1`,
	},
}

func TestBothEnginesEndWithTheSameSchema(t *testing.T) {
	postgres := storagetest.OpenConfig(t, storagetest.Postgres(t)).DB
	sqlite := storagetest.Open(t).DB
	for what, query := range schema {
		// The engines order underscores differently.
		byText := func(all []string) map[string]bool {
			set := map[string]bool{}
			for _, line := range all {
				set[line] = true
			}
			return set
		}
		got, want := lines(t, sqlite, query[storage.SQLite]), lines(t, postgres, query[storage.PostgreSQL])
		if diff := cmp.Diff(byText(want), byText(got)); diff != "" || len(want) == 0 {
			t.Errorf("%s, PostgreSQL - and SQLite + of %d:\n%s", what, len(want), diff)
		}
	}
}

// PostgreSQL tells which index was violated and SQLite which columns. Both lead
// to the same field only when the index is named after its first column.
func TestUniqueIndexesAreNamedAfterTheirField(t *testing.T) {
	// One key of each state and algorithm; no caller is told the field.
	exceptions := []string{"signing_keys_active_key", "signing_keys_next_key"}
	found := lines(t, storagetest.Open(t).DB, `
		select m.name || ' ' || i.name || ' ' || c.name
		from sqlite_master m, pragma_index_list(m.name) i, pragma_index_info(i.name) c
		where m.type = 'table' and i."unique" and i.origin <> 'pk' and c.seqno = 0`)
	for _, line := range found {
		var table, index, column string
		if _, err := fmt.Sscan(line, &table, &index, &column); err != nil {
			t.Fatal(err)
		}
		if want := table + "_" + column + "_key"; index != want && !strings.Contains(strings.Join(exceptions, " "), index) {
			t.Errorf("unique index %s on %s should be %s", index, column, want)
		}
	}
	if len(found) < 5 {
		t.Errorf("only %d unique indexes found", len(found))
	}
}

func TestTablesAreStrict(t *testing.T) {
	loose := lines(t, storagetest.Open(t).DB, `select name from pragma_table_list
		where schema = 'main' and not strict and name not like 'sqlite_%' and name <> 'goose_db_version'`)
	if len(loose) > 0 {
		t.Errorf("not STRICT: %q", loose)
	}
}
