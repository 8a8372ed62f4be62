//go:build linux || freebsd

package database

import (
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// useDataSync has SQLite call fdatasync, which spares a commit that writes over
// an existing WAL the file system's own journal.
func useDataSync() {
	tls := libc.NewTLS()
	sqlite3.Xmodernc_fdatasync(tls, 1)
	tls.Close()
}
