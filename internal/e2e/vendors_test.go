//go:build e2e

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// vendors installs the libraries that senders publish into build/vendors of the
// checkout, once, and gives that directory.
func vendors(t *testing.T) string {
	t.Helper()
	from := filepath.Join(place.root, "internal/e2e/testdata/vendors")
	to := filepath.Join(place.root, "build/vendors")
	check(t, os.MkdirAll(to, 0o755))
	changed := false
	for _, name := range []string{"package.json", "sign.mjs"} {
		want, err := os.ReadFile(filepath.Join(from, name))
		check(t, err)
		if have, err := os.ReadFile(filepath.Join(to, name)); err != nil || string(have) != string(want) {
			check(t, os.WriteFile(filepath.Join(to, name), want, 0o644))
			changed = true
		}
	}
	if _, err := os.Stat(filepath.Join(to, "node_modules/.package-lock.json")); err != nil || changed {
		must(t, "npm", "--prefix", to, "install", "--no-audit", "--no-fund", "--ignore-scripts")
	}
	return to
}

// What the senders' own libraries sign, Pawl accepts; with a byte changed, or by
// another secret, it does not.
func TestPawlAcceptsWhatTheSendersOwnLibrariesSign(t *testing.T) {
	dir := vendors(t)
	secrets := map[string]string{
		"github": "gh-secret", "stripe": "whsec_stripe-secret",
		"standard-webhooks": "whsec_" + base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef")),
	}
	hooks := ""
	for name, secret := range secrets {
		file := filepath.Join(t.TempDir(), "secret")
		check(t, os.WriteFile(file, []byte(secret+"\n"), 0o600))
		hooks += "- { id: " + name + ", execute-command: /bin/true, sender: " + name + ", secret: { file: " + file + " }, response-message: taken }\n"
	}
	file := filepath.Join(t.TempDir(), "vendors.yaml")
	check(t, os.WriteFile(file, []byte(hooks), 0o600))
	relative, err := filepath.Rel(filepath.Join(place.root, "hooks"), file)
	check(t, err)
	l := startPawl(t, freeAddress(t), nil, relative)

	signed := func(github, stripe, standard string) (all []struct {
		Hook, Body string
		Header     map[string]string
	}) {
		check(t, json.Unmarshal([]byte(must(t, "node", filepath.Join(dir, "sign.mjs"), github, stripe, standard)), &all))
		if len(all) != 4 {
			t.Fatalf("%d deliveries were signed, want 4", len(all))
		}
		return all
	}
	send := func(hook, body string, header map[string]string) (int, string) {
		s := &sample{Body: body, header: http.Header{"Content-Type": {"application/json"}}}
		for name, value := range header {
			s.header.Set(name, value)
		}
		return l.sendSample(t, hook, s)
	}
	for _, d := range signed(secrets["github"], secrets["stripe"], secrets["standard-webhooks"]) {
		if code, text := send(d.Hook, d.Body, d.Header); code != http.StatusOK || text != "taken" {
			t.Errorf("%s: answered %d %q: %v", d.Hook, code, text, d.Header)
		}
		if code, _ := send(d.Hook, strings.Replace(d.Body, "evt_1", "evt_2", 1), d.Header); code != http.StatusUnauthorized {
			t.Errorf("%s: a body with a byte changed is answered %d", d.Hook, code)
		}
	}
	for _, d := range signed("gh-secres", "whsec_stripe-secres", "whsec_"+base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdeg"))) {
		if code, _ := send(d.Hook, d.Body, d.Header); code != http.StatusUnauthorized {
			t.Errorf("%s: signed with another secret, it is answered %d", d.Hook, code)
		}
	}
	if all := l.runsOf(t, ""); len(all) != 4 {
		t.Errorf("%d runs, want 4", len(all))
	}
}
