// Package databasetest has a disk that fails on demand, for tests of what keeps
// its state in a database.
package databasetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Disk is a way of SQLite to the real files, which fails when it is told to.
type Disk struct {
	name  string
	state uintptr // *state, outside of Go's heap
}

// state is shared with the functions that SQLite calls. Each number is how many
// calls still go well, or below 0 for all.
type state struct {
	reads, writes, syncs atomic.Int32
	failures             atomic.Int32
}

// NewDisk makes a disk that works. Its VFS goes into database.Options.
func NewDisk(t testing.TB) *Disk {
	tls := libc.NewTLS()
	defer tls.Close()
	d := &Disk{name: fmt.Sprintf("failing-%p", t)}
	d.state = alloc(tls, unsafe.Sizeof(state{}))
	d.Heal()
	real := sqlite3.Xsqlite3_vfs_find(tls, 0)
	own := alloc(tls, unsafe.Sizeof(vfs{}))
	v := (*vfs)(at(own))
	v.Tsqlite3_vfs = *(*sqlite3.Tsqlite3_vfs)(at(real))
	v.real, v.state = real, d.state
	v.FzName = alloc(tls, uintptr(len(d.name)+1))
	copy(unsafe.Slice((*byte)(at(v.FzName)), len(d.name)), d.name)
	open := struct{ f openFunc }{openFile}
	v.FxOpen = *(*uintptr)(unsafe.Pointer(&open))
	if code := sqlite3.Xsqlite3_vfs_register(tls, own, 0); code != sqlite3.SQLITE_OK {
		t.Fatalf("register a VFS: SQLite says %d", code)
	}
	t.Cleanup(func() {
		tls := libc.NewTLS()
		defer tls.Close()
		sqlite3.Xsqlite3_vfs_unregister(tls, own)
	})
	return d
}

// VFS is the disk's name, for database.Options.
func (d *Disk) VFS() string { return d.name }

// FailReads has all reads fail after so many that still go well.
func (d *Disk) FailReads(after int) { d.at().reads.Store(int32(after)) }

// FailWrites has all writes fail after so many that still go well.
func (d *Disk) FailWrites(after int) { d.at().writes.Store(int32(after)) }

// FailSyncs has all fsyncs fail after so many that still go well.
func (d *Disk) FailSyncs(after int) { d.at().syncs.Store(int32(after)) }

// Heal has everything go well again.
func (d *Disk) Heal() {
	d.at().reads.Store(-1)
	d.at().writes.Store(-1)
	d.at().syncs.Store(-1)
}

// Failures is how many calls have failed so far.
func (d *Disk) Failures() int { return int(d.at().failures.Load()) }

func (d *Disk) at() *state { return (*state)(at(d.state)) }

// vfs is SQLite's, with what openFile needs behind it.
type vfs struct {
	sqlite3.Tsqlite3_vfs
	real, state uintptr
}

// methods are those of a file, with what ours need behind them.
type methods struct {
	sqlite3.Tsqlite3_io_methods
	real, state uintptr
}

type (
	openFunc  func(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32
	writeFunc func(tls *libc.TLS, file, buffer uintptr, n int32, offset sqlite3.Tsqlite3_int64) int32
	syncFunc  func(tls *libc.TLS, file uintptr, flags int32) int32
)

// openFile opens the real file, and puts our methods in place of its own.
func openFile(tls *libc.TLS, self, name, file uintptr, flags int32, outFlags uintptr) int32 {
	v := (*vfs)(at(self))
	code := call[openFunc]((*sqlite3.Tsqlite3_vfs)(at(v.real)).FxOpen)(tls, v.real, name, file, flags, outFlags)
	f := (*sqlite3.Tsqlite3_file)(at(file))
	if code != sqlite3.SQLITE_OK || f.FpMethods == 0 {
		return code
	}
	own := alloc(tls, unsafe.Sizeof(methods{}))
	m := (*methods)(at(own))
	m.Tsqlite3_io_methods = *(*sqlite3.Tsqlite3_io_methods)(at(f.FpMethods))
	m.real, m.state = f.FpMethods, v.state
	read, write, sync := struct{ f writeFunc }{readFile}, struct{ f writeFunc }{writeFile}, struct{ f syncFunc }{syncFile}
	m.FxRead = *(*uintptr)(unsafe.Pointer(&read))
	m.FxWrite, m.FxSync = *(*uintptr)(unsafe.Pointer(&write)), *(*uintptr)(unsafe.Pointer(&sync))
	f.FpMethods = own
	return code
}

func readFile(tls *libc.TLS, file, to uintptr, n int32, offset sqlite3.Tsqlite3_int64) int32 {
	real, s := behind(file)
	if fails(&s.reads) {
		s.failures.Add(1)
		return sqlite3.SQLITE_IOERR_READ
	}
	return call[writeFunc](real.FxRead)(tls, file, to, n, offset)
}

func writeFile(tls *libc.TLS, file, from uintptr, n int32, offset sqlite3.Tsqlite3_int64) int32 {
	real, s := behind(file)
	if fails(&s.writes) {
		s.failures.Add(1)
		return sqlite3.SQLITE_IOERR_WRITE
	}
	return call[writeFunc](real.FxWrite)(tls, file, from, n, offset)
}

func syncFile(tls *libc.TLS, file uintptr, flags int32) int32 {
	real, s := behind(file)
	if fails(&s.syncs) {
		s.failures.Add(1)
		return sqlite3.SQLITE_IOERR_FSYNC
	}
	return call[syncFunc](real.FxSync)(tls, file, flags)
}

// fails counts down to the first call that fails.
func fails(left *atomic.Int32) bool {
	for {
		n := left.Load()
		if n <= 0 {
			return n == 0
		}
		if left.CompareAndSwap(n, n-1) {
			return false
		}
	}
}

// behind gives what stands behind an open file.
func behind(file uintptr) (*sqlite3.Tsqlite3_io_methods, *state) {
	m := (*methods)(at((*sqlite3.Tsqlite3_file)(at(file)).FpMethods))
	return (*sqlite3.Tsqlite3_io_methods)(at(m.real)), (*state)(at(m.state))
}

// call makes a Go func of one of SQLite's func pointers.
func call[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&struct{ uintptr }{p})) }

// alloc gives zeroed memory outside of Go's heap. It is never freed: SQLite may
// keep its address.
func alloc(tls *libc.TLS, n uintptr) uintptr {
	p := sqlite3.Xsqlite3_malloc64(tls, sqlite3.Tsqlite3_uint64(n))
	clear(unsafe.Slice((*byte)(at(p)), n))
	return p
}

// at makes a pointer of an address outside of Go's heap.
func at(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }
