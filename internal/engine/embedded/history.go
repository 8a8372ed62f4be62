package embedded

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/pawlhq/pawl/internal/database"
	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// settle waits until what has happened can be read. What cannot be written is
// not waited for.
func (e *Engine) settle(ctx context.Context) {
	if e.loose.Load() > 0 {
		_ = e.ask(ctx, func(*tx, *request) error { return nil })
	}
}

// view reads the journal.
func (e *Engine) view(ctx context.Context, read func(*database.Conn) error) error {
	err := e.db.View(ctx, read)
	switch {
	case errors.Is(err, database.ErrClosed):
		return engine.ErrStopped
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return err
}

// gone reports whether a hook is in no hook file.
func (e *Engine) gone(hook string) bool { return e.hookOf(hook) == nil }

// record reads one run with its attempts, without output and delivery.
func (e *Engine) record(c *database.Conn, sql string, key any) (*run.Record, error) {
	var record entry
	var newest run.Attempt
	attempted := false
	found, err := one(c, func(r *database.Rows) {
		record = readRecord(r, e.gone)
		newest, attempted = readNewest(r)
	}, sql, key)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, engine.ErrNotFound
	}
	if record.Attempts, err = readOlder(c, record.Sequence); err != nil {
		return nil, err
	}
	if attempted {
		record.Attempts = append(record.Attempts, newest)
	}
	return &record.Record, nil
}

// Find gives the one run whose id begins so; see engine.History.
func (e *Engine) Find(ctx context.Context, prefix string) (*run.Record, error) {
	from, to, ok := idRange(prefix)
	if !ok {
		return nil, engine.ErrNotFound
	}
	e.settle(ctx)
	var record *run.Record
	var stored storedDelivery
	err := e.view(ctx, func(c *database.Conn) error {
		var ids [][]byte
		if err := each(c, func(r *database.Rows) { ids = append(ids, r.Blob(0)) }, idsFrom, from, to); err != nil {
			return err
		}
		switch len(ids) {
		case 0:
			return engine.ErrNotFound
		case 1:
		default:
			ambiguous := &engine.AmbiguousError{Prefix: prefix}
			for _, id := range ids {
				ambiguous.IDs = append(ambiguous.IDs, idText(id))
			}
			return ambiguous
		}
		var err error
		if record, err = e.record(c, recordByID, ids[0]); err != nil {
			return err
		}
		key, err := parseID(record.DeliveryID)
		if err != nil {
			return err
		}
		_, err = one(c, func(r *database.Rows) { stored.content, stored.secrets = r.Blob(0), r.Blob(1) }, deliveryByID, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	record.Delivery, err = stored.unpack(e.codec, record.DeliveryID)
	return record, err
}

// idRange gives the least and the greatest id that begin so; false where none
// can.
func idRange(prefix string) (from, to []byte, ok bool) {
	digits := strings.ToLower(strings.ReplaceAll(prefix, "-", ""))
	if len(digits) > 32 {
		return nil, nil, false
	}
	from, err := hex.DecodeString(digits + strings.Repeat("0", 32-len(digits)))
	if err != nil {
		return nil, nil, false
	}
	to, err = hex.DecodeString(digits + strings.Repeat("f", 32-len(digits)))
	return from, to, err == nil
}

// Output gives what an attempt printed; see engine.History.
func (e *Engine) Output(ctx context.Context, id string, attempt int) (output []byte, head int, omitted int64, err error) {
	key, err := parseID(id)
	if err != nil {
		return nil, 0, 0, engine.ErrNotFound
	}
	e.settle(ctx)
	var packed []byte
	err = e.view(ctx, func(c *database.Conn) error {
		var w waiter
		found, err := one(c, func(r *database.Rows) { w = readTicket(r) }, ticketByID, key)
		if err != nil {
			return err
		}
		if !found || attempt < 1 || attempt > w.attempt {
			return engine.ErrNotFound
		}
		read := func(r *database.Rows) { packed, head, omitted = r.Blob(0), r.Int(1), r.Int64(2) }
		if attempt == w.attempt {
			found, err = one(c, read, outputNewest, w.seq)
		} else {
			found, err = one(c, read, outputOlder, w.seq, attempt)
		}
		if err == nil && !found {
			return engine.ErrNotFound
		}
		return err
	})
	if err != nil {
		return nil, 0, 0, err
	}
	output, err = e.codec.readOutput(packed)
	return output, head, omitted, err
}

// Delivery gives a stored delivery; see engine.History.
func (e *Engine) Delivery(ctx context.Context, id string) (*run.Delivery, error) {
	key, err := parseID(id)
	if err != nil {
		return nil, engine.ErrNotFound
	}
	e.settle(ctx)
	var stored storedDelivery
	err = e.view(ctx, func(c *database.Conn) error {
		found, err := one(c, func(r *database.Rows) { stored.content, stored.secrets = r.Blob(0), r.Blob(1) }, deliveryByID, key)
		if err == nil && !found {
			return engine.ErrNotFound
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return stored.unpack(e.codec, id)
}

// Backup writes a sound copy of the journal to a new file.
func (e *Engine) Backup(ctx context.Context, path string) error {
	e.settle(ctx)
	return e.db.Backup(ctx, path)
}
