package database

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite" // to compare with
)

// BenchmarkInsert commits rows of 300 bytes, so many at a time; an op is a row.
func BenchmarkInsert(b *testing.B) {
	body := make([]byte, 300)
	for _, batch := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("rows=%d", batch), func(b *testing.B) {
			o := testOptions(b, b.TempDir())
			o.Reserve = 16 << 20 // as in service, where commits write over a WAL that is there
			d := open(b, o)
			fillReserve(b, d)
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += batch {
				err := d.Update(func(c *Conn) error {
					for n := range batch {
						if err := c.Exec(insertNumber, i+n, "number", body); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
				d.Maintain(false)
			}
		})
		b.Run(fmt.Sprintf("rows=%d/database-sql", batch), func(b *testing.B) {
			benchmarkDriver(b, batch, body)
		})
	}
}

// benchmarkDriver does the same through database/sql.
func benchmarkDriver(b *testing.B, batch int, body []byte) {
	d, err := sql.Open("sqlite", filepath.Join(b.TempDir(), "x.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	d.SetMaxOpenConns(1)
	if _, err := d.Exec("CREATE TABLE number (id INTEGER PRIMARY KEY, text TEXT, body BLOB); CREATE INDEX number_text ON number (text)"); err != nil {
		b.Fatal(err)
	}
	insert, err := d.Prepare(insertNumber)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; i < b.N; i += batch {
		tx, err := d.Begin()
		if err != nil {
			b.Fatal(err)
		}
		for n := range batch {
			if _, err := tx.Stmt(insert).Exec(i+n, "number", body); err != nil {
				b.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}
