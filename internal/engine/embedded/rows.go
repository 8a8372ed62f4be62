package embedded

import (
	"github.com/pawlhq/pawl/internal/database"
	"github.com/pawlhq/pawl/internal/run"
)

// waiter is a run as the journal has it: what its ticket holds, and where it
// is.
type waiter struct {
	*ticket
	hook   int64
	phase  phase
	rested int64
}

// readTicket reads ticketColumns.
func readTicket(r *database.Rows) waiter {
	t := &ticket{
		seq: r.Int64(0), place: r.Int64(1), id: idText(r.Raw(2)), delivery: r.Int64(4),
		keyed: !r.Null(5), key: r.Text(5), element: r.Text(6), accepted: r.Int64(7), flags: r.Int64(8), depth: r.Int(9),
		attempt: r.Int(10), tries: r.Int(11), interruptions: r.Int(12), size: r.Int64(13),
	}
	return waiter{t, r.Int64(3), phase(r.Int64(14)), r.Int64(15)}
}

// Run is what an attempt is told of its run.
func (t *ticket) run(hook string, d *run.Delivery) run.Run {
	return run.Run{
		ID: t.id, Hook: hook, Delivery: d, Element: t.element, Attempt: t.attempt, Depth: t.depth,
		Key: run.Key{Text: t.key, Set: t.keyed, Incomplete: t.flags&incomplete != 0},
	}
}

// one reads the one row that a query gives, if it gives one.
func one(c *database.Conn, read func(*database.Rows), sql string, args ...any) (bool, error) {
	rows, err := c.Query(sql, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, rows.Err()
	}
	read(rows)
	return true, nil
}

// each reads all rows that a query gives.
func each(c *database.Conn, read func(*database.Rows), sql string, args ...any) error {
	rows, err := c.Query(sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		read(rows)
	}
	return rows.Err()
}

// entry is a row of a list: the record, and what only the engine asks of it.
type entry struct {
	run.Record
	hook  int64
	phase phase
}

// readRecord reads recordColumns. gone tells of a hook whether it is in no hook
// file.
func readRecord(r *database.Rows, gone func(hook string) bool) entry {
	e := entry{hook: r.Int64(2), phase: phase(r.Int64(9))}
	e.Sequence, e.ID, e.Element = r.Int64(0), idText(r.Raw(1)), r.Text(4)
	e.Hook, e.DeliveryID = r.Text(29), idText(r.Raw(28))
	e.Key = run.Key{Set: !r.Null(3), Text: r.Text(3), Incomplete: r.Int64(6)&incomplete != 0}
	e.Accepted, e.Depth, e.Origin = moment(r.Int64(5)), r.Int(7), readOrigin(r.Raw(8))
	e.NotBefore, e.Attempt, e.Interruptions = moment(r.Int64(10)), r.Int(11), r.Int(12)
	e.SupersededBy, e.Ended, e.Reason = idText(r.Raw(13)), moment(r.Int64(14)), r.Text(15)
	e.Started = moment(r.Int64(16))
	e.State = e.phase.state(e.phase.waits() && gone(e.Hook))
	return e
}

// readNewest reads the newest attempt out of recordColumns; false where there
// is none.
func readNewest(r *database.Rows) (run.Attempt, bool) {
	a := readAttempt(r, 15)
	a.Number = r.Int(11)
	return a, a.Number > 0
}

// readAttempt reads started to results, of which started is at column from+1.
func readAttempt(r *database.Rows, from int) run.Attempt {
	a := run.Attempt{OutputSize: r.Int64(from + 11)}
	a.Started, a.Ended, a.End = moment(r.Int64(from+1)), moment(r.Int64(from+2)), endOf(r.Int64(from+3))
	a.ExitCode, a.Signal, a.Reason, a.HookHash = r.Int(from+4), r.Text(from+5), r.Text(from+6), r.Text(from+7)
	a.Artifacts, a.Head, a.Omitted = r.Int64(from+8), r.Int(from+9), r.Int64(from+10)
	a.Results = readResults(r.Raw(from + 12))
	return a
}
