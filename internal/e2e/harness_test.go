//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A deadline for one thing that is waited for; generous, for CI machines are slow.
const patience = 3 * time.Minute

// tools is what the tests need, and how it is had.
var tools = map[string]string{
	"skopeo":          "apt-get install skopeo",
	"jq":              "apt-get install jq",
	"curl":            "apt-get install curl",
	"docker-registry": "apt-get install docker-registry",
	"dockerd":         "apt-get install docker.io",
	"docker":          "apt-get install docker.io",
	"podman":          "apt-get install podman",
	"openssl":         "apt-get install openssl",
	"flock":           "apt-get install util-linux",
	"dash":            "apt-get install dash",
	"bash":            "apt-get install bash",
	"java":            "apt-get install default-jdk-headless",
	"javac":           "apt-get install default-jdk-headless",
	"jar":             "apt-get install default-jdk-headless",
	"syft":            "scripts/install-tools.sh",
	"git":             "apt-get install git",
	"node":            "apt-get install nodejs",
	"npm":             "apt-get install npm",

	"prometheus-alertmanager": "apt-get install prometheus-alertmanager",
}

// place is where the tests find what TestMain made.
var place struct {
	root string // the checkout
	pawl string // the built binary
	jar  string // the stand-in for nexus-iq-cli.jar
}

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "pawl-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		if err := prepare(dir); err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
			return 1
		}
		return m.Run()
	}())
}

// prepare finds the tools and builds Pawl and the stand-in jar in dir.
func prepare(dir string) error {
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	place.root = root
	path := filepath.Join(root, "build", "bin") + ":" + os.Getenv("PATH") + ":/usr/sbin:/sbin"
	if err := os.Setenv("PATH", path); err != nil {
		return err
	}
	var missing error
	for tool, how := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			missing = errors.Join(missing, fmt.Errorf("%s is missing: %s", tool, how))
		}
	}
	if missing != nil {
		return missing
	}
	// E2E_PAWL names a built listener: a release's, or that of webhook, to compare.
	if place.pawl = os.Getenv("E2E_PAWL"); place.pawl == "" {
		place.pawl = filepath.Join(dir, "pawl")
		if _, err := command(root, "go", "build", "-o", place.pawl, "./cmd/pawl"); err != nil {
			return err
		}
	}
	place.jar = filepath.Join(dir, "nexus-iq-cli.jar")
	source := filepath.Join(root, "internal/e2e/testdata/NexusIqCli.java")
	if _, err := command(dir, "javac", "-d", dir, source); err != nil {
		return err
	}
	_, err = command(dir, "jar", "cfe", place.jar, "NexusIqCli", "NexusIqCli.class")
	return err
}

// command runs a program to its end and returns its standard output; its
// messages are part of the error.
func command(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var out, messages strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &messages
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out.String(), messages.String())
	}
	return out.String(), nil
}

// must runs a program that has to end well.
func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := command(t.TempDir(), name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// scan is how a script is called: the listener's way, without the listener.
type scan struct {
	shell  string   // the interpreter; empty: the script's own
	script string   // quay-scan.sh
	env    []string // over a clean environment
	args   []string
	stop   time.Duration // 0: patience
}

// result is what a script did.
type result struct {
	code      int
	output    string // standard output and error together
	workDir   string
	artifacts string
	summary   string
	results   map[string]string // PAWL_OUTPUT
}

// baseEnv is what every script gets: no setting of the machine's own.
func baseEnv(work string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + work, "SCAN_WORK_DIR=" + filepath.Join(work, "scan"), "SCANNER=syft"}
}

// run runs the script to its end.
func (s scan) run(t *testing.T) result {
	t.Helper()
	work := t.TempDir()
	artifacts := filepath.Join(work, "artifacts")
	if err := os.Mkdir(artifacts, 0o700); err != nil {
		t.Fatal(err)
	}
	limit := s.stop
	if limit == 0 {
		limit = patience
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := s.command(ctx)
	cmd.Dir = work
	cmd.Env = append(baseEnv(work), "PAWL_ARTIFACTS="+artifacts, "PAWL_SUMMARY="+filepath.Join(work, "summary.md"),
		"PAWL_OUTPUT="+filepath.Join(work, "output"))
	cmd.Env = append(cmd.Env, s.env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatalf("%s did not end in %v:\n%s", s.script, limit, out)
	}
	r := result{code: cmd.ProcessState.ExitCode(), output: string(out), workDir: filepath.Join(work, "scan"), artifacts: artifacts, results: map[string]string{}}
	if summary, err := os.ReadFile(filepath.Join(work, "summary.md")); err == nil {
		r.summary = string(summary)
	}
	if text, err := os.ReadFile(filepath.Join(work, "output")); err == nil {
		for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			name, value, _ := strings.Cut(line, "=")
			r.results[name] = value
		}
	}
	nothingLeft(t, r.workDir)
	return r
}

func (s scan) command(ctx context.Context) *exec.Cmd {
	script := filepath.Join(place.root, "scripts", s.script)
	if s.shell == "" {
		return exec.CommandContext(ctx, script, s.args...)
	}
	return exec.CommandContext(ctx, s.shell, append([]string{script}, s.args...)...)
}

// nothingLeft fails if a scan left anything but the directory's own lock behind.
func nothingLeft(t *testing.T, workDir string) {
	t.Helper()
	entries, err := os.ReadDir(workDir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == ".lock" {
			continue
		}
		t.Errorf("left behind in the working directory: %s", e.Name())
	}
}

// expect fails unless the script ended with code and its output matches every pattern.
func (r result) expect(t *testing.T, code int, patterns ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit %d, want %d:\n%s", r.code, code, r.output)
	}
	for _, p := range patterns {
		if !regexp.MustCompile(p).MatchString(r.output) {
			t.Errorf("output does not match %q:\n%s", p, r.output)
		}
	}
}
