//go:build unix

package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/process"
	"github.com/pawlhq/pawl/internal/run"
)

// BenchmarkScripts runs a shell script that does nothing, some at a time. It
// tells the processor time of Pawl and of the scripts apart: that is what
// bounds how many end in a second.
func BenchmarkScripts(b *testing.B) {
	process.Quiet()
	script := filepath.Join(b.TempDir(), "nothing.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o700); err != nil {
		b.Fatal(err)
	}
	h := &hook.Hook{ID: "h", Command: script, Keep: hook.Keep{Output: hook.DefaultKeepOutput, Artifacts: hook.DefaultKeepArtifacts}}
	for _, wide := range []int{1, 2, 8, 32} {
		b.Run(fmt.Sprint(wide), func(b *testing.B) {
			r := New(Options{Hook: func(string) *hook.Hook { return h }, Environment: os.Environ(), Directory: b.TempDir(), Log: zerolog.Nop()})
			var mu sync.Mutex
			left := b.N
			more := func() bool {
				mu.Lock()
				defer mu.Unlock()
				left--
				return left >= 0
			}
			ownBefore, theirsBefore := processorTime(b)
			b.ReportAllocs()
			b.ResetTimer()
			var all sync.WaitGroup
			for range wide {
				all.Go(func() {
					for more() {
						if outcome := r.Run(b.Context(), attempt("h"), nil); outcome.State() != run.Succeeded {
							b.Error(outcome.Reason)
						}
					}
				})
			}
			all.Wait()
			b.StopTimer()
			own, theirs := processorTime(b)
			b.ReportMetric(float64((own-ownBefore).Microseconds())/float64(b.N), "own-µs/op")
			b.ReportMetric(float64((theirs-theirsBefore).Microseconds())/float64(b.N), "script-µs/op")
		})
	}
}

// processorTime is what this process and its ended children have used so far.
func processorTime(b *testing.B) (own, children time.Duration) {
	b.Helper()
	used := func(who int) time.Duration {
		var usage syscall.Rusage
		if err := syscall.Getrusage(who, &usage); err != nil {
			b.Fatal(err)
		}
		return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	return used(syscall.RUSAGE_SELF), used(syscall.RUSAGE_CHILDREN)
}
