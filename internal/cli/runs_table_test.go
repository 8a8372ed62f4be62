package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/run"
)

// someTime is now, for tests.
func someTime() time.Time { return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) }

// manyRuns are runs of every state.
func manyRuns() []admin.Run {
	key, wide := "registry.example.org/a/very/long/name:latest", "日本語"
	id := func(last string) string { return "0192a000-0000-7" + last + "-8000-000000000001" }
	now := someTime()
	return []admin.Run{
		{ID: id("000"), State: run.Queued, Hook: "deploy", Key: &key, Accepted: now.Add(-time.Second)},
		{ID: id("001"), State: run.Retrying, Hook: "deploy", Accepted: now.Add(-time.Minute), Started: now.Add(-time.Minute), Attempt: 1, NotBefore: now.Add(9 * time.Second), Reason: "exit status 75"},
		{ID: id("002"), State: run.Running, Hook: "scan", Key: &wide, Accepted: now.Add(-time.Hour), Started: now.Add(-time.Hour), Attempt: 12, Took: 3600},
		{ID: id("003"), State: run.Failed, Hook: "scan\x1b[31m", Accepted: now.Add(-72 * time.Hour), Started: now, Ended: now, Took: 0.0123, Attempt: 1, Reason: "exit status 3\nand more"},
		{ID: id("004"), State: run.Superseded, Hook: "scan", Accepted: now.Add(-47 * time.Hour), Ended: now, SupersededBy: id("003")},
		{ID: id("005"), State: run.Succeeded, Hook: "scan", Accepted: now, Started: now, Ended: now, Attempt: 1, Origin: &admin.Origin{Edited: true}},
	}
}

// TestList: columns stand below each other; nothing tells a terminal anything.
func TestList(t *testing.T) {
	want := strings.TrimPrefix(`
ID                  STATE       HOOK        KEY                                           AGE   TOOK  TRY  REASON
0192a000-0000-7000  queued      deploy      registry.example.org/a/very/long/name:latest   1s
0192a000-0000-7001  retrying    deploy                                                     1m          1  again in 10s; exit status 75
0192a000-0000-7002  running     scan        日本語                                         1h  1h0m0s   12
0192a000-0000-7003  failed      scan·[31m                                                  3d   12ms    1  exit status 3 and more
0192a000-0000-7004  superseded  scan                                                      47h              by 0192a000-0000-7003
0192a000-0000-7005  succeeded   scan                                                       0s     0s    1  (edited by hand)
`, "\n")
	var out bytes.Buffer
	listRuns(manyRuns(), someTime(), false).print(&out)
	// The widths of the two columns in the middle are the widest cells'.
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	if diff := cmp.Diff(squeeze(want), squeeze(out.String())); diff != "" {
		t.Errorf("%s\n%s", diff, &out)
	}
	starts := map[int]bool{}
	for line := range strings.Lines(out.String()) {
		if strings.TrimRight(line, " \n") != strings.TrimSuffix(line, "\n") {
			t.Errorf("blanks at the end of %q", line)
		}
		if at := strings.Index(line, "scan"); at >= 0 {
			starts[at] = true
		}
	}
	if len(starts) != 1 {
		t.Errorf("the hooks do not stand below each other:\n%s", &out)
	}
}

// TestListFits: on a terminal that is not wide enough, what may be cut is, and
// then columns go that can be missed.
func TestListFits(t *testing.T) {
	for _, c := range []struct {
		width, widest int
		titles        string
	}{
		{200, 142, "ID STATE HOOK KEY AGE TOOK TRY REASON"},
		{100, 100, "ID STATE HOOK KEY AGE TOOK TRY REASON"},
		{72, 72, "ID STATE HOOK KEY AGE TRY REASON"},
		{66, 66, "ID STATE HOOK KEY AGE REASON"},
		{60, 60, "ID STATE HOOK KEY REASON"},
		{50, 50, "ID STATE HOOK REASON"},
		{40, 50, "ID STATE HOOK REASON"}, // no terminal is that narrow
	} {
		l := listRuns(manyRuns(), someTime(), false)
		l.fit(c.width)
		var titles []string
		total := -2
		widths, _ := l.widths(1 << 20)
		for i, column := range l.columns {
			titles = append(titles, column.title)
			total += widths[i] + 2
		}
		if total > c.widest || strings.Join(titles, " ") != c.titles {
			t.Errorf("width %d: the list is %d wide, with %v", c.width, total, titles)
		}
		if text := l.rows[0][3]; 50 < c.width && c.width < 120 && !strings.HasSuffix(text, "…") {
			t.Errorf("width %d: a cell that was cut does not say so: %q", c.width, text)
		}
	}
}

// TestColourOnly: what a script printed reaches a terminal, in whatever pieces
// it came, as text and colours.
func TestColourOnly(t *testing.T) {
	cases := []struct{ name, printed, shown string }{
		{"text", "plain\ttext\r\n", "plain\ttext\r\n"},
		{"colours", "\x1b[1;31mred\x1b[m", "\x1b[1;31mred\x1b[m"},
		{"colours by colon", "\x1b[38:5:1mred", "\x1b[38:5:1mred"},
		{"other characters", "日本語 é 😀", "日本語 é 😀"},
		{"a title", "\x1b]0;evil\a", "·]0;evil·"},
		{"a cursor that moves", "\x1b[2J\x1b[H", "·[2J·[H"},
		{"a question to the terminal", "\x1b[6n\x1bP", "·[6n·P"},
		{"a sequence of eight bits", "\u009b2J", "··2J"},
		{"letters turned round", "\u202eabc", "···abc"},
		{"no text", "a\xff\xfeb", "a··b"},
		{"backspaces", "rm\b\bls", "rm··ls"},
		{"a colour without end", "\x1b[" + strings.Repeat("1;", 50) + "m", "·[" + strings.Repeat("1;", 50) + "m"},
	}
	for _, c := range cases {
		for _, piece := range []int{1, 2, 1000} {
			var out bytes.Buffer
			writer := &colourOnly{out: &out}
			for rest := []byte(c.printed); len(rest) > 0; {
				n := min(piece, len(rest))
				if written, err := writer.Write(rest[:n]); written != n || err != nil {
					t.Fatalf("%d, %v", written, err)
				}
				rest = rest[n:]
			}
			if got := out.String(); got != c.shown {
				t.Errorf("%s, %d bytes at a time: %q, not %q", c.name, piece, got, c.shown)
			}
		}
	}
}

// FuzzColourOnly: whatever is printed, in whatever pieces, no control sequence
// but a colour gets through.
func FuzzColourOnly(f *testing.F) {
	f.Add([]byte("\x1b[1;31mred\x1b]0;x\a\x9b"), 3)
	f.Fuzz(func(t *testing.T, printed []byte, piece int) {
		var whole, parts bytes.Buffer
		_, _ = (&colourOnly{out: &whole}).Write(printed)
		writer := &colourOnly{out: &parts}
		for rest := printed; len(rest) > 0; {
			n := min(max(piece, 1), len(rest))
			_, _ = writer.Write(rest[:n])
			rest = rest[n:]
		}
		if !bytes.Equal(whole.Bytes(), parts.Bytes()) {
			t.Errorf("in pieces it is %q, whole %q", &parts, &whole)
		}
		for rest := whole.Bytes(); ; {
			at := bytes.IndexByte(rest, 0x1b)
			if at < 0 {
				break
			}
			rest = rest[at:]
			end := bytes.IndexByte(rest, 'm')
			if end < 2 || rest[1] != '[' || len(bytes.Trim(rest[2:end], "0123456789;:")) > 0 {
				t.Fatalf("%q gets through", rest)
			}
			rest = rest[end:]
		}
	})
}

func TestAges(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 59 * time.Second: "59s", time.Minute: "1m", 59 * time.Minute: "59m",
		time.Hour: "1h", 47 * time.Hour: "47h", 48 * time.Hour: "2d",
	} {
		if got := age(d); got != want {
			t.Errorf("%v: %s", d, got)
		}
	}
	for seconds, want := range map[float64]string{0: "0s", 0.00123: "1.2ms", 0.1234: "123ms", 1.2345: "1.23s", 12.345: "12.3s", 3723: "1h2m3s"} {
		if got := took(seconds); got != want {
			t.Errorf("%v: %s", seconds, got)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1 << 20: "1.0 MiB", 3 << 29: "1.5 GiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

func TestParseAge(t *testing.T) {
	for text, want := range map[string]time.Duration{"2h": 2 * time.Hour, "7d": 168 * time.Hour, "0.5d": 12 * time.Hour, "2w": 336 * time.Hour, "90s": 90 * time.Second, "0": 0} {
		if got, err := parseAge(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "-1h", "-1d", "x", "NaNd", "Infd", "1e9d", "1e5w", "7 d"} {
		if got, err := parseAge(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

func TestTimeFlag(t *testing.T) {
	var at timeFlag
	for text, want := range map[string]time.Time{
		"2026-01-31T12:00:00Z": someTime(), "2026-01-31T13:00:00+01:00": someTime(),
		"2026-01-31": time.Date(2026, 1, 31, 0, 0, 0, 0, time.Local), "2026-01-31 12:30": time.Date(2026, 1, 31, 12, 30, 0, 0, time.Local),
	} {
		if err := at.Set(text); err != nil || !time.Time(at).Equal(want) {
			t.Errorf("%q: %v, %v", text, time.Time(at), err)
		}
	}
	if err := at.Set("2h"); err != nil || time.Since(time.Time(at)) < 2*time.Hour || time.Since(time.Time(at)) > 3*time.Hour {
		t.Errorf("2h ago is %v, %v", time.Time(at), err)
	}
	if err := at.Set("yesterday"); err == nil {
		t.Error("yesterday is taken for a time")
	}
}
