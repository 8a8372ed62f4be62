//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// side is one of those that are compared: it measures once.
type side[T any] func(ctx context.Context) (T, error)

// turns lets each side measure once a round, A B A B, so that whatever slows
// the machine for a while slows both; and gives each side's samples.
func turns[T any](ctx context.Context, b *bench, sides ...side[T]) ([][]T, error) {
	samples := make([][]T, len(sides))
	for round := range b.rounds {
		for i, measure := range sides {
			sample, err := measure(ctx)
			if err != nil {
				return nil, fmt.Errorf("round %d: %w", round+1, err)
			}
			b.say("round %d, side %d: %+v", round+1, i+1, sample)
			samples[i] = append(samples[i], sample)
		}
	}
	return samples, nil
}

// figures picks one figure of each sample.
func figures[T any](samples []T, pick func(T) float64) []float64 {
	list := make([]float64, len(samples))
	for i, sample := range samples {
		list[i] = pick(sample)
	}
	return list
}

// serving starts a server, waits until it rests, and ends it after do.
func (b *bench) serving(ctx context.Context, who contender, what setup, do func(*server) error) error {
	s, err := b.start(ctx, who, what)
	if err != nil {
		return err
	}
	err = s.settle(ctx)
	if err == nil && who.pawl && what.directory != "none" {
		err = s.mustBeDurable(ctx)
	}
	switch {
	case err != nil:
	case b.profile && who.pawl:
		err = b.profiled(ctx, s, do)
	default:
		err = do(s)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", who.name, err)
	}
	return errors.Join(err, s.stop())
}

// loop runs a script so many times in the bare loop, as wide as the CPUs, and
// gives the seconds that it took.
func (b *bench) loop(ctx context.Context, count int) (float64, error) {
	said, err := exec.CommandContext(ctx, b.spawn, b.scripts.nothing, strconv.Itoa(count), strconv.Itoa(runtime.NumCPU())).Output()
	if err != nil {
		return 0, fmt.Errorf("the posix_spawn loop: %w", err)
	}
	return strconv.ParseFloat(strings.TrimSpace(string(said)), 64)
}
