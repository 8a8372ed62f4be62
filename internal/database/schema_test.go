package database

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
)

// steps are migrations that build on each other.
func steps(n int) fs.FS {
	all := []struct{ name, sql string }{
		{"0001_numbers.sql", "CREATE TABLE number (id INTEGER PRIMARY KEY, text TEXT, body BLOB)"},
		{"0002_more.sql", "ALTER TABLE number ADD COLUMN more TEXT; UPDATE number SET more = text || '!'"},
		{"0003_broken.sql", "CREATE TABLE other (id INTEGER); INSERT INTO nowhere VALUES (1)"},
	}
	files := fstest.MapFS{}
	for _, m := range all[:n] {
		files[m.name] = &fstest.MapFile{Data: []byte(m.sql)}
	}
	return files
}

func TestMigrationsUpgradeAnOlderDatabase(t *testing.T) {
	o := testOptions(t, t.TempDir())
	o.Migrations = steps(1)
	d := open(t, o)
	mustInsert(t, d, 1, 3)
	_ = d.Close()
	o.Migrations = steps(2)
	d = open(t, o)
	err := d.View(t.Context(), func(c *Conn) error {
		n, _, err := c.Number("SELECT count(*) FROM number WHERE more = text || '!'")
		if n != 3 {
			t.Errorf("%d rows were migrated, want 3", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAMigrationThatFailsChangesNothing(t *testing.T) {
	o := testOptions(t, t.TempDir())
	o.Migrations = steps(3)
	if _, err := Open(t.Context(), o); err == nil {
		t.Fatal("a broken migration is no error")
	}
	o.Migrations = steps(2) // what came before it has been carried out
	d := open(t, o)
	err := d.Update(func(c *Conn) error { return c.script("CREATE TABLE other (id INTEGER)") })
	if err != nil {
		t.Errorf("a part of the broken migration is there: %v", err)
	}
}

func TestMigrationsAreNumberedWithoutGaps(t *testing.T) {
	for _, names := range [][]string{{"0002_a.sql"}, {"0001_a.sql", "0003_b.sql"}, {"1_a.sql"}, {"0001.sql"}, {"0001_a.sql", "0001_b.sql"}} {
		files := fstest.MapFS{}
		for _, name := range names {
			files[name] = &fstest.MapFile{}
		}
		o := testOptions(t, t.TempDir())
		o.Migrations = files
		if _, err := Open(t.Context(), o); err == nil {
			t.Errorf("%v is no error", names)
		}
	}
}

// TestANewerDatabaseIsRefused: and no byte of it is changed, also where its
// version stands in the WAL alone.
func TestANewerDatabaseIsRefused(t *testing.T) {
	for _, inWAL := range []bool{false, true} {
		dir := t.TempDir()
		o := testOptions(t, dir)
		o.Migrations = steps(2)
		d := open(t, o)
		mustInsert(t, d, 1, 10)
		if !inWAL {
			settleDown(t, d)
		}
		saved := t.TempDir() // as a crash leaves it
		before := map[string]string{}
		for _, name := range []string{"journal.db", "journal.db-wal"} {
			before[name] = read(t, filepath.Join(dir, name))
			if err := os.WriteFile(filepath.Join(saved, name), []byte(before[name]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		o.Directory, o.Migrations, o.Repair = saved, steps(1), true
		if _, err := Open(t.Context(), o); !errors.Is(err, ErrNewer) {
			t.Fatalf("error %v, want ErrNewer", err)
		}
		after := map[string]string{}
		for name := range before {
			after[name] = read(t, filepath.Join(saved, name))
		}
		if !maps.Equal(before, after) {
			t.Error("the newer database was changed")
		}
	}
}
