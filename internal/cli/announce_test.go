package cli

import (
	"bytes"
	"testing"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
)

// TestPausedHooksAreTold at the start, those alone, in the order of their names.
func TestPausedHooksAreTold(t *testing.T) {
	var out bytes.Buffer
	tellPaused(engine.Status{Hooks: map[string]engine.HookStatus{
		"scan":   {Waiting: 2, Paused: "by root: the disk is exchanged"},
		"greet":  {Waiting: 1},
		"deploy": {Paused: "by Pawl: 3 runs in a row have failed"},
	}}, zerolog.New(&out))
	want := `{"level":"warn","hook":"deploy","waiting":0,"why":"by Pawl: 3 runs in a row have failed","message":"paused: its runs wait for pawl runs resume"}
{"level":"warn","hook":"scan","waiting":2,"why":"by root: the disk is exchanged","message":"paused: its runs wait for pawl runs resume"}
`
	if out.String() != want {
		t.Errorf("told is\n%s", &out)
	}
}
