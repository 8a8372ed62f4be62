package sender

import (
	"net/url"
	"runtime"
	"strings"
	"testing"
)

// What is done with a delivery before anybody knows who sent it costs memory in
// proportion to its body, and mistakes are looked for in small ones alone.
func TestWhatStrangersCost(t *testing.T) {
	const wrong = "0000000000000000000000000000000000000000000000000000000000000000"
	gate, errs := NewGate(Config{Sender: gitea(), Secret: secrets("s3cret-key", "another-key", "third-key")})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	escaped := url.QueryEscape(`{"a":"` + strings.Repeat("é", 1<<20) + `"}`)
	for _, c := range []struct {
		name, body string
		most       float64 // bytes that are allocated, by those of the body
		hints      bool
	}{
		{"a form", "payload=" + strings.Repeat("x", 4<<20), 0.1, false},
		{"a form whose value is escaped", "payload=" + escaped, 0.7, false},
		{"JSON", `{"a":"` + strings.Repeat("x", 4<<20) + `"}`, 0.1, false},
		{"a form of which mistakes are looked for", "payload=" + strings.Repeat("x", 512<<10), 5, true},
		{"the same of JSON", `{"a":"` + strings.Repeat("x", 512<<10) + `"}`, 7, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request("X-Gitea-Signature: "+wrong, "X-Hub-Signature-256: sha256="+wrong, "Content-Type: application/x-www-form-urlencoded").with(body(c.body))
			ask := func() {
				if _, err := gate.Verify(t.Context(), r); err == nil {
					t.Error("it passes")
				}
				if hints := gate.Hints(r); len(hints) > 0 && !c.hints {
					t.Errorf("mistakes are looked for: %q", hints)
				}
			}
			ask() // sets up what is used again
			if got := allocated(ask) / float64(len(c.body)); got > c.most {
				t.Errorf("%.2f times the body are allocated, want at most %.1f", got, c.most)
			}
		})
	}
}

// allocated is how many bytes a func allocates.
func allocated(ask func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ask()
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc - before.TotalAlloc)
}

// However many headers look like signatures, few are tried.
func TestFewSignaturesAreTried(t *testing.T) {
	r := request()
	r.Header["X-S"] = []string{strings.Repeat("00000000000000000000000000000000000000000=,", 10_000) + strings.Repeat(strings.Repeat("0", 64)+",", 10_000)}
	if got := len(shownIn(r.Header)); got == 0 || got > 2*maxShown {
		t.Errorf("%d are tried", got)
	}
}
