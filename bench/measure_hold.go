//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// rested is how an idle server is.
type rested struct{ memory, start float64 }

// rest starts a server and looks at it when it has nothing to do any more.
func (b *bench) rest(who contender) side[rested] {
	return func(ctx context.Context) (got rested, err error) {
		var starts []float64
		for range 5 { // a start is short, and the first of a round reads the binary from the disk
			what := setup{hooks: []entry{{ID: "idle", Command: b.scripts.nothing}}}
			err := b.serving(ctx, who, what, func(s *server) error {
				now, _, err := memory(s.pid())
				got.memory = float64(now)
				starts = append(starts, s.took.Seconds())
				return err
			})
			if err != nil {
				return rested{}, err
			}
		}
		got.start = median(starts)
		return got, nil
	}
}

func (b *bench) idle(ctx context.Context) ([]row, error) {
	samples, err := turns(ctx, b, b.rest(b.pawl), b.rest(b.webhook))
	if err != nil {
		return nil, err
	}
	var sizes []float64
	for _, path := range []string{b.pawl.path, b.webhook.path} {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, float64(info.Size()))
	}
	resident := func(r rested) float64 { return r.memory }
	start := func(r rested) float64 { return r.start }
	return []row{
		{What: "idle: resident memory", Unit: size, Pawl: figures(samples[0], resident), Beside: "webhook", Other: figures(samples[1], resident), Reach: reach{AtMost: 25 << 20, Figure: true}},
		{What: "start to first answer", Unit: seconds, Pawl: figures(samples[0], start), Beside: "webhook", Other: figures(samples[1], start), Reach: reach{AtMost: 0.060, Figure: true}},
		{What: "stripped binary", Unit: size, Pawl: sizes[:1], Beside: "webhook", Other: sizes[1:], Reach: reach{AtMost: 30 << 20, Figure: true}},
	}, nil
}

// waiting fills Pawl with runs that wait, kills it, and starts it again. It is
// long, and one round tells enough.
func (b *bench) waiting(ctx context.Context) ([]row, error) {
	count, part := b.number(1_000_000, 20_000), b.number(40_000, 5_000)
	directory := filepath.Join(b.directory, "waiting")
	var empty, full, before float64
	err := b.serving(ctx, b.pawl, b.noSlots(directory), func(s *server) (err error) {
		if empty, err = b.fill(ctx, s, part); err != nil {
			return err
		}
		if _, err = b.fill(ctx, s, count-2*part); err != nil {
			return err
		}
		b.say("%d runs wait in %s", count-part, size.text(float64(sizeOf(directory))))
		if full, err = b.fill(ctx, s, part); err != nil {
			return err
		}
		_, peak, err := memory(s.pid())
		before = float64(peak)
		return err
	})
	if err != nil {
		return nil, err
	}
	after, ready, err := b.again(ctx, directory, count)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("%d waiting runs: ", count)
	return []row{
		{What: what + "resident memory, at most", Unit: size, Pawl: []float64{slices.Max([]float64{before, after})}, Reach: reach{AtMost: 150 << 20, Figure: true}},
		{What: what + "ready again after kill -9", Unit: seconds, Pawl: []float64{ready}, Reach: reach{AtMost: 5, Figure: true}},
		{What: what + "accepted", Unit: perSecond, Pawl: []float64{full}, Beside: "empty", Other: []float64{empty}, Reach: reach{AtLeast: 0.8}},
	}, nil
}

// again starts Pawl on a directory in which so many runs are, after it was
// killed, and gives its peak memory and the time until it accepted a delivery.
func (b *bench) again(ctx context.Context, directory string, count int) (peak, ready float64, err error) {
	began := time.Now()
	s, err := b.start(ctx, b.pawl, b.noSlots(directory))
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if _, err := b.fill(ctx, s, 1); err != nil {
		return 0, 0, err
	}
	ready = time.Since(began).Seconds()
	if err := s.settle(ctx); err != nil {
		return 0, 0, err
	}
	// Of the runs before and the one delivery since, one sleeps now, and the one
	// that slept was cut off.
	state, err := s.readiness(ctx)
	if err != nil {
		return 0, 0, err
	}
	if state.Waiting < count-1 {
		return 0, 0, fmt.Errorf("after kill -9 %d runs wait, and should be %d", state.Waiting, count-1)
	}
	_, most, err := memory(s.pid())
	return float64(most), ready, err
}
