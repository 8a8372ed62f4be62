//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// webhookFiles is what an operator of webhook has in /etc/webhook: the script
// beside the hook file, named relative to it.
func webhookFiles(t *testing.T) string {
	t.Helper()
	return mountable(t, map[string]string{
		"hooks.json": `[{"id": "hello", "execute-command": "./hello.sh", "include-command-output-in-response": true}]`,
		"hello.sh":   "#!/bin/sh\necho hello from \"$PWD\"\n",
	})
}

// testImageAsWebhook runs the image with the mounts and command lines that
// images of webhook get.
func testImageAsWebhook(t *testing.T, d *docker) {
	for _, c := range []struct {
		name    string
		options []string
		args    []string
	}{
		{"hooks named on the command line", nil, []string{"-verbose", "-hooks=/etc/webhook/hooks.json", "-hotreload"}},
		{"hooks named relative to the working directory", nil, []string{"-verbose", "-hooks", "hooks.json"}},
		{"no hooks named", nil, []string{"-verbose"}},
		{"the program by its old name", []string{"--entrypoint", "/usr/local/bin/webhook"}, []string{"-verbose", "-hooks=/etc/webhook/hooks.json"}},
		{"an init in front", []string{"--init"}, []string{"-verbose", "-hooks=/etc/webhook/hooks.json"}},
		{"a user without the group", []string{"--user", "1234:1234"}, []string{"-verbose", "-hooks=/etc/webhook/hooks.json"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			it := d.startContainer(t, imageSlim, append([]string{"--volume", webhookFiles(t) + ":/etc/webhook:ro"}, c.options...), c.args)
			it.hello(t, "hello")
			it.healthy(t)
			// The bundled hooks are not there: what is mounted took their place.
			if code, _ := it.post(t, "quay", nil); code != http.StatusNotFound {
				t.Errorf("quay answered %d", code)
			}
		})
	}
	t.Run("the port on the command line", func(t *testing.T) {
		// The health check has to find it: no variable names it.
		it := d.startIsolated(t, imageSlim, []string{"--network", "none", "--volume", webhookFiles(t) + ":/etc/webhook:ro"},
			[]string{"-verbose", "-hooks=/etc/webhook/hooks.json", "-port=8080"})
		it.healthy(t)
	})
	t.Run("hotreload", func(t *testing.T) {
		dir := webhookFiles(t)
		it := d.startContainer(t, imageSlim, []string{"--volume", dir + ":/etc/webhook:ro"},
			[]string{"-verbose", "-hooks=/etc/webhook/hooks.json", "-hotreload"})
		it.hello(t, "hello")
		changed := `[{"id": "again", "execute-command": "./hello.sh", "include-command-output-in-response": true}]`
		check(t, os.WriteFile(filepath.Join(dir, "hooks.json"), []byte(changed), 0o644))
		it.wait(t, "again", 1) // it tells the ids just before they count
		for deadline := time.Now().Add(patience); ; {
			if code, _ := it.post(t, "again", nil); code == http.StatusOK {
				break
			} else if time.Now().After(deadline) {
				t.Fatalf("the new hook answers %d", code)
			}
		}
	})
}

func (c *container) hello(t *testing.T, hook string) {
	t.Helper()
	if code, text := c.post(t, hook, nil); code != http.StatusOK || text != "hello from /etc/pawl/hooks\n" {
		t.Errorf("answered %d %q", code, text)
	}
}
