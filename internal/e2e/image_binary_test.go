//go:build e2e

package e2e

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// buildRelease compiles Pawl as a release is: the flags are the Dockerfile's.
func buildRelease(t *testing.T, source, output string, env ...string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", output, "./cmd/pawl")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), append([]string{"CGO_ENABLED=0", "GOFLAGS="}, env...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func fileDigest(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	check(t, err)
	return digest(b)
}

// The second build starts from nothing: another directory, an empty cache.
func TestTwoBuildsGiveTheSameProgram(t *testing.T) {
	first, second := checkoutCopy(t), filepath.Join(t.TempDir(), "elsewhere")
	must(t, "cp", "-R", first, second)
	buildRelease(t, first, filepath.Join(first, "pawl"))
	buildRelease(t, second, filepath.Join(second, "pawl"), "GOCACHE="+t.TempDir())
	a, b := fileDigest(t, filepath.Join(first, "pawl")), fileDigest(t, filepath.Join(second, "pawl"))
	if a != b {
		t.Errorf("two builds of the same source differ: %s, %s", a, b)
	}
}

// The image for arm64 is not built here; its program is.
func TestTheProgramForARM64(t *testing.T) {
	output := filepath.Join(t.TempDir(), "pawl")
	buildRelease(t, place.root, output, "GOOS=linux", "GOARCH=arm64")
	f, err := elf.Open(output)
	check(t, err)
	defer f.Close()
	if f.Machine != elf.EM_AARCH64 {
		t.Errorf("built for %v", f.Machine)
	}
	if libraries, err := f.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("it needs %v (%v), and must be static", libraries, err)
	}
}

// Who builds the image by a plain "docker build" gets the scanner that is tested.
func TestTheImagesSyftIsTheTestedOne(t *testing.T) {
	version := regexp.MustCompile(`(?i)syft_version=(v[0-9.]+)`)
	in := func(name string) string {
		text, err := os.ReadFile(filepath.Join(place.root, name))
		check(t, err)
		match := version.FindSubmatch(text)
		if match == nil {
			t.Fatalf("%s names no version of syft", name)
		}
		return string(match[1])
	}
	if image, tests := in("Dockerfile"), in("scripts/install-tools.sh"); image != tests {
		t.Errorf("the Dockerfile has syft %s, install-tools.sh %s", image, tests)
	}
}

// testImageCompiles builds Pawl as a plain "docker build" does, in a container
// with Go, and compares it with the one built outside.
func testImageCompiles(t *testing.T, d *docker, source, context string) {
	// This machine's own Go, and the certificates that it trusts.
	file := filepath.Join(t.TempDir(), "Dockerfile")
	check(t, os.WriteFile(file, []byte("FROM "+imageBase+"\nCOPY . /usr/local/go\n"), 0o600))
	d.build(t, strings.TrimSpace(must(t, "go", "env", "GOROOT")), file, "--tag", imageGo)
	trust := t.TempDir()
	must(t, "cp", "/etc/ssl/certs/ca-certificates.crt", trust)
	check(t, os.WriteFile(filepath.Join(trust, "Dockerfile"), []byte("FROM "+imageGo+"\nCOPY ca-certificates.crt /etc/ssl/certs/\n"+
		"ENV PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin GOTOOLCHAIN=local\n"), 0o600))
	d.build(t, trust, "", "--tag", imageGo)
	// Its first stage, syft, takes minutes to compile; it is brought along here too.
	check(t, os.Mkdir(filepath.Join(source, "prebuilt"), 0o755))
	must(t, "cp", filepath.Join(context, "prebuilt", "syft"), filepath.Join(source, "prebuilt", "syft"))
	proxy := strings.TrimSpace(must(t, "go", "env", "GOPROXY"))
	d.build(t, source, "", "--target", "pawl", "--tag", "pawl-test:compiled",
		"--build-arg", "GO_IMAGE="+imageGo, "--build-arg", "GOPROXY="+proxy)
	inside, _, _ := strings.Cut(d.run(t, "run", "--rm", "--network", "none", "pawl-test:compiled", "sha256sum", "/out/pawl"), " ")
	outside := fileDigest(t, filepath.Join(context, "prebuilt", "pawl"))
	if "sha256:"+inside != outside {
		t.Errorf("the program compiled in the container is sha256:%s, outside %s (%s)", inside, outside, runtime.Version())
	}
}
