package embedded

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/pawlhq/pawl/internal/database"
	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// defaultPage is how many runs a page has that does not say.
const defaultPage = 50

var errPage = errors.New("the page after which to go on is none of this list")

// List gives runs, the newest first; see engine.History.
func (e *Engine) List(ctx context.Context, f engine.Filter, page engine.Page) (engine.Listing, error) {
	limit := page.Limit
	if limit <= 0 {
		limit = defaultPage
	}
	limit = min(limit, engine.MaxPage)
	most := int64(math.MaxInt64)
	if page.After != "" {
		after, err := strconv.ParseInt(page.After, 10, 64)
		if err != nil || after < 1 {
			return engine.Listing{}, errPage
		}
		most = after - 1
	}
	e.settle(ctx)
	var listing engine.Listing
	err := e.view(ctx, func(c *database.Conn) error {
		found, err := e.find(c, f, most, limit+1)
		if err != nil {
			return err
		}
		if len(found) > limit {
			found = found[:limit]
			listing.Next = strconv.FormatInt(found[limit-1], 10)
		}
		listing.Runs = make([]run.Record, 0, len(found))
		for _, seq := range found {
			read := func(r *database.Rows) { listing.Runs = append(listing.Runs, readRecord(r, e.gone).Record) }
			if _, err := one(c, read, recordBySeq, seq); err != nil {
				return err
			}
		}
		return nil
	})
	return listing, err
}

// stream is a part of a list that one index gives in order.
type stream struct {
	sql  string
	args []any
}

// find gives the sequences of the newest runs that match a filter, up to most:
// the newest of several streams, each of which is in order.
func (e *Engine) find(c *database.Conn, f engine.Filter, most int64, limit int) ([]int64, error) {
	least, err := sequenceAt(c, f.Since)
	if err != nil {
		return nil, err
	}
	if !f.Before.IsZero() {
		end, err := sequenceAt(c, f.Before)
		if err != nil {
			return nil, err
		}
		most = min(most, end-1)
	}
	streams, err := e.streams(c, f)
	if err != nil {
		return nil, err
	}
	var found []int64
	for _, s := range streams {
		args := append(slices.Clip(s.args), least, most, limit)
		err := each(c, func(r *database.Rows) { found = append(found, r.Int64(0)) }, s.sql, args...)
		if err != nil {
			return nil, err
		}
		if len(streams) == 1 {
			continue
		}
		slices.SortFunc(found, func(a, b int64) int { return cmp.Compare(b, a) })
		if len(found) >= limit { // what is older than these is not asked of the others
			found = found[:limit]
			least = max(least, found[limit-1])
		}
	}
	return found, nil
}

// streams says which indexes hold what a filter asks for.
func (e *Engine) streams(c *database.Conn, f engine.Filter) ([]stream, error) {
	if f.Hook == "" && f.Key == nil && f.State == "" {
		return []stream{{sql: listAll}}, nil
	}
	there, held := phasesOf(f.State)
	if f.Hook == "" && f.Key == nil && f.State.Final() {
		return []stream{{listPhase, []any{int64(there[0])}}}, nil
	}
	hooks, err := e.hooksOf(c, f, there, held)
	if err != nil {
		return nil, err
	}
	var list []stream
	for _, h := range hooks {
		asked := there
		if e.gone(h.name) {
			asked = held
		}
		for _, p := range asked {
			if f.Key != nil {
				list = append(list, stream{listPhaseHookKey, []any{*f.Key, h.id, int64(p)}})
			} else {
				list = append(list, stream{listPhaseHook, []any{int64(p), h.id}})
			}
		}
	}
	return list, nil
}

type namedHook struct {
	id   int64
	name string
}

// hooksOf gives the hooks that may have runs that match a filter.
func (e *Engine) hooksOf(c *database.Conn, f engine.Filter, there, held []phase) ([]namedHook, error) {
	if f.Hook != "" {
		id, found, err := c.Number(hookID, f.Hook)
		if err != nil || !found {
			return nil, err
		}
		return []namedHook{{id, f.Hook}}, nil
	}
	ids := map[int64]bool{}
	skip := func(sql string, value any) error {
		for last := int64(0); ; {
			id, _, err := c.Number(sql, value, last)
			if err != nil || id == 0 { // min of nothing is NULL
				return err
			}
			ids[id] = true
			last = id
		}
	}
	if f.Key != nil {
		if err := skip(hooksOfKey, *f.Key); err != nil {
			return nil, err
		}
	} else {
		for _, p := range slices.Concat(there, held) {
			if err := skip(hooksOfPhase, int64(p)); err != nil {
				return nil, err
			}
		}
	}
	var list []namedHook
	for id := range ids {
		h := namedHook{id: id}
		if _, err := one(c, func(r *database.Rows) { h.name = r.Text(0) }, hookName, id); err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	return list, nil
}

// sequenceAt gives the sequence from which on runs were accepted at a time or
// later. Sequences go with time, so it is found by halving.
func sequenceAt(c *database.Conn, at time.Time) (int64, error) {
	if at.IsZero() {
		return 0, nil
	}
	var low, high int64
	if _, err := one(c, func(r *database.Rows) { low, high = r.Int64(0), r.Int64(1)+1 }, bounds); err != nil {
		return 0, err
	}
	for wanted := at.UnixNano(); low < high; {
		middle := low + (high-low)/2
		var seq, accepted int64
		found, err := one(c, func(r *database.Rows) { seq, accepted = r.Int64(0), r.Int64(1) }, acceptedFrom, middle)
		switch {
		case err != nil:
			return 0, err
		case !found || accepted >= wanted:
			high = middle
		default:
			low = seq + 1
		}
	}
	return low, nil
}

// Prune forgets ended runs; see engine.Engine.
func (e *Engine) Prune(ctx context.Context, f engine.Filter) (int, error) {
	pruned := 0
	states := []run.State{run.Succeeded, run.Failed, run.Cancelled, run.Superseded}
	if f.State != "" {
		states = slices.DeleteFunc(states, func(s run.State) bool { return s != f.State })
	}
	for _, f.State = range states {
		for {
			n := 0
			err := e.ask(ctx, func(t *tx, _ *request) error {
				found, err := e.find(t.c, f, math.MaxInt64, pruneStep)
				if err != nil {
					return err
				}
				n = len(found)
				return t.forgetAll(found)
			})
			if err != nil {
				return pruned, err
			}
			if pruned += n; n < pruneStep {
				break
			}
		}
	}
	return pruned, nil
}
