package admin_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// bulk sends a Bulk and reads the lines of the answer.
func bulk(t *testing.T, api *admin.API, what, body string) (results []admin.Done) {
	t.Helper()
	answer := ask(api, "POST", "/api/v1/runs/"+what, body)
	if answer.Code != 200 {
		t.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
	for line := range strings.Lines(answer.Body.String()) {
		var result admin.Done
		if err := json.Unmarshal([]byte(line), &result); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		results = append(results, result)
	}
	return results
}

func TestBulk(t *testing.T) {
	const no, ended = "it neither has ended nor waits to be tried again, or is not known", "it has ended already, or is not known"
	cases := []struct {
		name, what, body string
		want             []admin.Done
	}{
		{"retry by id", "retry", `{"ids":["` + firstID + `","` + secondID + `"]}`, []admin.Done{{ID: firstID, Done: true}, {ID: secondID, Error: no}}},
		{"retry means failed runs", "retry", `{"filter":{}}`, []admin.Done{{ID: firstID, Done: true}}},
		{"or those that are named", "retry", `{"filter":{"state":"running"}}`, []admin.Done{{ID: secondID, Error: no}}},
		{"retry tried out", "retry", `{"filter":{"hook":"deploy"},"dry_run":true}`, []admin.Done{{ID: firstID, DryRun: true}}},
		{"cancel means what has not ended", "cancel", `{"filter":{}}`, []admin.Done{{ID: thirdID, Done: true}, {ID: secondID, Done: true}}},
		{"cancel by id", "cancel", `{"ids":["` + firstID + `"]}`, []admin.Done{{ID: firstID, Error: ended}}},
		{"replay means all", "replay", `{"filter":{"key":"acme"}}`, []admin.Done{{ID: firstID, Done: true}, {ID: secondID, Done: true}}},
		{"nothing matches", "retry", `{"filter":{"hook":"nobody"}}`, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			options := wholeOptions(t)
			got := bulk(t, newAPI(t, options), c.what, c.body)
			for i := range got {
				got[i].DeliveryID, got[i].Runs = "", nil // they are new each time
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if first, _ := options.Engine.Find(t.Context(), firstID); c.name == "retry tried out" && first.State != run.Failed {
				t.Error("the dry run did something")
			}
		})
	}
}

// TestBulkOfMany: the oldest first, in parts, and one try after a dry one.
func TestBulkOfMany(t *testing.T) {
	var records []run.Record
	for i := range 2500 {
		records = append(records, run.Record{Run: run.Run{ID: fmt.Sprintf("0192a000-0000-7000-8000-%012d", i)}, State: run.Failed})
	}
	api := newAPI(t, admin.Options{Engine: newFake(records...)})
	for _, dry := range []string{"true", "false"} {
		results := bulk(t, api, "retry", `{"filter":{},"dry_run":`+dry+`}`)
		if len(results) != 2500 || results[0].ID != records[0].ID || results[2499].ID != records[2499].ID {
			t.Errorf("%d results", len(results))
		}
		for _, result := range results {
			if result.Done == result.DryRun {
				t.Fatalf("dry run %s: %+v", dry, result)
			}
		}
	}
}

// TestBulkBreaksOff: when the engine can do no more, what was done is told, and
// of the rest that it was not.
func TestBulkBreaksOff(t *testing.T) {
	f := newFake(someRuns()...)
	f.most = 1
	api := newAPI(t, admin.Options{Engine: f})
	results := bulk(t, api, "replay", `{"filter":{"hook":"deploy"}}`)
	if len(results) != 2 || !results[0].Done || results[1].Done || results[1].Error != engine.ErrFull.Error() {
		t.Errorf("%+v", results)
	}
}
