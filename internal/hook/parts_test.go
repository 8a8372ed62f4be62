package hook_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/hook"
)

func TestSet(t *testing.T) {
	a, b, c := &hook.Hook{ID: "a", Path: "push"}, &hook.Hook{ID: "b", Path: "push"}, &hook.Hook{ID: "push", Path: "push"}
	set := hook.NewSet([]*hook.Hook{a, b, c, {ID: "a", Path: "other"}})
	if diff := cmp.Diff([]string{"a", "b", "push"}, ids(set.At("push"))); diff != "" {
		t.Errorf("at push (-want +got):\n%s", diff)
	}
	if set.ByID("a") != a || set.Len() != 3 || len(set.At("other")) != 0 || len(set.At("a")) != 0 || set.ByID("x") != nil {
		t.Errorf("a is %v, %d hooks, at other %v", set.ByID("a"), set.Len(), set.At("other"))
	}
	set.All()[0] = nil
	if diff := cmp.Diff([]string{"a", "b", "push"}, ids(set.All())); diff != "" {
		t.Errorf("a Set changed (-want +got):\n%s", diff)
	}
	if empty := hook.NewSet(nil); empty.Len() != 0 || empty.ByID("") != nil || empty.At("") != nil {
		t.Error("an empty Set has hooks")
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "4096": 4096, "1B": 1, "1KiB": 1 << 10, "1.5MiB": 3 << 19, "2 GiB": 2 << 30, " 1TiB ": 1 << 40,
		"1KB": 1000, "1MB": 1e6, "1GB": 1e9, "1TB": 1e12,
	} {
		if got, err := hook.ParseSize(text); got != want || err != nil {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "-1", "1K", "KiB", "NaN", "Inf", "1e300", "9000000TiB", "1 2MiB", "1MiBB", "０"} {
		if got, err := hook.ParseSize(text); err == nil {
			t.Errorf("%q is %d, want an error", text, got)
		}
	}
}

func TestProblems(t *testing.T) {
	list := hook.Problems{
		{At: hook.Position{File: "a.yaml", Line: 3, Column: 5}, Hook: "x", Severity: hook.Warning, Text: "one"},
		{At: hook.Position{File: "b.yaml"}, Severity: hook.Error, Text: "two"},
	}
	if want := "a.yaml:3:5: hook \"x\": one\nb.yaml: two"; list.String() != want {
		t.Errorf("%q, want %q", list, want)
	}
	if list.Errors() != 1 || list.Refused() {
		t.Errorf("%d errors, refused %v", list.Errors(), list.Refused())
	}
	if list[1].Severity = hook.Refusal; list.Errors() != 1 || !list.Refused() {
		t.Errorf("%d errors, refused %v", list.Errors(), list.Refused())
	}
}
