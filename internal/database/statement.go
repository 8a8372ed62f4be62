package database

import (
	"math"

	sqlite3 "modernc.org/sqlite/lib"
)

// statement is one prepared statement. What is bound to it lies in memory of
// its own, so that another may run while it gives rows.
type statement struct {
	c      *Conn
	sql    string
	handle uintptr // sqlite3_stmt*
	params int
	busy   bool // started and not yet ended
	stray  bool // not in the cache: ended is over

	arena uintptr // memory for texts and blobs, outside of Go's heap
	size  int
}

// mostKept is the most memory that a statement keeps between uses, in bytes.
const mostKept = 32 << 10

// start takes a statement from the cache, or prepares it, and binds arguments.
func (c *Conn) start(sql string, args []any) (*statement, error) {
	if why := c.cut.Load(); why != nil {
		return nil, *why
	}
	s := c.stmts[sql]
	if s == nil || s.busy {
		made, err := c.prepare(sql)
		if err != nil {
			return nil, err
		}
		if made.stray = s != nil; !made.stray {
			c.stmts[sql] = made
		}
		s = made
	}
	if len(args) != s.params {
		err := noCall(sql, "it has %d parameters and was given %d", s.params, len(args))
		s.end()
		return nil, err
	}
	if err := s.bind(args); err != nil {
		s.end()
		return nil, err
	}
	s.busy = true
	c.open[s] = struct{}{}
	return s, nil
}

// endAll ends what a transaction has left open: it would keep its view of the
// database, and with it the WAL.
func (c *Conn) endAll() {
	for s := range c.open {
		s.end()
	}
}

func (c *Conn) prepare(sql string) (*statement, error) {
	z := c.text(sql)
	defer sqlite3.Xsqlite3_free(c.tls, z)
	code := sqlite3.Xsqlite3_prepare_v3(c.tls, c.db, z, int32(len(sql)+1), sqlite3.SQLITE_PREPARE_PERSISTENT, c.cell, 0)
	if code != sqlite3.SQLITE_OK {
		return nil, c.fail(shorten(sql), code)
	}
	handle := *(*uintptr)(pointer(c.cell))
	if handle == 0 {
		return nil, noCall(sql, "it holds no statement")
	}
	return &statement{c: c, sql: sql, handle: handle, params: int(sqlite3.Xsqlite3_bind_parameter_count(c.tls, handle))}, nil
}

// end makes a statement ready for its next use.
func (s *statement) end() {
	sqlite3.Xsqlite3_reset(s.c.tls, s.handle) // repeats the error that step has told
	s.busy = false
	delete(s.c.open, s)
	if s.stray {
		s.finalize()
		return
	}
	if s.size > mostKept {
		sqlite3.Xsqlite3_clear_bindings(s.c.tls, s.handle)
		sqlite3.Xsqlite3_free(s.c.tls, s.arena)
		s.arena, s.size = 0, 0
	}
}

func (s *statement) finalize() {
	if s.handle == 0 {
		return
	}
	sqlite3.Xsqlite3_finalize(s.c.tls, s.handle)
	sqlite3.Xsqlite3_free(s.c.tls, s.arena)
	s.handle, s.arena, s.size = 0, 0, 0
}

// bind copies the arguments to where SQLite finds them while it runs.
func (s *statement) bind(args []any) error {
	need := 0
	for _, arg := range args {
		switch v := arg.(type) {
		case string:
			need += len(v)
		case []byte:
			need += len(v)
		}
	}
	if need > math.MaxInt32 {
		return noCall(s.sql, "its arguments have %d bytes, which is too many", need)
	}
	if need >= s.size {
		sqlite3.Xsqlite3_free(s.c.tls, s.arena)
		s.size = max(need+1, 256) // never empty, so that an empty text has an address
		s.arena = sqlite3.Xsqlite3_malloc64(s.c.tls, sqlite3.Tsqlite3_uint64(s.size))
		if s.arena == 0 {
			s.size = 0
			return s.c.fail(shorten(s.sql), sqlite3.SQLITE_NOMEM)
		}
	}
	used := 0
	for i, arg := range args {
		n, err := s.bindOne(int32(i+1), arg, used)
		if err != nil {
			return err
		}
		used += n
	}
	return nil
}

// bindOne binds parameter i, and gives the bytes of the arena that it took from
// used on.
func (s *statement) bindOne(i int32, arg any, used int) (int, error) {
	var code int32
	taken := 0
	switch v := arg.(type) {
	case nil:
		code = sqlite3.Xsqlite3_bind_null(s.c.tls, s.handle, i)
	case int64:
		code = sqlite3.Xsqlite3_bind_int64(s.c.tls, s.handle, i, v)
	case int:
		code = sqlite3.Xsqlite3_bind_int64(s.c.tls, s.handle, i, int64(v))
	case bool:
		n := int64(0)
		if v {
			n = 1
		}
		code = sqlite3.Xsqlite3_bind_int64(s.c.tls, s.handle, i, n)
	case float64:
		code = sqlite3.Xsqlite3_bind_double(s.c.tls, s.handle, i, v)
	case string:
		taken = copy(bytesAt(s.arena, s.size)[used:], v)
		code = sqlite3.Xsqlite3_bind_text(s.c.tls, s.handle, i, s.arena+uintptr(used), int32(taken), 0)
	case []byte:
		if v == nil {
			code = sqlite3.Xsqlite3_bind_null(s.c.tls, s.handle, i)
			break
		}
		taken = copy(bytesAt(s.arena, s.size)[used:], v)
		code = sqlite3.Xsqlite3_bind_blob(s.c.tls, s.handle, i, s.arena+uintptr(used), int32(taken), 0)
	default:
		return 0, noCall(s.sql, "argument %d is of a type that is not stored", i)
	}
	if code != sqlite3.SQLITE_OK {
		return 0, s.c.fail(shorten(s.sql), code)
	}
	return taken, nil
}

// Rows is what a Query gives, one row after another.
type Rows struct {
	s   *statement // nil after the end
	err error
}

// Next goes to the next row. It gives false after the last one and after an
// error, which Err tells then.
func (r *Rows) Next() bool {
	if r.s == nil {
		return false
	}
	c := r.s.c
	if why := c.cut.Load(); why != nil {
		r.err = *why
		r.Close()
		return false
	}
	switch code := sqlite3.Xsqlite3_step(c.tls, r.s.handle); code {
	case sqlite3.SQLITE_ROW:
		return true
	case sqlite3.SQLITE_DONE:
	default:
		r.err = c.fail(shorten(r.s.sql), code)
	}
	r.Close()
	return false
}

// Err is why Next gave false, nil at the end of the rows.
func (r *Rows) Err() error { return r.err }

// Close ends the query early. It may be called again.
func (r *Rows) Close() {
	if r.s != nil {
		r.s.end()
		r.s = nil
	}
}

// Int64 is a column of the row, counted from 0. NULL is 0.
func (r *Rows) Int64(column int) int64 {
	return int64(sqlite3.Xsqlite3_column_int64(r.s.c.tls, r.s.handle, int32(column)))
}

// Int is Int64 for small numbers.
func (r *Rows) Int(column int) int { return int(r.Int64(column)) }

// Bool reports whether a column is a number other than 0.
func (r *Rows) Bool(column int) bool { return r.Int64(column) != 0 }

// Float64 is a column of the row. NULL is 0.
func (r *Rows) Float64(column int) float64 {
	return sqlite3.Xsqlite3_column_double(r.s.c.tls, r.s.handle, int32(column))
}

// Null reports whether a column is NULL.
func (r *Rows) Null(column int) bool {
	return sqlite3.Xsqlite3_column_type(r.s.c.tls, r.s.handle, int32(column)) == sqlite3.SQLITE_NULL
}

// Text is a column of the row. NULL is "".
func (r *Rows) Text(column int) string { return string(r.Raw(column)) }

// Blob is a column of the row, in memory of its own. NULL is nil, and an empty
// blob is not.
func (r *Rows) Blob(column int) []byte {
	raw := r.Raw(column)
	if raw == nil && r.Null(column) {
		return nil
	}
	return append([]byte{}, raw...)
}

// Raw is a column of the row as it lies in SQLite's memory: it must not be
// changed, nor kept after the next call of Next or Close.
func (r *Rows) Raw(column int) []byte {
	p := sqlite3.Xsqlite3_column_blob(r.s.c.tls, r.s.handle, int32(column))
	if p == 0 {
		return nil
	}
	return bytesAt(p, int(sqlite3.Xsqlite3_column_bytes(r.s.c.tls, r.s.handle, int32(column))))
}
