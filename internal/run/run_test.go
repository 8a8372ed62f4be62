package run_test

import (
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/run"
)

func TestTook(t *testing.T) {
	began := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	attempts := []run.Attempt{{Outcome: run.Outcome{Started: at(0), Ended: at(1)}}, {Outcome: run.Outcome{Started: at(5), Ended: at(7)}}}
	tests := []struct {
		name   string
		record run.Record
		want   time.Duration
	}{
		{"it was never started", run.Record{State: run.Queued}, 0},
		{"it runs", run.Record{State: run.Running, Started: at(10), Attempts: attempts}, 20 * time.Second},
		{"it ended", run.Record{State: run.Failed, Started: at(5), Ended: at(8), Attempts: attempts}, 2 * time.Second},
		{"it ended, in a list", run.Record{State: run.Failed, Started: at(5), Ended: at(8)}, 3 * time.Second},
		{"it waits again", run.Record{State: run.Retrying, Started: at(5), Attempts: attempts}, 2 * time.Second},
		{"it waits again, in a list", run.Record{State: run.Retrying, Started: at(5)}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.record.Took(at(30)); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}
