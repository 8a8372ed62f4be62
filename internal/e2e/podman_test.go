//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestPullerPodman(t *testing.T) {
	r := startRegistry(t, "")
	digest := r.push(t, "acme/shop", "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
	dir := t.TempDir()
	conf := filepath.Join(dir, "storage.conf")
	check(t, os.WriteFile(conf, []byte("[storage]\ndriver = \"vfs\"\ngraphroot = \""+dir+"/graph\"\nrunroot = \""+dir+"/run\"\n"), 0o600))
	podman := func(args ...string) string {
		cmd := exec.Command("podman", args...)
		cmd.Env = append(os.Environ(), "CONTAINERS_STORAGE_CONF="+conf)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("podman %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	puller := quay(r, "acme/shop", "v1", "PULLER=podman", "CONTAINERS_STORAGE_CONF="+conf)

	puller.run(t).expect(t, 0, "1 components", "removed .* from podman's store")
	if left := podman("images", "--quiet", "--all"); left != "" {
		t.Errorf("left in the store: %s", left)
	}
	podman("pull", "--quiet", "--tls-verify=false", r.host+"/acme/shop@"+digest)
	puller.run(t).expect(t, 0)
	if left := podman("images", "--quiet", "--all"); left == "" {
		t.Error("an image that was there before is gone")
	}
}
