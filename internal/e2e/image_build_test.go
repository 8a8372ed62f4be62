//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The images under test, and what they are built over: no image is pulled.
const (
	imageBase = "pawl-test-base"
	imageGo   = "pawl-test-go"
	imageSlim = "pawl-test:slim"
	imageFull = "pawl-test:full"
)

// TestContainerImage builds the images of the Dockerfile with a real docker
// without BuildKit, over a Debian made by debootstrap, and runs them.
func TestContainerImage(t *testing.T) {
	t.Setenv("DOCKER_BUILDKIT", "0") // the builder that every docker has
	d := startDocker(t)
	// A container in the machine's network leaves this mount, and the daemon's
	// directory cannot be removed with it.
	t.Cleanup(func() {
		dir := filepath.Dir(strings.TrimPrefix(d.socket, "unix://"))
		if err := syscall.Unmount(filepath.Join(dir, "exec/netns/default"), syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOENT) {
			t.Error(err)
		}
	})
	d.run(t, "import", debian(t), imageBase)
	source := checkoutCopy(t)

	context := prebuiltContext(t, source)
	for _, target := range []string{"slim", "full"} {
		began := time.Now()
		d.build(t, context, "", "--target", target, "--tag", "pawl-test:"+target,
			"--build-arg", "BASE="+imageBase, "--build-arg", "GO_IMAGE="+imageBase)
		t.Logf("%s: %s MB, built in %.0f s", target, d.megabytes(t, "pawl-test:"+target), time.Since(began).Seconds())
	}
	t.Logf("the base that they stand on: %s MB", d.megabytes(t, imageBase))

	t.Run("compiles the same program inside", func(t *testing.T) { testImageCompiles(t, d, source, context) })
	t.Run("listens and is healthy as it comes", func(t *testing.T) { testImageAsItComes(t, d) })
	t.Run("scans what a registry announces", func(t *testing.T) { testImageScans(t, d) })
	t.Run("takes a secret of a bundled hook", func(t *testing.T) { testImageSecret(t, d) })
	t.Run("takes the place of an image of webhook", func(t *testing.T) { testImageAsWebhook(t, d) })
	t.Run("keeps what it accepted", func(t *testing.T) { testImageKeeps(t, d) })
	t.Run("leaves no zombie", func(t *testing.T) { testImageReaps(t, d) })
	t.Run("stops at once", func(t *testing.T) { testImageStops(t, d) })
	t.Run("compose example", func(t *testing.T) { testImageCompose(t, d) })
	t.Run("full has what scripts call", func(t *testing.T) { testImageFull(t, d) })
}

// build runs docker build over a context; file names another Dockerfile.
func (d *docker) build(t *testing.T, context, file string, args ...string) {
	t.Helper()
	args = append([]string{"-H", d.socket, "build", "--network", "host"}, args...)
	if file != "" {
		args = append(args, "--file", file)
	}
	if _, err := command(context, "docker", append(args, ".")...); err != nil {
		t.Fatal(err)
	}
}

func (d *docker) megabytes(t *testing.T, image string) string {
	t.Helper()
	var bytes int64
	_, err := fmt.Sscan(d.run(t, "image", "inspect", "--format", "{{.Size}}", image), &bytes)
	check(t, err)
	return fmt.Sprint(bytes / 1e6)
}

// debian returns a tar of this machine's Debian in its smallest form, made by
// debootstrap from the mirror that apt uses. It is kept outside of the
// checkout for the next time.
func debian(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("debootstrap"); err != nil {
		t.Fatalf("debootstrap is missing: apt-get install debootstrap")
	}
	release, mirror := aptMirror(t)
	cache, err := os.UserCacheDir()
	check(t, err)
	cache = filepath.Join(cache, "pawl-e2e")
	check(t, os.MkdirAll(cache, 0o755))
	kept := filepath.Join(cache, "debian-"+release+"-"+runtime.GOARCH+".tar")
	if _, err := os.Stat(kept); err == nil {
		return kept
	}
	dir, err := os.MkdirTemp("", "pawl-debian-")
	check(t, err)
	defer os.RemoveAll(dir)
	root := filepath.Join(dir, "root")
	must(t, "debootstrap", "--variant=minbase", release, root, mirror)
	// Only a whole one gets the name that later runs look for.
	partial := kept + fmt.Sprintf(".%d", os.Getpid())
	defer os.Remove(partial)
	must(t, "tar", "-C", root, "--exclude=./var/cache/apt/archives/*.deb", "--exclude=./var/lib/apt/lists/*_*", "-cf", partial, ".")
	check(t, os.Rename(partial, kept))
	return kept
}

// aptMirror is the release of this machine's Debian and where apt has it from.
func aptMirror(t *testing.T) (release, mirror string) {
	t.Helper()
	text, err := os.ReadFile("/etc/os-release")
	check(t, err)
	for line := range strings.SplitSeq(string(text), "\n") {
		if value, ok := strings.CutPrefix(line, "VERSION_CODENAME="); ok {
			release = strings.Trim(value, `"`)
		}
	}
	targets := must(t, "apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages")
	for line := range strings.SplitSeq(targets, "\n") {
		if uri, ok := strings.CutPrefix(line, release+" main "); ok && release != "" {
			return release, uri
		}
	}
	t.Fatalf("apt has no source of main for this machine's release %q:\n%s", release, targets)
	return "", ""
}

// checkoutCopy copies what the images are made of. Both builds that are
// compared start from this one state.
func checkoutCopy(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"Dockerfile", ".dockerignore", "go.mod", "go.sum", "cmd", "internal", "hooks", "scripts", "packaging"} {
		must(t, "cp", "-R", filepath.Join(place.root, name), dir)
	}
	return dir
}

// prebuiltContext is a build context that brings the programs along: with the
// network closed nothing can be compiled inside.
func prebuiltContext(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	must(t, "cp", "-R", source+"/.", dir)
	programs := filepath.Join(dir, "prebuilt")
	check(t, os.Mkdir(programs, 0o755))
	buildRelease(t, source, filepath.Join(programs, "pawl"))
	syft, err := exec.LookPath("syft")
	check(t, err)
	must(t, "cp", syft, filepath.Join(programs, "syft"))
	return dir
}
