// Package database opens one SQLite file and keeps it soundly: it commits
// durably, bounds the write-ahead log (WAL), holds a reserve for a full disk,
// notices a disk that fails and a file that is damaged, and copies itself while
// it is in use.
//
// It knows no table but its own reserve, and decides nothing about what is
// stored: whoever opens it brings the migrations and the statements. There is
// one writer, a goroutine of the caller, and readers beside it.
package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	sqlite3 "modernc.org/sqlite/lib"
)

// Options is what a DB is made of.
type Options struct {
	// Directory holds the file Name, and a file "lock". It is made where it is
	// not there, and is one process's at a time.
	Directory, Name string

	// Memory above 0 keeps the database in memory, in at most so many bytes;
	// Directory and Name are not used then.
	Memory int64

	// Migrations are files NNNN_name.sql, numbered from 1 without gaps. Each is
	// carried out once, in a transaction of its own.
	Migrations fs.FS

	// Reserve is how many bytes the file, and the WAL beside it, keep for the
	// time when the disk is full. See DB.Maintain.
	Reserve int64

	// Repair has Open read the whole file, and set it aside and begin a new one
	// where it is damaged.
	Repair bool

	// VFS names another of SQLite's ways to files: for tests, one that fails.
	VFS string

	Log zerolog.Logger
}

// DB is an open database. Update, Maintain and Reopen are for one goroutine,
// the writer's; all else may be called from any.
type DB struct {
	o    Options
	path string
	lock *os.File // held for life; nil in memory

	writer *Conn // nil after a Reopen that failed
	memory sync.Mutex
	pool   *pool
	copier *copier
	upkeep upkeep
	failed atomic.Pointer[error] // why nothing works any more, until Reopen
	backup sync.Mutex
	copies atomic.Int32 // backups under way

	indexInMemory atomic.Bool // the WAL's index is: see connect

	mu    sync.Mutex
	stats Stats
	close sync.Once
}

// Open opens the database, makes it where there is none, and carries out the
// migrations that it lacks. The error is ErrInUse, ErrNewer, ErrDamaged,
// ErrFull, ErrFailed, or of the options.
func Open(ctx context.Context, o Options) (*DB, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d := &DB{o: o}
	if o.Memory > 0 {
		return d, d.openMemory()
	}
	if err := os.MkdirAll(o.Directory, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFailed, err)
	}
	d.path = filepath.Join(o.Directory, o.Name)
	var err error
	if d.lock, err = lockDirectory(o.Directory); err != nil {
		return nil, err
	}
	useDataSync()
	if err := d.openFile(); err != nil {
		d.disconnect()
		_ = d.lock.Close()
		return nil, err
	}
	return d, nil
}

// openFile opens the file and, where that is asked for, begins a new one in
// place of one that is damaged.
func (d *DB) openFile() error {
	err := d.connect()
	if err == nil && d.o.Repair {
		err = d.writer.check()
	}
	switch {
	case !errors.Is(err, ErrDamaged):
		return err
	case !d.o.Repair:
		return fmt.Errorf("%w; restore a backup to %s, or start with -data-dir-repair, which sets it aside and begins a new one",
			err, d.path)
	}
	d.disconnect()
	aside, asideErr := setAside(d.path, time.Now())
	if asideErr != nil {
		return fmt.Errorf("%w; it cannot be set aside: %w", err, asideErr)
	}
	d.o.Log.Error().Err(err).Str("kept-as", aside).Msg("the database is damaged: it was set aside, and a new one begun")
	return d.connect()
}

// connect opens the file with all that belongs to it. SQLite keeps the WAL's
// index in a file that it cuts and lengthens anew at each start. Where a full
// disk has no room for that, the index is kept in memory from then on: the
// directory is this process's alone, so that nobody else needs to see it.
func (d *DB) connect() error {
	err := d.connectOnce()
	if d.vfs() != "" || indexInMemory == "" || !lacksIndex(err) {
		return err
	}
	d.disconnect()
	d.indexInMemory.Store(true)
	if again := d.connectOnce(); again != nil {
		d.indexInMemory.Store(false)
		return again
	}
	d.o.Log.Warn().Err(err).Msg("there is no room on the disk for the WAL's index: it is in memory until the next start")
	return nil
}

// vfs names SQLite's way to the file, empty for its usual one.
func (d *DB) vfs() string {
	if d.indexInMemory.Load() {
		return indexInMemory
	}
	return d.o.VFS
}

func (d *DB) connectOnce() error {
	if err := createFile(d.path); err != nil {
		return err
	}
	c, err := openConn(d.path, d.vfs(), sqlite3.SQLITE_OPEN_READWRITE)
	if err != nil {
		return err
	}
	d.writer = c
	c.keepWAL()
	steps, err := readMigrations(d.o.Migrations)
	if err != nil {
		return err
	}
	if err := c.refuseNewer(len(steps)); err != nil {
		return err
	}
	d.upkeep = newUpkeep(d.o.Reserve)
	err = c.pragmas(
		"page_size = 4096", "auto_vacuum = INCREMENTAL", "journal_mode = WAL",
		"synchronous = FULL", "fullfsync = 1", "wal_autocheckpoint = 0", "foreign_keys = OFF", "temp_store = MEMORY",
		"cache_size = -4096", "secure_delete = OFF", "trusted_schema = OFF",
		fmt.Sprintf("journal_size_limit = %d", max(d.o.Reserve, d.upkeep.gate*frameSize)),
	)
	if err != nil {
		return err
	}
	c.countFrames()
	if err := c.script(reserveTable); err != nil {
		return err
	}
	if err := c.migrate(steps); err != nil {
		return err
	}
	if err := d.beginUpkeep(); err != nil {
		return err
	}
	d.failed.Store(nil)
	d.pool.open()
	return nil
}

// beginUpkeep starts what works beside the writer.
func (d *DB) beginUpkeep() error {
	if d.pool == nil {
		d.pool = newPool(d.openReader)
	}
	c, err := d.openBeside(256)
	if err != nil {
		return err
	}
	d.copier = startCopier(c)
	return d.look(time.Now())
}

// openReader opens a connection that only reads.
func (d *DB) openReader() (*Conn, error) {
	c, err := d.openBeside(1024)
	if err != nil {
		return nil, err
	}
	if err := c.pragmas("query_only = ON"); err != nil {
		_ = c.close()
		return nil, err
	}
	return c, nil
}

// openBeside opens one more connection, with a cache of so many KiB.
func (d *DB) openBeside(cache int) (*Conn, error) {
	c, err := openConn(d.path, d.vfs(), sqlite3.SQLITE_OPEN_READWRITE)
	if err != nil {
		return nil, err
	}
	c.keepWAL()
	err = c.pragmas(fmt.Sprintf("cache_size = -%d", cache), "wal_autocheckpoint = 0", "synchronous = FULL",
		"fullfsync = 1", "temp_store = MEMORY", "trusted_schema = OFF")
	if err != nil {
		_ = c.close()
		return nil, err
	}
	return c, nil
}

// openMemory opens a database that ends with the process.
func (d *DB) openMemory() error {
	c, err := openConn(":memory:", "", sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_CREATE|sqlite3.SQLITE_OPEN_MEMORY)
	if err != nil {
		return err
	}
	d.writer = c
	steps, err := readMigrations(d.o.Migrations)
	if err == nil {
		err = c.pragmas("page_size = 4096", "auto_vacuum = NONE", "journal_mode = MEMORY", "synchronous = OFF",
			"temp_store = MEMORY", "secure_delete = OFF", "trusted_schema = OFF",
			fmt.Sprintf("max_page_count = %d", max(d.o.Memory/4096, 64)))
	}
	if err == nil {
		err = c.migrate(steps)
	}
	if err != nil {
		d.disconnect()
	}
	return err
}

// disconnect closes all connections, and waits for those who use them.
func (d *DB) disconnect() {
	if d.pool != nil {
		<-d.pool.shut(0)
		d.pool.closeIdle()
	}
	if d.copier != nil {
		d.copier.stop()
		d.copier = nil
	}
	if d.writer != nil {
		_ = d.writer.close()
		d.writer = nil
	}
}

// Reopen closes the file and opens it anew, after an ErrFailed. What was
// committed before is there; what a failed Update wrote may be or not. It is
// tried until it succeeds: nothing works before.
func (d *DB) Reopen() error {
	if d.o.Memory > 0 {
		return nil
	}
	if d.failed.Load() == nil {
		d.fail(fmt.Errorf("%w: it is being opened again", ErrFailed))
	}
	d.disconnect()
	err := d.openAgain()
	if err != nil {
		d.fail(err)
		d.disconnect()
		d.pool.refuse(err) // or they would wait until it succeeds
	}
	return err
}

func (d *DB) openAgain() error {
	if err := rewriteWAL(d.path + "-wal"); err != nil {
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	if err := d.connect(); err != nil {
		return err
	}
	return d.settle()
}

// settle makes what an earlier life left in the WAL durable in the file, and
// begins the WAL anew, so that nothing follows a frame whose fsync failed.
func (d *DB) settle() error {
	if _, _, err := d.writer.checkpoint(sqlite3.SQLITE_CHECKPOINT_RESTART); err != nil {
		return err
	}
	return d.Update((*Conn).touch)
}

// fail remembers why nothing works any more.
func (d *DB) fail(err error) {
	d.failed.Store(&err)
	d.mu.Lock()
	d.stats.Problem = err
	d.mu.Unlock()
}

// Close ends all use of the database, when those who read have ended. It may
// be called again.
func (d *DB) Close() error {
	var err error
	d.close.Do(func() {
		if d.o.Memory > 0 {
			d.memory.Lock()
			defer d.memory.Unlock()
		}
		if d.pool != nil {
			<-d.pool.shut(0)
		}
		if d.failed.Load() == nil && d.o.Memory == 0 {
			err = d.settle()
		}
		d.fail(ErrClosed)
		d.disconnect()
		if d.pool != nil {
			d.pool.refuse(ErrClosed)
		}
		if d.lock != nil {
			_ = d.lock.Close()
		}
	})
	return err
}
