package database

import (
	"fmt"
	"strings"
	"sync/atomic"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Conn is one connection, inside a transaction. It is for one goroutine, and
// for the time of the func that was given it.
//
// It calls SQLite without database/sql between: a statement costs no
// allocation, and values go in without reflection.
type Conn struct {
	tls   *libc.TLS
	db    uintptr // sqlite3*
	cell  uintptr // 16 bytes outside of Go's heap: for results by pointer, and the frames of the WAL
	stmts map[string]*statement
	open  map[*statement]struct{} // those that are between start and end

	cut atomic.Pointer[error] // why it must do nothing more in this transaction
}

// openConn opens a connection to a file. vfs is empty for SQLite's own.
func openConn(name, vfs string, flags int32) (*Conn, error) {
	c := &Conn{tls: libc.NewTLS(), stmts: map[string]*statement{}, open: map[*statement]struct{}{}}
	c.cell = sqlite3.Xsqlite3_malloc64(c.tls, 16)
	clear(bytesAt(c.cell, 16))
	zName, zVFS := c.text(name), uintptr(0)
	if vfs != "" {
		zVFS = c.text(vfs)
	}
	code := sqlite3.Xsqlite3_open_v2(c.tls, zName, c.cell, flags|sqlite3.SQLITE_OPEN_NOMUTEX|sqlite3.SQLITE_OPEN_EXRESCODE, zVFS)
	c.db = *(*uintptr)(pointer(c.cell))
	sqlite3.Xsqlite3_free(c.tls, zName)
	sqlite3.Xsqlite3_free(c.tls, zVFS)
	if code != sqlite3.SQLITE_OK {
		err := c.fail("open "+name, code)
		_ = c.close()
		return nil, err
	}
	sqlite3.Xsqlite3_busy_timeout(c.tls, c.db, busyMillis)
	return c, nil
}

// busyMillis is how long a connection waits for a lock that somebody who does
// not belong here has, say an operator's sqlite3 shell.
const busyMillis = 2000

// close ends the connection. Nothing of it may be used any more.
func (c *Conn) close() error {
	for _, s := range c.stmts {
		s.finalize()
	}
	clear(c.stmts)
	var err error
	if c.db != 0 {
		if code := sqlite3.Xsqlite3_close_v2(c.tls, c.db); code != sqlite3.SQLITE_OK {
			err = c.fail("close the database", code)
		}
		c.db = 0
	}
	sqlite3.Xsqlite3_free(c.tls, c.cell)
	c.tls.Close()
	return err
}

// Exec runs one statement that gives no rows, or whose rows nobody wants. The
// arguments may be nil, bool, int, int64, float64, string and []byte; a nil
// []byte is NULL.
func (c *Conn) Exec(sql string, args ...any) error {
	s, err := c.start(sql, args)
	if err != nil {
		return err
	}
	code := int32(sqlite3.SQLITE_ROW)
	for code == sqlite3.SQLITE_ROW {
		code = sqlite3.Xsqlite3_step(c.tls, s.handle)
	}
	if code != sqlite3.SQLITE_DONE {
		err = c.fail(shorten(sql), code)
	}
	s.end()
	return err
}

// Query runs one statement and gives its rows. They must be read to their end
// or closed before the transaction ends.
func (c *Conn) Query(sql string, args ...any) (*Rows, error) {
	s, err := c.start(sql, args)
	if err != nil {
		return nil, err
	}
	return &Rows{s: s}, nil
}

// Number gives the one number that a statement asks for, and whether there was
// a row at all. NULL is 0.
func (c *Conn) Number(sql string, args ...any) (n int64, found bool, err error) {
	s, err := c.start(sql, args)
	if err != nil {
		return 0, false, err
	}
	switch code := sqlite3.Xsqlite3_step(c.tls, s.handle); code {
	case sqlite3.SQLITE_ROW:
		n, found = int64(sqlite3.Xsqlite3_column_int64(c.tls, s.handle, 0)), true
	case sqlite3.SQLITE_DONE:
	default:
		err = c.fail(shorten(sql), code)
	}
	s.end()
	return n, found, err
}

// LastInsertID is the rowid of the newest row inserted.
func (c *Conn) LastInsertID() int64 {
	return int64(sqlite3.Xsqlite3_last_insert_rowid(c.tls, c.db))
}

// Changes is the number of rows that the newest statement changed.
func (c *Conn) Changes() int { return int(sqlite3.Xsqlite3_changes(c.tls, c.db)) }

// script runs several statements, as a migration has them.
func (c *Conn) script(sql string) error {
	z := c.text(sql)
	defer sqlite3.Xsqlite3_free(c.tls, z)
	if code := sqlite3.Xsqlite3_exec(c.tls, c.db, z, 0, 0, 0); code != sqlite3.SQLITE_OK {
		return c.fail(shorten(sql), code)
	}
	return nil
}

// interrupt ends what the connection does, from any goroutine.
func (c *Conn) interrupt(why error) {
	c.cut.Store(&why)
	tls := libc.NewTLS()
	sqlite3.Xsqlite3_interrupt(tls, c.db)
	tls.Close()
}

// frames is the number of frames that the WAL had after the newest commit of
// this connection, which must have been told to count them.
func (c *Conn) frames() int { return int(*(*int32)(pointer(c.cell + 8))) }

// countFrames has SQLite tell after each commit how long the WAL is.
func (c *Conn) countFrames() {
	hook := struct {
		f func(tls *libc.TLS, cell, db, name uintptr, frames int32) int32
	}{noteFrames}
	sqlite3.Xsqlite3_wal_hook(c.tls, c.db, *(*uintptr)(unsafe.Pointer(&hook)), c.cell+8)
}

func noteFrames(_ *libc.TLS, cell, _, _ uintptr, frames int32) int32 {
	*(*int32)(pointer(cell)) = frames
	return sqlite3.SQLITE_OK
}

// checkpoint copies what it can of the WAL into the file, without waiting for
// anybody. It gives the frames in the WAL and how many of them are copied.
func (c *Conn) checkpoint(mode int32) (frames, copied int, err error) {
	result := sqlite3.Xsqlite3_malloc64(c.tls, 8)
	defer sqlite3.Xsqlite3_free(c.tls, result)
	*(*int64)(pointer(result)) = 0
	code := sqlite3.Xsqlite3_wal_checkpoint_v2(c.tls, c.db, 0, mode, result, result+4)
	frames, copied = int(*(*int32)(pointer(result))), int(*(*int32)(pointer(result + 4)))
	if code != sqlite3.SQLITE_OK && code&0xff != sqlite3.SQLITE_BUSY {
		err = c.fail("copy the WAL into the database", code)
	}
	return max(frames, 0), max(copied, 0), err
}

// keepWAL keeps the WAL file, and its length, when the last connection closes.
func (c *Conn) keepWAL() {
	args := libc.NewVaList(int32(1), uintptr(0))
	sqlite3.Xsqlite3_db_config(c.tls, c.db, sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, args)
	libc.Xfree(c.tls, args)
}

// inTransaction reports whether a transaction is open: SQLite ends it by itself
// after some errors.
func (c *Conn) inTransaction() bool { return sqlite3.Xsqlite3_get_autocommit(c.tls, c.db) == 0 }

// fail makes an error of a result code of the newest call.
func (c *Conn) fail(doing string, code int32) error {
	e := &codeError{doing: doing, code: code, text: "out of memory"}
	if c.db != 0 {
		e.text = libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db))
		if code&0xff == sqlite3.SQLITE_IOERR || code&0xff == sqlite3.SQLITE_CANTOPEN {
			e.errno = sqlite3.Xsqlite3_system_errno(c.tls, c.db)
		}
	}
	e.kind = kindOf(code, e.errno)
	if why := c.cut.Load(); why != nil && e.kind == ErrTooLong {
		return *why
	}
	return e
}

// text copies a text out of Go's heap, with a zero byte at its end.
func (c *Conn) text(s string) uintptr {
	p := sqlite3.Xsqlite3_malloc64(c.tls, sqlite3.Tsqlite3_uint64(len(s)+1))
	b := bytesAt(p, len(s)+1)
	copy(b, s)
	b[len(s)] = 0
	return p
}

// pointer makes a pointer of an address outside of Go's heap.
func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// bytesAt is memory outside of Go's heap.
func bytesAt(p uintptr, n int) []byte { return unsafe.Slice((*byte)(pointer(p)), n) }

// shorten makes a statement fit for an error's text.
func shorten(sql string) string {
	const most = 80
	sql = strings.Join(strings.Fields(sql), " ")
	if len(sql) > most {
		return sql[:most] + "…"
	}
	return sql
}

// noCall is the error of a statement that was given wrong arguments.
func noCall(sql, format string, args ...any) error {
	return fmt.Errorf("%s: "+format, append([]any{shorten(sql)}, args...)...)
}
