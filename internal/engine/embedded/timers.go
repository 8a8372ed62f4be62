package embedded

import (
	"fmt"
	"time"

	"github.com/pawlhq/pawl/internal/database"
)

// timers does what is due: runs that have rested or backed off may start, and
// lanes whose alarm has gone off are looked at.
func (t *tx) timers() error {
	if !t.e.starting() {
		return nil
	}
	if !t.due.IsZero() && !t.due.After(t.now) {
		if err := t.wakeDue(); err != nil {
			return err
		}
	}
	for range 64 { // others wait for this transaction
		l := t.schedule.rung(t.now)
		if l == nil {
			return nil
		}
		if !l.expiry.IsZero() && !l.expiry.After(t.now) {
			if err := t.expire(l); err != nil {
				return err
			}
		}
		if !l.ageing.IsZero() && !l.ageing.After(t.now) {
			if err := t.age(l); err != nil {
				return err
			}
		}
		t.schedule.look(l, t.now)
	}
	return nil
}

// wakeDue lets runs go that have waited for their time.
func (t *tx) wakeDue() error {
	var list []waiter
	if err := each(t.c, func(r *database.Rows) { list = append(list, readTicket(r)) }, dueRuns, t.now.UnixNano()); err != nil {
		return err
	}
	for _, w := range list {
		w.lane = t.schedule.byID[w.hook]
		behind := false
		if w.phase == delayed && w.keyed {
			var err error
			if behind, err = t.isBehind(w.ticket); err != nil {
				return err
			}
		}
		if w.lane.expireAfter() > 0 {
			w.lane.expiry = t.now // it is computed anew
		}
		if behind {
			if err := t.c.Exec(makeBlocked, w.seq); err != nil {
				return err
			}
			continue
		}
		if err := t.c.Exec(makeReady, w.seq); err != nil {
			return err
		}
		if err := t.queue(w); err != nil {
			return err
		}
	}
	return t.readDue()
}

// readDue reads when the next run is due.
func (t *tx) readDue() error {
	due, _, err := t.c.Number(nextDue)
	if t.due = moment(due); due == 0 {
		t.due = time.Time{}
	}
	return err
}

func (l *lane) expireAfter() time.Duration {
	if l.hook == nil {
		return 0
	}
	return l.hook.Queue.Expire
}

// expires notes that a run that begins to wait now may wait too long.
func (t *tx) expires(l *lane, tk *ticket) {
	if after := l.expireAfter(); after > 0 && tk.flags&byHand == 0 {
		l.expiry = soonest(l.expiry, t.now.Add(after))
	}
}

// mostExpired is how many runs of a hook one transaction lets expire.
const mostExpired = 256

// expire fails the runs of a lane that have waited too long, and finds out when
// the next one will have. A run waits since it was accepted or since its newest
// attempt ended; one that a person put in line does not expire.
func (t *tx) expire(l *lane) error {
	l.expiry = time.Time{}
	after := l.expireAfter()
	if after <= 0 || l.waiting == 0 {
		return nil
	}
	var late []int64
	for p := ready; p <= delayed; p++ {
		rows, err := t.c.Query(expirable, int64(p), l.id)
		if err != nil {
			return err
		}
		for rows.Next() && len(late) < mostExpired {
			if rows.Int64(3)&byHand != 0 {
				continue
			}
			left := moment(rows.Int64(2)).Add(after).Sub(t.low)
			if left <= 0 {
				late = append(late, rows.Int64(0))
				continue
			}
			l.expiry = soonest(l.expiry, t.now.Add(left))
			if rows.Int64(4) == 0 { // those that follow were accepted later
				break
			}
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return err
		}
	}
	if len(late) == mostExpired {
		l.expiry = t.now
	}
	for _, seq := range late {
		var w waiter
		if _, err := one(t.c, func(r *database.Rows) { w = readTicket(r) }, ticketBySeq, seq); err != nil {
			return err
		}
		w.lane = l
		if err := t.endWaiting(w, failed, fmt.Sprintf("expired: it waited longer than %s (queue.expire)", after), "", true); err != nil {
			return err
		}
	}
	return nil
}
