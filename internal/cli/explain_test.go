package cli

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var updateExplain = flag.Bool("update-explain", false, "write what pawl explain prints into testdata/explain")

// TestExplain puts requests before hooks. Each file of testdata/explain has, in
// its first line, the exit status and further flags, then the hook file, the
// request as it goes over the wire, and what is printed.
func TestExplain(t *testing.T) {
	files, err := filepath.Glob("testdata/explain/*.txtar")
	if err != nil || len(files) < 20 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			explainFile(t, file)
		})
	}
}

func explainFile(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	var want *txtar.File
	for i := range archive.Files {
		if f := &archive.Files[i]; f.Name == "want" {
			want = f
		} else if err := os.WriteFile(filepath.Join(directory, f.Name), bytes.TrimSuffix(f.Data, []byte("\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first, _, _ := strings.Cut(string(archive.Comment), "\n")
	status, flags, _ := strings.Cut(first, " ")
	args := []string{
		"explain", "-hooks", filepath.Join(directory, "hooks.yaml"), "--request", filepath.Join(directory, "request"),
		"--at", "2026-01-31T12:00:00Z", "hook",
	}
	var stdout, stderr bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
	code := a.main(context.Background(), append(args, strings.Fields(flags)...))
	if got := "exit " + string(rune('0'+code)); "exit "+status != got {
		t.Errorf("%s, want exit %s\n%s", got, status, &stderr)
	}
	printed := strings.ReplaceAll(stdout.String()+stderr.String(), directory+string(filepath.Separator), "")
	if *updateExplain {
		want.Data = []byte(printed)
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(want.Data), printed); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, secret := range []string{"s3cret", "t0ken-of-mine"} {
		if strings.Contains(printed, secret) {
			t.Errorf("a secret is printed:\n%s", printed)
		}
	}
}
