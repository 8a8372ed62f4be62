//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// atOnce runs n of a test at the same time.
func atOnce(t *testing.T, n int, one func(t *testing.T)) {
	t.Helper()
	var all sync.WaitGroup
	for range n {
		all.Go(func() { one(t) })
	}
	all.Wait()
}

// slowScan starts a scan whose scanner never ends, and waits until it is there.
func slowScan(t *testing.T, r *registry, work string) *service {
	t.Helper()
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "syft"), []byte("#!/bin/sh\nexec sleep 1000\n"), 0o755))
	s := quay(r, "acme/shop", "v1")
	// Under nohup, or in a shell's background, signals are ignored, which a script
	// cannot undo.
	args := append([]string{"--default-signal=INT,HUP", filepath.Join(place.root, "scripts", s.script)}, s.args...)
	cmd := exec.Command("env", args...)
	cmd.Env = append(baseEnv(work), "SCAN_WORK_DIR="+work, "PATH="+dir+":"+os.Getenv("PATH"), s.env[0])
	running := start(t, cmd)
	running.wait(t, "list the components", 1)
	return running
}

func runs(t *testing.T, work string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(work, "run.*"))
	check(t, err)
	return found
}

func TestAStoppedScanCleansUp(t *testing.T) {
	r := startRegistry(t, "")
	r.push(t, "acme/shop", "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
	for name, sig := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP} {
		t.Run(name, func(t *testing.T) {
			work := t.TempDir()
			running := slowScan(t, r, work)
			if n := len(runs(t, work)); n != 1 {
				t.Fatalf("%d runs while one runs", n)
			}
			running.signal(sig) // to the script alone, not to its scanner
			<-running.ended
			nothingLeft(t, work)
			if code := running.cmd.ProcessState.ExitCode(); code != 128+int(sig) {
				t.Errorf("exit %d", code)
			}
		})
	}
}

func TestTheNextScanSweepsWhatAKillLeft(t *testing.T) {
	r := startRegistry(t, "")
	r.push(t, "acme/shop", "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
	work := t.TempDir()
	killed, living := slowScan(t, r, work), slowScan(t, r, work)
	check(t, syscall.Kill(-killed.cmd.Process.Pid, syscall.SIGKILL)) // with all its children
	<-killed.ended
	if n := len(runs(t, work)); n != 2 {
		t.Fatalf("%d runs, want the dead and the living one", n)
	}

	s := quay(r, "acme/shop", "v1", "SCAN_WORK_DIR="+work)
	s.run(t).expect(t, 0, "removing what an interrupted scan left", "clean: ")
	left := runs(t, work)
	if len(left) != 1 {
		t.Fatalf("%d runs, want the living one alone: %v", len(left), left)
	}
	if _, err := os.Stat(filepath.Join(left[0], "image.tar")); err != nil {
		t.Errorf("the living run lost its image: %v", err)
	}
	living.signal(syscall.SIGTERM)
	<-living.ended
	nothingLeft(t, work)
}

func TestScansAtOnceDoNotTouchEachOther(t *testing.T) {
	r := startRegistry(t, "")
	packages := []string{"left-pad", "is-odd", "is-even", "is-ten"}
	for _, p := range packages {
		r.push(t, "acme/"+p, "v1", imageWith(t, p, "1.0.0", "amd64"))
	}
	work := t.TempDir()
	var mu sync.Mutex
	next := 0
	atOnce(t, len(packages), func(t *testing.T) {
		mu.Lock()
		own := packages[next]
		next++
		mu.Unlock()
		s := quay(r, "acme/"+own, "v1", "SCAN_WORK_DIR="+work)
		got := s.run(t)
		got.expect(t, 0)
		for _, report := range sboms(t, got.artifacts) {
			for _, p := range packages {
				if report.names(p, "1.0.0") != (p == own) {
					t.Errorf("the report of %s: %+v", own, report.Components)
				}
			}
		}
	})
	nothingLeft(t, work)
}

func TestAnUnsafeWorkingDirectoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	check(t, os.Symlink(dir, filepath.Join(dir, "link")))
	check(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	check(t, os.Mkdir(filepath.Join(dir, "other"), 0o777))
	check(t, os.Chown(filepath.Join(dir, "other"), 12345, 12345))
	for name, path := range map[string]string{"link": dir + "/link", "file": dir + "/file", "another user's": dir + "/other", "colon": dir + "/a:b"} {
		t.Run(name, func(t *testing.T) {
			scan{script: "quay-scan.sh", args: []string{"quay.io/acme/shop", "v1"}, env: []string{"SCAN_WORK_DIR=" + path}}.
				run(t).expect(t, 78, "SCAN_WORK_DIR")
		})
	}
	if entries, _ := os.ReadDir(filepath.Join(dir, "other")); len(entries) != 0 {
		t.Error("something was written there")
	}
}

func TestTheEndOfARunThatCannotStart(t *testing.T) {
	for name, c := range map[string]struct {
		env  string
		code int
		told string
	}{
		"no scanner":       {"PATH=/usr/bin:/bin", 69, "syft is not on PATH"},
		"unknown scanner":  {"SCANNER=magic", 78, "SCANNER: magic"},
		"unknown puller":   {"PULLER=magic", 78, "PULLER: magic"},
		"iq without a URL": {"SCANNER=iq-api", 78, "IQ_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			scan{script: "quay-scan.sh", args: []string{"quay.io/acme/shop", "v1"}, env: []string{c.env}}.run(t).expect(t, c.code, c.told)
		})
	}
	t.Run("too few arguments", func(t *testing.T) {
		got := scan{script: "quay-scan.sh", args: []string{"quay.io/acme/shop"}}.run(t)
		got.expect(t, 64, "usage")
		if strings.Contains(got.output, "unbound") {
			t.Error(got.output)
		}
	})
}

func TestSettingsMayBeRelativePaths(t *testing.T) {
	r, auth := startPrivateRegistry(t)
	r.push(t, "acme/shop", "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
	dir := t.TempDir()
	check(t, os.Rename(auth, filepath.Join(dir, "auth.json")))
	check(t, os.Mkdir(filepath.Join(dir, "reports"), 0o700))
	s := quay(r, "acme/shop", "v1")
	cmd := exec.Command(filepath.Join(place.root, "scripts", s.script), s.args...)
	cmd.Dir = dir
	cmd.Env = append(baseEnv(dir), s.env[0], "SCAN_WORK_DIR=scan", "REPORT_DIR=reports", "REGISTRY_AUTH_FILE=auth.json", "PAWL_SUMMARY=summary")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := len(sboms(t, filepath.Join(dir, "reports"))); n != 1 {
		t.Errorf("%d reports, want 1", n)
	}
	if _, err := os.Stat(filepath.Join(dir, "summary")); err != nil {
		t.Error(err)
	}
	nothingLeft(t, filepath.Join(dir, "scan"))
}
