//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A real Alertmanager groups alerts that are posted to it and tells Pawl, which
// runs a script for each; the resolved ones too.
func TestAlertmanagerFiresAtPawl(t *testing.T) {
	dir := t.TempDir()
	scripts := filepath.Join(dir, "scripts")
	check(t, os.Mkdir(scripts, 0o700))
	write := func(name, text string, mode os.FileMode) {
		check(t, os.WriteFile(filepath.Join(scripts, name), []byte(text), mode))
	}
	write("DiskFull", "#!/bin/sh\necho \"script of $ALERT_NAME: $1, $(jq -r '.labels.instance + \" \" + .annotations.summary' <\"$ALERT\"), $ALERT_GROUP\"\n", 0o700)
	write("default", "#!/bin/sh\necho \"default of $ALERT_NAME: $1\"\n", 0o700)

	address := freeAddress(t)
	l := startPawl(t, address, []string{"PAWL_ALERTMANAGER_SECRET=am-secret-1", "ALERT_SCRIPTS=" + scripts}, "alertmanager.yaml")
	am := freeAddress(t)
	config := filepath.Join(dir, "alertmanager.yml")
	check(t, os.WriteFile(config, []byte(fmt.Sprintf(`
route: { receiver: pawl, group_by: [job], group_wait: 1s, group_interval: 1s, repeat_interval: 1h }
receivers:
  - name: pawl
    webhook_configs:
      - url: %salertmanager
        send_resolved: true
        http_config: { authorization: { credentials: am-secret-1 } }
`, l.url)), 0o600))
	manager := start(t, exec.Command("prometheus-alertmanager", "--config.file="+config, "--storage.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+am, "--cluster.listen-address="))
	manager.wait(t, `Listening on|component=tls`, 1)

	post := func(ends string) {
		t.Helper()
		body := `[{"labels":{"alertname":"DiskFull","instance":"db1:9100","job":"node"},"annotations":{"summary":"\"$(id)\" 93 %"},"startsAt":"` +
			time.Now().Add(-time.Minute).Format(time.RFC3339) + `"` + ends + `},
			{"labels":{"alertname":"Other one","job":"node"}},{"labels":{"alertname":"../../etc/passwd","job":"node"}}]`
		deadline := time.Now().Add(patience)
		for {
			answer, err := http.Post("http://"+am+"/api/v2/alerts", "application/json", strings.NewReader(body))
			if err == nil {
				_ = answer.Body.Close()
				if answer.StatusCode == http.StatusOK {
					return
				}
				t.Fatalf("Alertmanager answers %s", answer.Status)
			}
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
		}
	}
	post("")
	l.wait(t, `script of DiskFull: firing, db1:9100 "\$\(id\)" 93 %, \{\}:\{job="node"\}`, 1)
	l.wait(t, `default of Other one: firing`, 1)
	post(`,"endsAt":"` + time.Now().Format(time.RFC3339) + `"`)
	l.wait(t, `script of DiskFull: resolved`, 1)
	for _, r := range l.runsOf(t, "alertmanager") {
		if key, _ := r["key"].(string); r["state"] == "failed" || !strings.Contains(key, `{job="node"}`) {
			t.Errorf("run: %v", r)
		}
	}
	if strings.Contains(l.text(), "am-secret-1") {
		t.Error("the secret is in the log")
	}
}

// Which script is meant, and names that try something.
func TestAlertRun(t *testing.T) {
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "Known"), []byte("#!/bin/sh\nexit 75\n"), 0o700))
	check(t, os.WriteFile(filepath.Join(dir, "Plain"), []byte("#!/bin/sh\n"), 0o600))
	for _, c := range []struct {
		name, status, scripts string
		code                  int
		says                  string
	}{
		{"Known", "firing", dir, 75, "Known is firing: "},
		{"Unknown", "firing", dir, 0, "there is no script for it"},
		{"Plain", "firing", dir, 78, "is not executable"},
		{"Known", "other", dir, 64, "no status"},
		{"../Known", "firing", dir, 64, "can be no script's name"},
		{".hidden", "firing", dir, 64, "can be no script's name"},
		{"-x", "firing", dir, 64, "can be no script's name"},
		{"Known", "firing", dir + "/none", 78, "set ALERT_SCRIPTS"},
	} {
		scan{script: "alert-run.sh", args: []string{c.name, c.status}, env: []string{"ALERT_SCRIPTS=" + c.scripts}}.run(t).expect(t, c.code, c.says)
	}
}
