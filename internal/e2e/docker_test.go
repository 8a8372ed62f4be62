//go:build e2e

package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// docker is a daemon of the test's own, apart from any that the machine has.
type docker struct {
	socket string
	*service
}

// startDocker starts dockerd without a network of its own.
func startDocker(t *testing.T) *docker {
	t.Helper()
	dir, err := os.MkdirTemp("", "pawl-docker-") // short: a socket's path has a limit
	check(t, err)
	t.Cleanup(func() {
		// Where the mounts of this machine are private, dockerd mounts its data
		// directory onto itself and leaves it so.
		err := syscall.Unmount(filepath.Join(dir, "data"), syscall.MNT_DETACH)
		if err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOENT) {
			t.Error(err)
		}
		check(t, os.RemoveAll(dir))
	})
	d := &docker{socket: "unix://" + filepath.Join(dir, "s")}
	d.service = start(t, exec.Command("dockerd", "--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"),
		"-H", d.socket, "--pidfile", filepath.Join(dir, "pid"), "--iptables=false", "--bridge=none"))
	d.wait(t, "API listen on", 1)
	return d
}

func (d *docker) run(t *testing.T, args ...string) string {
	t.Helper()
	return must(t, "docker", append([]string{"-H", d.socket}, args...)...)
}

// images lists what the daemon's store holds.
func (d *docker) images(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(d.run(t, "image", "ls", "--all", "--digests", "--format", "{{.Repository}}:{{.Tag}}@{{.Digest}}"))
}

func TestPullerDocker(t *testing.T) {
	r := startRegistry(t, "")
	d := startDocker(t)
	digest := r.push(t, "acme/shop", "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
	puller := func() scan { return quay(r, "acme/shop", "v1", "PULLER=docker", "DOCKER_HOST="+d.socket) }

	t.Run("the image is gone afterwards", func(t *testing.T) {
		got := puller().run(t)
		got.expect(t, 0, "1 components", "removed .* from docker's store")
		if left := d.images(t); left != "" {
			t.Errorf("left in the store: %s", left)
		}
	})
	t.Run("another platform's too", func(t *testing.T) {
		r.push(t, "acme/shop", "both", index(t, []platform{{"linux", "amd64"}, {"linux", "arm64"}},
			imageWith(t, "is-even", "1.0.0", "amd64"), imageWith(t, "is-even", "2.0.0", "arm64")))
		s := puller()
		s.args[1] = "both"
		got := s.run(t)
		got.expect(t, 0)
		if n := len(sboms(t, got.artifacts)); n != 2 {
			t.Errorf("%d reports, want 2:\n%s", n, got.output)
		}
		if left := d.images(t); left != "" {
			t.Errorf("left in the store: %s", left)
		}
	})
	t.Run("an image that was there before stays", func(t *testing.T) {
		d.run(t, "pull", r.host+"/acme/shop@"+digest)
		puller().run(t).expect(t, 0)
		if left := d.images(t); !strings.Contains(left, digest) {
			t.Errorf("the store holds %q", left)
		}
		d.run(t, "image", "rm", r.host+"/acme/shop@"+digest)
	})
	t.Run("private registry", func(t *testing.T) {
		private, auth := startPrivateRegistry(t)
		private.push(t, "acme/shop", "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
		quay(private, "acme/shop", "v1", "PULLER=docker", "DOCKER_HOST="+d.socket, "REGISTRY_AUTH_FILE="+auth).run(t).expect(t, 0, "clean: ")
		if left := d.images(t); left != "" {
			t.Errorf("left in the store: %s", left)
		}
	})
	t.Run("several at once", func(t *testing.T) {
		work := t.TempDir() // shared, as the scans of one Pawl share it
		atOnce(t, 4, func(t *testing.T) {
			s := puller()
			s.env = append(s.env, "SCAN_WORK_DIR="+work)
			s.run(t).expect(t, 0, "clean: ")
		})
		nothingLeft(t, work)
		if left := d.images(t); left != "" {
			t.Errorf("left in the store: %s", left)
		}
	})
	t.Run("what a killed run left in the store is swept", func(t *testing.T) {
		d.run(t, "pull", r.host+"/acme/shop@"+digest)
		work := t.TempDir()
		dead := filepath.Join(work, "run.dead")
		check(t, os.Mkdir(dead, 0o700))
		check(t, os.WriteFile(filepath.Join(dead, ".lock"), nil, 0o600))
		check(t, os.WriteFile(filepath.Join(dead, "pulled"), []byte("docker "+r.host+"/acme/shop@"+digest+"\n"), 0o600))
		s := puller()
		s.args[1] = "sha256-" + strings.Repeat("0", 64) + ".sig" // nothing to pull
		s.env = append(s.env, "SCAN_WORK_DIR="+work)
		s.run(t).expect(t, 0, "removing what an interrupted scan left")
		nothingLeft(t, work)
		if left := d.images(t); left != "" {
			t.Errorf("left in the store: %s", left)
		}
	})
}
