//go:build unix

package cli

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// pawlServer is how the cases start Pawl; its first word is this test binary.
// PAWL_COMPAT_SERVER puts another command in its place, say
// "webhook -hooks {hooks} -ip 127.0.0.1 -port {port}", to check the runner itself.
const pawlServer = "pawl -hooks {hooks} -ip 127.0.0.1 -port {port} -admin off -data-dir state -journal-reserve 1MiB"

// TestCompat replays what was recorded from webhook 2.8.2: requests, what came
// back, and what the commands saw. Each theme is a file of testdata/compat/cases.
// A case marked as quirk may differ where testdata/compat/differences.txt says so.
func TestCompat(t *testing.T) {
	t.Parallel()
	template := os.Getenv("PAWL_COMPAT_SERVER")
	lab := newLab(t, cmp.Or(template, pawlServer))
	documents := readCases(t)
	meant := readMeantDifferences(t, documents)
	if template != "" {
		meant = nil // they are Pawl's
	}
	for _, d := range documents {
		t.Run(d.Theme, func(t *testing.T) {
			t.Parallel()
			for _, g := range d.Groups {
				playGroup(t, lab, d.Theme, g, meant)
			}
		})
	}
}

// playGroup runs the cases of one group, in order, on one server, which starts
// with the first case that -run chooses.
func playGroup(t *testing.T, lab *lab, theme string, g group, meant map[string]string) {
	var server *testServer
	defer func() {
		if server != nil {
			server.stop(t)
		}
	}()
	for i, c := range g.Cases {
		t.Run(c.Name, func(caseT *testing.T) {
			if server == nil {
				var err error
				if server, err = lab.start(g); err != nil {
					caseT.Fatal(err)
				}
			}
			problems := server.play(c, i == len(g.Cases)-1)
			why, listed := meant[theme+"/"+c.Name]
			if listed && len(problems) > 0 {
				caseT.Logf("differs as meant (%s): %s", why, strings.Join(problems, "; "))
				// The difference may be a command that the record does not have: it
				// must not be taken for the next case's.
				_, _ = server.takeRun(strayWait)
			}
			if complaint := judge(c.Quirk, listed, problems); complaint != "" {
				caseT.Error(complaint)
			}
		})
	}
}

// play runs one case and returns how it differs from the record. After a
// group's last case no command may be left that nobody expected.
func (s *testServer) play(c compatCase, last bool) []string {
	got, err := s.observe(c)
	var problems []string
	if err != nil {
		problems = []string{err.Error() + s.howItEnded()}
	} else {
		problems = append(differences(c.Expect, got, ""), s.missingLogLines(c.Log)...)
	}
	if !last {
		return problems
	}
	if stray, err := s.takeRun(grace); stray != nil || err != nil {
		problems = append(problems, fmt.Sprintf("a command ran that no case expected: %.120q (%v)", stray["argv"].data, err))
	}
	return problems
}

// howItEnded says why a server that is gone is gone.
func (s *testServer) howItEnded() string {
	status, ended := s.waitExit(0)
	if !ended {
		return ""
	}
	log := strings.TrimSpace(s.log())
	return fmt.Sprintf("; the server ended with status %d: %q", status, log[max(len(log)-200, 0):])
}

// missingLogLines returns a problem for each pattern that the log never matches.
// The patterns are Python's: ^ and $ are lines' ends, \Z is the end of all.
func (s *testServer) missingLogLines(patterns []string) []string {
	limit := logWait
	if s.hasExited() {
		limit = 0 // it has said all
	}
	var problems []string
	for _, pattern := range patterns {
		matcher, err := regexp.Compile("(?m)" + strings.ReplaceAll(pattern, `\Z`, `\z`))
		if err != nil {
			problems = append(problems, fmt.Sprintf("log: %v", err))
		} else if !poll(limit, func() bool { return matcher.MatchString(s.log()) }) {
			problems = append(problems, fmt.Sprintf("log: no line like %q", pattern))
		}
	}
	return problems
}

// judge says what is wrong with a case's outcome, or nothing. Listed means
// that Pawl is meant to differ in it.
func judge(quirk string, listed bool, problems []string) string {
	differs, found := len(problems) > 0, strings.Join(problems, "\n")
	switch {
	case differs && quirk == "":
		return "not as recorded:\n" + found
	case differs && !listed:
		return fmt.Sprintf("a quirk (%s), but not as recorded, and differences.txt does not list it:\n%s", quirk, found)
	case !differs && listed:
		return "differences.txt lists this case, but it is as recorded: remove the line"
	}
	return ""
}

// readMeantDifferences reads differences.txt: why, by theme/name.
func readMeantDifferences(t *testing.T, documents []document) map[string]string {
	t.Helper()
	data, err := os.ReadFile("testdata/compat/differences.txt")
	if err != nil {
		t.Fatal(err)
	}
	quirks := map[string]bool{}
	for _, d := range documents {
		for _, g := range d.Groups {
			for _, c := range g.Cases {
				quirks[d.Theme+"/"+c.Name] = c.Quirk != ""
			}
		}
	}
	meant, problems := parseMeantDifferences(string(data), quirks)
	for _, problem := range problems {
		t.Errorf("differences.txt:%s", problem)
	}
	return meant
}

// parseMeantDifferences reads lines "theme/name — why"; quirks has every case,
// true for those that may be listed.
func parseMeantDifferences(content string, quirks map[string]bool) (meant map[string]string, problems []string) {
	meant = map[string]string{}
	for i, line := range strings.Split(content, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, why, _ := strings.Cut(line, " — ")
		quirk, known := quirks[name]
		_, twice := meant[name]
		switch {
		case why == "":
			problems = append(problems, fmt.Sprintf(`%d: want "theme/name — why", got %q`, i+1, line))
		case !known:
			problems = append(problems, fmt.Sprintf("%d: there is no case %q", i+1, name))
		case !quirk:
			problems = append(problems, fmt.Sprintf("%d: %q is no quirk; Pawl must do as recorded", i+1, name))
		case twice:
			problems = append(problems, fmt.Sprintf("%d: %q is listed twice", i+1, name))
		default:
			meant[name] = why
		}
	}
	return meant, problems
}

// TestCompatSeedHooks loads hook files of the shape that operators really
// have, slips of the pen included (trailing commas, a tab), unchanged.
func TestCompatSeedHooks(t *testing.T) {
	t.Parallel()
	lab := newLab(t, cmp.Or(os.Getenv("PAWL_COMPAT_SERVER"), pawlServer))
	ids := map[string]string{
		"dockerHub-scan.json": "dockerHub-scan", "iq-consume.json": "iq-consume", "jenkins.json": "jenkins",
		"nxrm-consume.json": "nxrm-upload", "nxrm-prime.json": "prime-repo", "quay.json": "quay", "test.json": "test",
	}
	paths, err := filepath.Glob("testdata/compat/seed-hooks/*.json")
	if err != nil || len(paths) != len(ids) {
		t.Fatalf("want %d seed hook files, got %q (%v)", len(ids), paths, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			// A hook that is there refuses the method; one that is not is not found.
			// Their commands are not on this machine and must not run.
			server, err := lab.start(group{HooksText: &text{content: string(data), raw: true},
				HooksName: filepath.Base(path), Flags: []string{"-http-methods", "PATCH"}})
			if err != nil {
				t.Fatal(err)
			}
			defer server.stop(t)
			for id, status := range map[string]int{ids[filepath.Base(path)]: 405, "absent": 404} {
				got, _, err := server.exchange(&requestSpec{Method: "POST", Target: text{content: "/hooks/" + id}})
				if err != nil || got.status != status {
					t.Errorf("POST /hooks/%s: want status %d, got %d (%v)%s", id, status, got.status, err, server.howItEnded())
				}
			}
		})
	}
}

// TestCompatRunner shows that the runner of the cases finds what it is to find.
func TestCompatRunner(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	compared := []struct {
		name      string
		want, got any
		problems  []string
	}{
		{"equal", object{"status": 200.0, "body": "a"}, object{"status": 200.0, "body": "a"}, nil},
		{"other status", object{"status": 200.0}, object{"status": 404.0}, []string{"status: want 200 got 404"}},
		{"no answer", object{"status": 200.0}, object{"status": nil}, []string{"status: want 200 got null"}},
		{"null is absent", object{"run": nil}, object{}, nil},
		{"a run too many", object{"run": nil}, object{"run": object{}}, []string{"run: want null got {}"}},
		{"something unrecorded", object{}, object{"interim": []any{100.0}}, []string{"interim: want null got [100]"}},
		{"another variable", object{"run": object{"env": object{}}}, object{"run": object{"env": object{"PAWL_RUN_ID": "1"}}}, nil},
		{"another HOOK_ variable", object{"run": object{"env": object{}}}, object{"run": object{"env": object{"HOOK_a": "1"}}},
			[]string{`run.env.HOOK_a: want null got "1"`}},
		{"an argument", object{"argv": []any{"a"}}, object{"argv": []any{"a", ""}}, []string{`argv: want ["a"] got ["a",""]`}},
	}
	for _, c := range compared {
		t.Run(c.name, func(t *testing.T) {
			if got := differences(c.want, c.got, ""); strings.Join(got, "\n") != strings.Join(c.problems, "\n") {
				t.Errorf("want %q, got %q", c.problems, got)
			}
		})
	}
	for _, c := range []struct {
		quirk    string
		listed   bool
		problems []string
		verdict  string
	}{
		{"", false, nil, ""},
		{"", false, []string{"p"}, "not as recorded"},
		{"odd", false, nil, ""},
		{"odd", false, []string{"p"}, "does not list it"},
		{"odd", true, []string{"p"}, ""},
		{"odd", true, nil, "remove the line"},
	} {
		got := judge(c.quirk, c.listed, c.problems)
		if (got == "") != (c.verdict == "") || !strings.Contains(got, c.verdict) {
			t.Errorf("quirk %q, listed %v, problems %q: want %q, got %q", c.quirk, c.listed, c.problems, c.verdict, got)
		}
	}
	meant, problems := parseMeantDifferences("# c\n\na/q — why\na/q — again\na/q\na/n — no quirk\na/x — unknown\n",
		map[string]bool{"a/q": true, "a/n": false})
	if len(meant) != 1 || meant["a/q"] != "why" || len(problems) != 4 {
		t.Errorf("differences.txt: read %q with problems %q", meant, problems)
	}
}

// TestCompatRunnerSeesTime guards the wait of all cases: it ends early when
// the thing comes, and does end.
func TestCompatRunnerSeesTime(t *testing.T) {
	t.Parallel()
	asked := 0
	if !poll(time.Minute, func() bool { asked++; return asked == 3 }) || asked != 3 {
		t.Errorf("asked %d times", asked)
	}
	if poll(0, func() bool { return false }) {
		t.Error("what never comes came")
	}
}
