package admin_test

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// fake is an engine that remembers what it is given, and starts nothing.
type fake struct {
	mu      sync.Mutex
	records []run.Record      // the oldest first, with deliveries and attempts
	outputs map[string]string // "id/attempt"
	head    int
	omitted int64
	status  engine.Status
	paused  map[string]string
	pruned  []engine.Filter
	ended   chan struct{} // closed when Await is to return
	fail    error         // what every change fails with

	submitted []run.Submission
	most      int // submissions that are accepted; 0: all
}

func newFake(records ...run.Record) *fake {
	f := &fake{records: records, outputs: map[string]string{}, paused: map[string]string{}, ended: make(chan struct{})}
	f.status = engine.Status{Accepting: true, Durable: true, Hooks: map[string]engine.HookStatus{}}
	return f
}

func (f *fake) update(id string, change func(*run.Record)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.records {
		if f.records[i].ID == id {
			change(&f.records[i])
		}
	}
}

func matches(r *run.Record, filter engine.Filter) bool {
	return (filter.Hook == "" || r.Hook == filter.Hook) && (filter.State == "" || r.State == filter.State) &&
		(filter.Key == nil || r.Key.Set && r.Key.Text == *filter.Key) &&
		!r.Accepted.Before(filter.Since) && (filter.Before.IsZero() || r.Accepted.Before(filter.Before))
}

func (f *fake) List(_ context.Context, filter engine.Filter, page engine.Page) (engine.Listing, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var listing engine.Listing
	for _, r := range slices.Backward(f.records) {
		if !matches(&r, filter) || page.After != "" && r.ID >= page.After {
			continue
		}
		if len(listing.Runs) == cmp.Or(page.Limit, 50) {
			listing.Next = listing.Runs[len(listing.Runs)-1].ID
			break
		}
		r.Delivery, r.Attempts = nil, nil
		listing.Runs = append(listing.Runs, r)
	}
	return listing, nil
}

func (f *fake) Find(_ context.Context, prefix string) (*run.Record, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []string
	var record run.Record
	for _, r := range f.records {
		if strings.HasPrefix(r.ID, prefix) {
			found, record = append(found, r.ID), r
		}
	}
	switch len(found) {
	case 0:
		return nil, engine.ErrNotFound
	case 1:
		record.Attempts = slices.Clone(record.Attempts)
		return &record, nil
	}
	return nil, &engine.AmbiguousError{Prefix: prefix, IDs: found}
}

func (f *fake) Output(_ context.Context, id string, attempt int) ([]byte, int, int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	output, ok := f.outputs[id+"/"+string(rune('0'+attempt))]
	if !ok {
		return nil, 0, 0, engine.ErrNotFound
	}
	head := len(output)
	if f.omitted > 0 {
		head = f.head
	}
	return []byte(output), head, f.omitted, nil
}

func (f *fake) Submit(_ context.Context, s run.Submission) (run.Receipt, error) {
	if f.most > 0 && len(f.submitted) == f.most {
		return run.Receipt{}, engine.ErrFull
	}
	f.submitted = append(f.submitted, s)
	return run.Receipt{}, f.fail
}

func (f *fake) Delivery(context.Context, string) (*run.Delivery, error) {
	return nil, engine.ErrNotFound
}

func (f *fake) Why(_ context.Context, id string) (string, string, error) {
	return "behind a run of its key", "0190", nil
}

func (f *fake) Await(ctx context.Context, _ ...string) ([]run.Record, error) {
	select {
	case <-f.ended:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// change gives the ids of those runs of which final is as asked for.
func (f *fake) change(ids []string, final bool, state run.State) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return nil, f.fail
	}
	var done []string
	for i := range f.records {
		if r := &f.records[i]; slices.Contains(ids, r.ID) && r.State.Final() == final {
			r.State = state
			done = append(done, r.ID)
		}
	}
	return done, nil
}

func (f *fake) Cancel(_ context.Context, ids ...string) ([]string, error) {
	return f.change(ids, false, run.Cancelled)
}

func (f *fake) Rerun(_ context.Context, ids ...string) ([]string, error) {
	return f.change(ids, true, run.Queued)
}

func (f *fake) Pause(_ context.Context, hook, reason string) error {
	f.paused[hook] = reason
	f.status.Hooks[hook] = engine.HookStatus{Paused: reason}
	return f.fail
}

func (f *fake) Resume(_ context.Context, hook string) error {
	delete(f.paused, hook)
	delete(f.status.Hooks, hook)
	return f.fail
}

func (f *fake) Prune(_ context.Context, filter engine.Filter) (int, error) {
	f.pruned = append(f.pruned, filter)
	return 3, f.fail
}

func (f *fake) Status() engine.Status { return f.status }

// The runs that most tests have.
const (
	firstID  = "0192a000-0000-7000-8000-000000000001"
	secondID = "0192a000-0000-7000-8000-000000000002"
	thirdID  = "0192a001-0000-7000-8000-000000000003"
)

func at(second int) time.Time { return time.Date(2026, 1, 31, 12, 0, second, 0, time.UTC) }

// someRuns are a failed one, a running one and a waiting one.
func someRuns() []run.Record {
	delivery := &run.Delivery{
		ID: "0192a000-0000-7000-8000-0000000000d1", Received: at(0), Method: "POST", Path: "/hooks/deploy", RawQuery: "a=b",
		Host: "example.org", RemoteAddr: "192.0.2.1:99", Body: []byte(`{"ref":"main"}`),
		Header:      http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer leaked"}, "X-Token": {run.Withheld}},
		Credentials: &run.Credentials{Header: http.Header{"X-Token": {"s3cret"}}, RawQuery: "token=s3cret"},
	}
	record := func(id, hook string, state run.State, second int) run.Record {
		return run.Record{
			Run:        run.Run{ID: id, Hook: hook, Delivery: delivery, Key: run.Key{Text: "acme", Set: true}},
			DeliveryID: delivery.ID, State: state, Accepted: at(second),
		}
	}
	failed := record(firstID, "deploy", run.Failed, 0)
	failed.Attempt, failed.Started, failed.Ended, failed.Reason = 2, at(3), at(5), "exit status 3"
	failed.Attempts = []run.Attempt{
		{Number: 1, OutputSize: 4, Outcome: run.Outcome{End: run.Signalled, ExitCode: -1, Signal: "killed", Started: at(1), Ended: at(2)}},
		{Number: 2, OutputSize: 7, Outcome: run.Outcome{End: run.Exited, ExitCode: 3, Reason: "exit status 3", Started: at(3), Ended: at(5), HookHash: "abc", Results: []run.Result{{Name: "tag", Value: "v1"}}}},
	}
	running := record(secondID, "deploy", run.Running, 1)
	running.Attempt, running.Started, running.Element = 1, at(1), `{"n":1}`
	waiting := record(thirdID, "scan", run.Queued, 2)
	waiting.Key = run.Key{}
	return []run.Record{failed, running, waiting}
}

func newAPI(t *testing.T, options admin.Options) *admin.API {
	t.Helper()
	if options.Hooks == nil {
		set := hook.NewSet(readHooks(t))
		options.Hooks = func() *hook.Set { return set }
	}
	api, err := admin.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// readHooks has a hook that triggers on two branches, for each of the tags, and
// one with a slash in its id.
func readHooks(t *testing.T) []*hook.Hook {
	t.Helper()
	hooks, problems := hook.Read("hooks.yaml", []byte(`
- id: deploy
  execute-command: ./deploy.sh
  trigger-rule:
    and:
      - match: { type: payload-hmac-sha256, secret: s3cret, parameter: { source: header, name: X-Signature } }
      - match: { type: regex, regex: ^(main|next)$, parameter: { source: payload, name: ref } }
- id: team/scan
  execute-command: ./scan.sh
`), hook.Options{})
	if problems.Errors() > 0 {
		t.Fatal(problems)
	}
	return hooks
}
