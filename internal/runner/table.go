package runner

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/pawlhq/pawl/internal/process"
)

// table is the file that says which run's process was the last in which slot.
// It is there for the Pawl after a crash: what is in it is written while a run
// goes on and never cleared, for a process that has ended is known by that.
//
// It is a help and no condition: what cannot be written is not there.
type table struct{ file *os.File }

const (
	tableName  = "running"
	recordSize = 160 // of a line, blanks before its end included
)

// record is one line of the table.
type record struct {
	slot    int
	run     string
	process process.Identity
}

// openTable opens the table and gives what an earlier Pawl left in it.
func openTable(parent string) (*table, []record) {
	file, err := os.OpenFile(filepath.Join(parent, tableName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return &table{}, nil
	}
	var records []record
	line := make([]byte, recordSize)
	for slot := 0; ; slot++ {
		if _, err := io.ReadFull(file, line); err != nil {
			break
		}
		if r, ok := parseRecord(line); ok {
			r.slot = slot
			records = append(records, r)
		}
	}
	return &table{file}, records
}

// write notes that a run's process runs in a slot.
func (t *table) write(slot int, id string, p process.Identity) {
	if t == nil || t.file == nil {
		return
	}
	var line [recordSize]byte
	text := append(line[:0], id...)
	text = append(append(text, ' '), strconv.Itoa(p.PID)...)
	text = strconv.AppendInt(append(text, ' '), int64(p.From), 10)
	text = strconv.AppendInt(append(text, ' '), int64(p.To), 10)
	text = append(append(text, ' '), p.Boot...)
	if len(text) >= recordSize {
		return
	}
	for len(text) < recordSize-1 {
		text = append(text, ' ')
	}
	_, _ = t.file.WriteAt(append(text, '\n'), int64(slot)*recordSize)
}

// parseRecord reads one line.
func parseRecord(line []byte) (record, bool) {
	fields := bytes.Fields(line)
	if len(fields) != 5 {
		return record{}, false
	}
	pid, err := strconv.Atoi(string(fields[1]))
	from, fromErr := strconv.ParseInt(string(fields[2]), 10, 64)
	to, toErr := strconv.ParseInt(string(fields[3]), 10, 64)
	r := record{run: string(fields[0]), process: process.Identity{
		PID: pid, From: time.Duration(from), To: time.Duration(to), Boot: string(fields[4]),
	}}
	return r, errors.Join(err, fromErr, toErr) == nil && isRunID(r.run)
}

// salvage gives what the run of a record left in its slot to the run: the crash
// came before Pawl could.
func (r record) salvage(parent string) error {
	slot := slotPath(parent, r.slot)
	if len(names(filepath.Join(slot, "artifacts"), 1)) == 0 && len(names(slot, 2)) < 2 {
		return nil
	}
	err := os.Rename(slot, filepath.Join(parent, r.run))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("keep what run %s left: %w", r.run, err)
	}
	return nil
}
