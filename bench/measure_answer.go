//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"
)

// unmatched gives how many deliveries a second a server answers that trigger
// nothing: senders call asked of the hooks, which lie evenly among all.
func (b *bench) unmatched(who contender, hooks, bytes, senders int) side[float64] {
	return func(ctx context.Context) (figure float64, err error) {
		entries := make([]entry, hooks)
		for i := range entries {
			entries[i] = entry{ID: fmt.Sprintf("hook-%05d", i), Command: b.scripts.nothing, Rule: never()}
		}
		var requests [][]byte
		body := payload(bytes)
		for i := range min(hooks, senders) {
			requests = append(requests, post(entries[(2*i+1)*hooks/(2*min(hooks, senders))].ID, body))
		}
		err = b.serving(ctx, who, setup{hooks: entries}, func(s *server) error {
			got, err := load{address: s.address, requests: requests, connections: senders, duration: b.span(), status: http.StatusOK}.run(ctx)
			if err == nil {
				figure = got.perSecond()
			}
			return err
		})
		return figure, err
	}
}

func (b *bench) mismatch(ctx context.Context) ([]row, error) {
	var rows []row
	for _, of := range []struct {
		what    string
		bytes   int
		senders int
		reach   float64
	}{
		{"300 B", 300, connections, 1},
		{"20 KB", 20_000, connections, 3},
		{"1 MB", 1_000_000, 8, 5},
	} {
		samples, err := turns(ctx, b, b.unmatched(b.pawl, 1, of.bytes, of.senders), b.unmatched(b.webhook, 1, of.bytes, of.senders))
		if err != nil {
			return rows, err
		}
		rows = append(rows, row{What: "rule does not match, " + of.what, Unit: perSecond, Pawl: samples[0], Beside: "webhook", Other: samples[1], Reach: reach{AtLeast: of.reach}})
	}
	return rows, nil
}

func (b *bench) hooks(ctx context.Context) ([]row, error) {
	const many = 10_000
	samples, err := turns(ctx, b,
		b.unmatched(b.pawl, many, 300, connections), b.unmatched(b.pawl, 1, 300, connections),
		b.unmatched(b.webhook, many, 300, connections), b.unmatched(b.webhook, 1, 300, connections))
	if err != nil {
		return nil, err
	}
	return []row{
		{What: "10,000 hooks, rule does not match, 300 B", Unit: perSecond, Pawl: samples[0], Beside: "with one", Other: samples[1], Reach: reach{AtLeast: 0.95}},
		{What: "the same, webhook's (in pawl's column)", Unit: perSecond, Pawl: samples[2], Beside: "with one", Other: samples[3]},
	}, nil
}

// noSlots are flags and hooks that leave no script room to start: the one that
// may run sleeps.
func (b *bench) noSlots(directory string) setup {
	return setup{hooks: []entry{{ID: "queue", Command: b.scripts.asleep}}, directory: directory, args: []string{"-max-concurrent", "1"}}
}

// accepted gives how many deliveries a second Pawl accepts while none can run.
func (b *bench) accepted(directory string, count int) side[float64] {
	return func(ctx context.Context) (figure float64, err error) {
		err = b.serving(ctx, b.pawl, b.noSlots(directory), func(s *server) error {
			figure, err = b.fill(ctx, s, count)
			return err
		})
		return figure, err
	}
}

// fill sends deliveries to the hook of noSlots and gives their rate.
func (b *bench) fill(ctx context.Context, s *server, count int) (float64, error) {
	l := load{address: s.address, requests: [][]byte{post("queue", payload(300))}, connections: connections, count: count, status: http.StatusOK}
	got, err := l.run(ctx)
	if err != nil {
		return 0, err
	}
	return got.perSecond(), nil
}

func (b *bench) accept(ctx context.Context) ([]row, error) {
	count := b.number(40_000, 5_000) // fewer than fill the memory of -data-dir none
	samples, err := turns(ctx, b, b.accepted("", count), b.accepted("none", count))
	if err != nil {
		return nil, err
	}
	return []row{
		{What: "accepted while no script runs, 300 B", Unit: perSecond, Pawl: samples[0], Beside: "-data-dir none", Other: samples[1], Reach: reach{AtLeast: 0.6}},
		{What: "accepted while no script runs, 300 B", Unit: perSecond, Pawl: samples[0], Reach: reach{AtLeast: 15_000, Figure: true}},
	}, nil
}
