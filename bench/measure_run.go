//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// connections is how many senders call at a time, where it is not said
// otherwise.
const connections = 64

// stormed is what one burst came to. Seconds and bytes.
type stormed struct{ answered, p99, ended, peak, processor float64 }

// storm sends a burst to an asynchronous hook and waits for the last script.
func (b *bench) storm(who contender, count, bytes int) side[stormed] {
	return func(ctx context.Context) (got stormed, err error) {
		what := setup{hooks: []entry{{ID: "burst", Command: b.scripts.nothing}}}
		err = b.serving(ctx, who, what, func(s *server) error {
			usedBefore, err := processor(s.pid())
			if err != nil {
				return err
			}
			began := time.Now()
			l := load{address: s.address, requests: [][]byte{post("burst", payload(bytes))}, connections: connections, count: count, status: http.StatusOK}
			answered, err := l.run(ctx)
			if err != nil {
				return err
			}
			last, lost, err := s.idle(ctx, count)
			if err != nil {
				return err
			}
			if lost > 0 && who.pawl {
				return fmt.Errorf("%d of %d scripts never ran", lost, count)
			}
			if lost > 0 {
				b.notes = append(b.notes, fmt.Sprintf("burst: %s answered %d deliveries and started %d scripts; its time is that of these", who.name, count, count-lost))
			}
			_, peak, err := memory(s.pid())
			if err != nil {
				return err
			}
			used, err := processor(s.pid())
			got = stormed{
				answered: answered.took.Seconds(), p99: answered.quantile(0.99).Seconds(), ended: last.Sub(began).Seconds(),
				peak: float64(peak), processor: (used - usedBefore).Seconds(),
			}
			return err
		})
		return got, err
	}
}

// looped is the bare loop as a side of a burst.
func (b *bench) looped(count int) side[stormed] {
	return func(ctx context.Context) (stormed, error) {
		took, err := b.loop(ctx, count)
		return stormed{ended: took}, err
	}
}

func (b *bench) burst(ctx context.Context) ([]row, error) {
	count := b.number(20_000, 2_000)
	samples, err := turns(ctx, b, b.storm(b.pawl, count, 300), b.storm(b.webhook, count, 300), b.looped(count))
	if err != nil {
		return nil, err
	}
	pawl, webhook, loop := samples[0], samples[1], samples[2]
	answered := func(s stormed) float64 { return s.answered }
	p99 := func(s stormed) float64 { return s.p99 }
	peak := func(s stormed) float64 { return s.peak }
	ended := func(s stormed) float64 { return s.ended }
	used := func(s stormed) float64 { return s.processor }
	return []row{
		{What: "burst, 300 B: last answer", Unit: seconds, Pawl: figures(pawl, answered), Beside: "webhook", Other: figures(webhook, answered), Reach: reach{AtMost: 0.6}},
		{What: "burst, 300 B: p99 of the answer", Unit: seconds, Pawl: figures(pawl, p99), Beside: "webhook", Other: figures(webhook, p99), Reach: reach{AtMost: 0.8}},
		{What: "burst, 300 B: peak resident memory", Unit: size, Pawl: figures(pawl, peak), Beside: "webhook", Other: figures(webhook, peak), Reach: reach{AtMost: 0.4}},
		{What: "burst, 300 B: last script ended (aim 1.2 ×)", Unit: seconds, Pawl: figures(pawl, ended), Beside: "loop", Other: figures(loop, ended), Reach: reach{AtMost: 1.35}},
		{What: "burst, 300 B: last script ended", Unit: seconds, Pawl: figures(pawl, ended), Beside: "webhook", Other: figures(webhook, ended)},
		{What: "burst, 300 B: the server's own CPU time", Unit: seconds, Pawl: figures(pawl, used), Beside: "webhook", Other: figures(webhook, used)},
	}, nil
}

func (b *bench) burst20k(ctx context.Context) ([]row, error) {
	count := b.number(20_000, 2_000)
	samples, err := turns(ctx, b, b.storm(b.pawl, count, 20_000), b.storm(b.webhook, count, 20_000))
	if err != nil {
		return nil, err
	}
	pawl, webhook := samples[0], samples[1]
	list := func(what string, u unit, r reach, pick func(stormed) float64) row {
		return row{What: "burst, 20 KB: " + what, Unit: u, Pawl: figures(pawl, pick), Beside: "webhook", Other: figures(webhook, pick), Reach: r}
	}
	return []row{
		list("last answer", seconds, reach{AtMost: 1}, func(s stormed) float64 { return s.answered }),
		list("p99 of the answer", seconds, reach{}, func(s stormed) float64 { return s.p99 }),
		list("peak resident memory", size, reach{}, func(s stormed) float64 { return s.peak }),
		list("last script ended", seconds, reach{AtMost: 1}, func(s stormed) float64 { return s.ended }),
	}, nil
}

// waited gives how a hook does that answers with its script's output.
func (b *bench) waited(who contender, senders int, pick func(answers) float64) side[float64] {
	return func(ctx context.Context) (figure float64, err error) {
		what := setup{hooks: []entry{{ID: "sync", Command: b.scripts.nothing, Output: true}}}
		err = b.serving(ctx, who, what, func(s *server) error {
			l := load{address: s.address, requests: [][]byte{post("sync", payload(300))}, connections: senders, duration: b.span(), status: http.StatusOK}
			got, err := l.run(ctx)
			figure = pick(got)
			return err
		})
		return figure, err
	}
}

func (b *bench) sync(ctx context.Context) ([]row, error) {
	count := b.number(10_000, 1_000)
	bare := func(ctx context.Context) (float64, error) {
		took, err := b.loop(ctx, count)
		return float64(count) / took, err
	}
	samples, err := turns(ctx, b, b.waited(b.pawl, 8, answers.perSecond), b.waited(b.webhook, 8, answers.perSecond), bare)
	if err != nil {
		return nil, err
	}
	const what = "sync hook, 8 connections: scripts finished"
	return []row{
		{What: what, Unit: perSecond, Pawl: samples[0], Beside: "webhook", Other: samples[1], Reach: reach{AtLeast: 1.1}},
		{What: what, Unit: perSecond, Pawl: samples[0], Beside: "loop", Other: samples[2], Reach: reach{AtLeast: 0.85}},
	}, nil
}

func (b *bench) one(ctx context.Context) ([]row, error) {
	middle := func(got answers) float64 { return got.quantile(0.5).Seconds() }
	samples, err := turns(ctx, b, b.waited(b.pawl, 1, middle), b.waited(b.webhook, 1, middle))
	if err != nil {
		return nil, err
	}
	return []row{{What: "sync hook, one at a time: median", Unit: seconds, Pawl: samples[0], Beside: "webhook", Other: samples[1], Reach: reach{AtMost: 1}}}, nil
}
