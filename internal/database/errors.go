package database

import (
	"errors"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"
)

// What a caller decides by. Every error of this package that comes from the
// file or its disk is one of them, by errors.Is, or none.
var (
	// ErrFull says that there is no room: on the disk, reserve included, or in
	// memory. Nothing was changed, and the same may be tried again on the same DB.
	ErrFull = errors.New("no room is left for the database")
	// ErrFailed says that the disk failed. What the transaction wrote is not there
	// or not known to be there. Nothing works any more until Reopen.
	ErrFailed = errors.New("the database's disk failed")
	// ErrDamaged says that the file is not, or no longer, a sound database.
	ErrDamaged = errors.New("the database is damaged")
	// ErrInUse says that another process has the directory.
	ErrInUse = errors.New("in use by another process")
	// ErrNewer says that a newer program wrote the file. Nothing was touched.
	ErrNewer = errors.New("the database was written by a newer version of this program")
	// ErrTooLong says that a View took longer than it may, or its context ended.
	ErrTooLong = errors.New("the reading was cut off")
	// ErrClosed says that the DB is closed.
	ErrClosed = errors.New("the database is closed")
)

// codeError is what SQLite says of a call that failed.
type codeError struct {
	kind  error // one of the errors above, or nil
	doing string
	code  int32 // SQLite's extended result code
	errno int32 // of the operating system, 0 where there was none
	text  string
}

func (e *codeError) Error() string {
	text := fmt.Sprintf("%s: %s (SQLite %d)", e.doing, e.text, e.code)
	if e.errno != 0 {
		text = fmt.Sprintf("%s: %s: %s (SQLite %d)", e.doing, e.text, errnoText(e.errno), e.code)
	}
	if e.kind != nil {
		return e.kind.Error() + ": " + text
	}
	return text
}

func (e *codeError) Unwrap() error { return e.kind }

// kindOf tells what a caller should make of a result code. errno tells a disk
// that is full from one that fails where SQLite does not.
func kindOf(code, errno int32) error {
	switch code & 0xff {
	case sqlite3.SQLITE_FULL:
		return ErrFull
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return ErrDamaged
	case sqlite3.SQLITE_INTERRUPT:
		return ErrTooLong
	case sqlite3.SQLITE_IOERR:
		if code != sqlite3.SQLITE_IOERR_FSYNC && code != sqlite3.SQLITE_IOERR_DIR_FSYNC && isNoSpace(errno) {
			return ErrFull
		}
		return ErrFailed
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return ErrFailed
	}
	return nil
}

// lacksIndex reports whether an error may come from the file of the WAL's index:
// it cannot be made, lengthened, or, where the disk's blocks are smaller than a
// page of memory, written to.
func lacksIndex(err error) bool {
	e := new(codeError)
	if !errors.As(err, &e) {
		return false
	}
	switch e.code {
	case sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMMAP, sqlite3.SQLITE_IOERR_IN_PAGE:
		return true
	}
	return e.code&0xff == sqlite3.SQLITE_CANTOPEN
}
