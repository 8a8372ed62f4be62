package admin_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/run"
)

// TestReplay: the delivery is a new one that says where it comes from, who
// called is not asked again, and an edited payload is marked, also when it is
// sent once more.
func TestReplay(t *testing.T) {
	f := newFake(someRuns()...)
	api := newAPI(t, admin.Options{Engine: f})
	original := *someRuns()[0].Delivery
	replay := "/api/v1/runs/" + firstID + "/replay"
	ask(api, "POST", replay, "")
	ask(api, "POST", replay+"?edited=1", `{"ref":"next"}`)
	if len(f.submitted) != 2 {
		t.Fatalf("%d were submitted", len(f.submitted))
	}
	f.update(firstID, func(r *run.Record) { r.Delivery = f.submitted[1].Delivery })
	answer := ask(api, "POST", replay, "")

	want, got := []run.Delivery{original, original, original}, []run.Delivery{}
	for i, s := range f.submitted {
		got = append(got, *s.Delivery)
		if got[i].ID == original.ID || !got[i].Received.After(original.Received) {
			t.Errorf("the delivery is no new one: %+v", got[i])
		}
		want[i].ID, want[i].Received, want[i].Origin = got[i].ID, got[i].Received, run.Origin{Kind: run.Replay, Of: original.ID, Edited: i > 0}
		if len(s.Parts) != 1 || s.Parts[0].Hook != "deploy" || len(s.Parts[0].Runs) != 1 || s.Parts[0].Dedupe != 0 {
			t.Errorf("the parts are %+v", s.Parts)
		}
	}
	want[1].Body, want[2].Body, want[2].Origin.Of = []byte(`{"ref":"next"}`), []byte(`{"ref":"next"}`), got[1].ID
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var told admin.Done
	if err := json.Unmarshal(answer.Body.Bytes(), &told); err != nil || told.DeliveryID != got[2].ID || len(told.Runs) != 1 || told.Runs[0] != f.submitted[2].Parts[0].Runs[0].ID {
		t.Errorf("it tells %s", answer.Body)
	}
}

// TestReplayMakesNoRun: rules are asked again, as they are today.
func TestReplayMakesNoRun(t *testing.T) {
	f := newFake(someRuns()...)
	api := newAPI(t, admin.Options{Engine: f})
	answer := ask(api, "POST", "/api/v1/runs/"+firstID+"/replay?edited=1", `{"ref":"attic"}`)
	if answer.Code != 409 || !strings.Contains(answer.Body.String(), "makes no run of it") || len(f.submitted) > 0 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if answer := ask(api, "POST", "/api/v1/runs/"+firstID+"/replay?edited=1", strings.Repeat("x", 33<<20)); answer.Code != 413 {
		t.Errorf("a payload without bounds: %d", answer.Code)
	}
}
