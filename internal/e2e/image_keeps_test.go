//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// keepsFiles is a hook whose runs wait for one another, and the first one for a
// file in the home.
func keepsFiles(t *testing.T) string {
	t.Helper()
	return mountable(t, map[string]string{
		"hooks.json": `[{"id": "wait", "execute-command": "./wait.sh", "queue": {"max-concurrent": 1},
			"pass-arguments-to-command": [{"source": "payload", "name": "n"}]}]`,
		"wait.sh": "#!/bin/sh\nuntil [ -e ~/go ]; do sleep 0.1; done\necho \"number $1, attempt $PAWL_ATTEMPT\"\n",
	})
}

// What a container has accepted is run by the one that takes its place, where
// they share a volume; and where nothing is kept, Pawl says so.
func testImageKeeps(t *testing.T, d *docker) {
	for _, user := range []string{"10001:0", "1234567:0", "0:0"} {
		t.Run("a volume, as user "+user, func(t *testing.T) {
			volume := "pawl-" + strings.ReplaceAll(user, ":", "-")
			t.Cleanup(func() { d.run(t, "volume", "rm", "--force", volume) })
			address := freeAddress(t)
			options := []string{"--user", user, "--volume", keepsFiles(t) + ":/etc/pawl/hooks:ro", "--volume", volume + ":/var/lib/pawl", "--read-only", "--tmpfs", "/tmp"}
			first := d.startContainerAt(t, address, imageSlim, options, []string{"-verbose"})
			for n := range 3 {
				if code, text := first.post(t, "wait", fmt.Appendf(nil, `{"n":%d}`, n)); code != http.StatusOK {
					t.Fatalf("answered %d %q", code, text)
				}
			}
			first.wait(t, "executing", 1)
			if got := first.sh(t, "pawl runs ls -o json"); strings.Count(got, `"wait"`) != 3 {
				t.Errorf("pawl runs in the container does not list three runs:\n%s", got)
			}
			if strings.Contains(first.text(), "not durable") {
				t.Errorf("a volume is not durable:\n%s", first.text())
			}
			d.run(t, "kill", first.name)

			second := d.startContainerAt(t, address, imageSlim, options, []string{"-verbose"})
			second.sh(t, "touch ~/go")
			second.wait(t, "number 0, attempt 2", 1) // it was running
			second.wait(t, "number 1, attempt 1", 1)
			second.wait(t, "number 2, attempt 1", 1)
		})
	}
	for _, c := range []struct {
		name    string
		options []string
		says    string
	}{
		{"memory in place of a volume", []string{"--tmpfs", "/var/lib/pawl:mode=0770,uid=10001,gid=0"}, "not durable: .* lies on tmpfs"},
		{"the container's own layer", []string{"--env", "PAWL_DATA_DIR=/tmp/pawl"}, "not durable: .* lies on overlay"},
		{"a user who may not write", []string{"--user", "1234:1234"}, "not durable: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			it := d.startContainer(t, imageSlim, append([]string{"--volume", keepsFiles(t) + ":/etc/pawl/hooks:ro"}, c.options...), []string{"-verbose"})
			it.wait(t, c.says, 1)
			it.healthy(t)
		})
	}
	t.Run("a directory that was asked for by name and cannot be used", func(t *testing.T) {
		it := d.startIsolated(t, imageSlim, []string{"--network", "none", "--user", "1234:1234"}, []string{"-data-dir", "/var/lib/pawl/journal"})
		it.wait(t, "use the data directory .* as user 1234, whose it must be", 1)
	})
}
