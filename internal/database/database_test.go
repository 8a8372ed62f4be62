package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rs/zerolog"
)

// numbers is a schema of one table.
func numbers() fs.FS {
	return fstest.MapFS{"0001_numbers.sql": {Data: []byte(
		"CREATE TABLE number (id INTEGER PRIMARY KEY, text TEXT, body BLOB);\nCREATE INDEX number_text ON number (text);")}}
}

func testOptions(t testing.TB, dir string) Options {
	return Options{Directory: dir, Name: "journal.db", Migrations: numbers(), Log: zerolog.New(zerolog.NewTestWriter(t))}
}

func open(t testing.TB, o Options) *DB {
	t.Helper()
	d, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func openIn(t testing.TB, dir string) *DB {
	t.Helper()
	return open(t, testOptions(t, dir))
}

// settleDown maintains an idle database until there is no more to do.
func settleDown(t testing.TB, d *DB) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); d.Maintain(true); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("no end of maintaining: %+v, %+v", d.Stats(), d.upkeep)
		}
	}
}

const insertNumber = "INSERT INTO number (id, text, body) VALUES (?, ?, ?)"

// insert commits the numbers from first to last.
func insert(d *DB, first, last int, body []byte) error {
	return d.Update(func(c *Conn) error {
		for i := first; i <= last; i++ {
			if err := c.Exec(insertNumber, i, fmt.Sprintf("number %d", i), body); err != nil {
				return err
			}
		}
		return nil
	})
}

func mustInsert(t testing.TB, d *DB, first, last int) {
	t.Helper()
	if err := insert(d, first, last, []byte("body")); err != nil {
		t.Fatal(err)
	}
}

// count is how many numbers there are.
func count(t testing.TB, d *DB) (n int) {
	t.Helper()
	err := d.View(context.Background(), func(c *Conn) error {
		found, _, err := c.Number("SELECT count(*) FROM number")
		n = int(found)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func mustCount(t testing.TB, d *DB, want int) {
	t.Helper()
	if got := count(t, d); got != want {
		t.Fatalf("there are %d numbers, want %d", got, want)
	}
}

// memoryAndFile runs a test with a database of either kind.
func memoryAndFile(t *testing.T, test func(t *testing.T, d *DB)) {
	t.Run("file", func(t *testing.T) { test(t, openIn(t, t.TempDir())) })
	t.Run("memory", func(t *testing.T) {
		o := testOptions(t, "")
		o.Memory = 16 << 20
		test(t, open(t, o))
	})
}

func TestValuesComeBackAsTheyWent(t *testing.T) {
	memoryAndFile(t, func(t *testing.T, d *DB) {
		if err := d.Update(func(c *Conn) error {
			if err := c.script("CREATE TABLE v (id INTEGER PRIMARY KEY, a)"); err != nil {
				return err
			}
			for _, v := range []any{nil, true, 7, int64(-1) << 63, 1.5, "", "täxt\x00and more", []byte(nil), []byte{}, []byte("\x00\xff"), strings.Repeat("x", mostKept+1)} {
				if err := c.Exec("INSERT INTO v (a) VALUES (?)", v); err != nil {
					return err
				}
			}
			if got := c.LastInsertID(); got != 11 {
				t.Errorf("last id %d, want 11", got)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		var got []string
		if err := d.View(context.Background(), func(c *Conn) error {
			rows, err := c.Query("SELECT typeof(a), a FROM v ORDER BY id")
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				text := rows.Text(1)
				if len(text) > 20 {
					text = fmt.Sprint(len(text), " bytes")
				}
				got = append(got, fmt.Sprintf("%s %q null=%t blob=%t", rows.Text(0), text, rows.Null(1), rows.Blob(1) != nil))
			}
			return rows.Err()
		}); err != nil {
			t.Fatal(err)
		}
		want := []string{
			`null "" null=true blob=false`, `integer "1" null=false blob=true`, `integer "7" null=false blob=true`,
			`integer "-9223372036854775808" null=false blob=true`, `real "1.5" null=false blob=true`, `text "" null=false blob=true`,
			`text "täxt\x00and more" null=false blob=true`, `null "" null=true blob=false`, `blob "" null=false blob=true`,
			`blob "\x00\xff" null=false blob=true`, `text "32769 bytes" null=false blob=true`,
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestStatementsMayRunInsideEachOther(t *testing.T) {
	memoryAndFile(t, func(t *testing.T, d *DB) {
		mustInsert(t, d, 1, 10)
		var pairs int
		err := d.Update(func(c *Conn) error {
			const same = "SELECT id, text FROM number WHERE text >= ? ORDER BY text"
			outer, err := c.Query(same, "number")
			if err != nil {
				return err
			}
			defer outer.Close()
			for outer.Next() {
				inner, err := c.Query(same, "number 5") // other arguments, while the outer one runs
				if err != nil {
					return err
				}
				for inner.Next() {
					pairs++
				}
				if err := inner.Err(); err != nil {
					return err
				}
				if err := c.Exec("UPDATE number SET body = ? WHERE id = ?", []byte("changed"), outer.Int64(0)); err != nil {
					return err
				}
			}
			return outer.Err()
		})
		if err != nil || pairs != 10*5 {
			t.Errorf("%d pairs (%v), want 50", pairs, err)
		}
	})
}

func TestTransactionsAreWholeOrNotAtAll(t *testing.T) {
	memoryAndFile(t, func(t *testing.T, d *DB) {
		mustInsert(t, d, 1, 3)
		broken := errors.New("broken")
		if err := d.Update(func(c *Conn) error {
			if err := c.Exec("DELETE FROM number"); err != nil {
				return err
			}
			return broken
		}); !errors.Is(err, broken) {
			t.Fatalf("error %v", err)
		}
		mustCount(t, d, 3)
		func() {
			defer func() { _ = recover() }()
			_ = d.Update(func(c *Conn) error {
				_ = c.Exec("DELETE FROM number")
				panic("broken")
			})
		}()
		mustCount(t, d, 3)
		if err := d.Update(func(c *Conn) error { return c.Exec("INSERT INTO number (id) VALUES (1)") }); err == nil || !strings.Contains(err.Error(), "UNIQUE") {
			t.Errorf("error %v, want one of a number that is there twice", err)
		}
		mustInsert(t, d, 4, 4)
		mustCount(t, d, 4)
	})
}

func TestWrongCallsAreErrors(t *testing.T) {
	memoryAndFile(t, func(t *testing.T, d *DB) {
		err := d.Update(func(c *Conn) error {
			for sql, args := range map[string][]any{
				"SELECT ?":              {},
				"SELECT 1":              {1},
				"SELECT ?2":             {struct{}{}, 1},
				"":                      {},
				"SELECT * FROM nowhere": {},
			} {
				if err := c.Exec(sql, args...); err == nil {
					t.Errorf("%q with %v is no error", sql, args)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestAViewChangesNothing(t *testing.T) {
	d := openIn(t, t.TempDir())
	err := d.View(context.Background(), func(c *Conn) error { return c.Exec("DELETE FROM number") })
	if err == nil || !strings.Contains(err.Error(), "readonly") {
		t.Errorf("error %v", err)
	}
}

func TestFilesAreTheirOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	d := openIn(t, dir)
	mustInsert(t, d, 1, 1)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < 4 {
		t.Fatalf("%d files (%v), want lock, journal.db, -wal, -shm", len(entries), err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", entry.Name(), info.Mode())
		}
	}
}

func TestCloseAndOpenAgain(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		d := openIn(t, dir)
		mustCount(t, d, 10*i)
		mustInsert(t, d, 10*i, 10*i+9)
		for range 2 {
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := insert(d, 1, 1, nil); !errors.Is(err, ErrClosed) {
			t.Errorf("error %v, want ErrClosed", err)
		}
		if err := d.View(context.Background(), func(*Conn) error { return nil }); !errors.Is(err, ErrClosed) {
			t.Errorf("error %v, want ErrClosed", err)
		}
		if d.Maintain(true) {
			t.Error("there is more to do for a closed database")
		}
	}
}

// sound reads the whole database.
func sound(t *testing.T, d *DB) {
	t.Helper()
	err := d.Update(func(c *Conn) error {
		rows, err := c.Query("PRAGMA integrity_check")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if said := rows.Text(0); said != "ok" {
				return fmt.Errorf("integrity_check: %s", said)
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// fillReserve maintains the database until its reserve is there.
func fillReserve(t testing.TB, d *DB) {
	t.Helper()
	settleDown(t, d)
	if s := d.Stats(); !s.Filled || s.Reserve != s.Wanted {
		t.Fatalf("the reserve has %d bytes of %d (filled: %t)", s.Reserve, s.Wanted, s.Filled)
	}
}
