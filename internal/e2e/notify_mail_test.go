//go:build e2e

package e2e

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sendmail is a stand-in that keeps what it gets and ends with a status. It
// returns its path, and those of what it keeps.
func sendmail(t *testing.T, code string) (program, mail, arguments string) {
	t.Helper()
	dir := t.TempDir()
	program, mail, arguments = filepath.Join(dir, "sendmail"), filepath.Join(dir, "mail"), filepath.Join(dir, "arguments")
	text := "#!/bin/sh\ncat >" + mail + "\nprintf '%s\\n' \"$@\" >" + arguments + "\nexit " + code + "\n"
	check(t, os.WriteFile(program, []byte(text), 0o755))
	return program, mail, arguments
}

// A mail reads as the record says, and nothing of it is a header.
func TestNotifyMail(t *testing.T) {
	for _, shell := range []string{"dash", "bash"} {
		t.Run(shell, func(t *testing.T) {
			program, kept, arguments := sendmail(t, "0")
			n := notification{shell: shell, script: "notify-mail.sh", record: hostile(t), env: []string{
				"SENDMAIL=" + program, "MAIL_TO=ops@example.com, \"On Call\" <oncall@example.com>", "MAIL_FROM=pawl@example.com",
			}}
			n.run(t).expect(t, 0, `^notify-mail: handed to .*/sendmail\n$`)
			text, err := os.ReadFile(kept)
			check(t, err)
			for line := range strings.Lines(string(text)) {
				if len(line) > 79 || strings.ContainsFunc(line, func(r rune) bool { return r > '~' || r < ' ' && r != '\n' }) {
					t.Errorf("a line of %d bytes: %q", len(line), line)
				}
			}
			m, err := mail.ReadMessage(bytes.NewReader(text))
			check(t, err)
			title, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
			check(t, err)
			body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, m.Body))
			check(t, err)
			if title != hostileTitle {
				t.Errorf("subject is %q", title)
			}
			if diff := cmp.Diff(hostileText()+"\n", string(body)); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
			delete(m.Header, "Subject")
			want := mail.Header{
				"To": {`ops@example.com, "On Call" <oncall@example.com>`}, "From": {"pawl@example.com"}, "Auto-Submitted": {"auto-generated"},
				"Mime-Version": {"1.0"}, "Content-Type": {"text/plain; charset=utf-8"}, "Content-Transfer-Encoding": {"base64"},
			}
			if diff := cmp.Diff(want, m.Header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if got, err := os.ReadFile(arguments); err != nil || string(got) != "-t\n-i\n" {
				t.Errorf("sendmail was called with %q (%v)", got, err)
			}
		})
	}
}

func TestNotifyMailThatCannotBeSent(t *testing.T) {
	for name, c := range map[string]struct {
		to, from, status string
		code             int
		says             string
	}{
		"later":                      {"a@example.com", "", "75", 75, "ended with status 75"},
		"never":                      {"a@example.com", "", "1", 70, "ended with status 1"},
		"a second header in MAIL_TO": {"a@example.com\nBcc: b@example.com", "", "0", 78, "MAIL_TO must be one line"},
		"and in MAIL_FROM":           {"a@example.com", "b@example.com\n\nbody", "0", 78, "MAIL_FROM must be one line"},
	} {
		t.Run(name, func(t *testing.T) {
			program, kept, _ := sendmail(t, c.status)
			env := []string{"SENDMAIL=" + program, "MAIL_TO=" + c.to, "MAIL_FROM=" + c.from}
			notification{script: "notify-mail.sh", record: record(t, nil), env: env}.run(t).expect(t, c.code, c.says)
			if _, err := os.Stat(kept); (err == nil) != (c.code != 78) {
				t.Errorf("handed over: %v", err)
			}
		})
	}
	t.Run("no sendmail", func(t *testing.T) {
		env := []string{"SENDMAIL=/nowhere/sendmail", "MAIL_TO=a@example.com"}
		notification{script: "notify-mail.sh", record: record(t, nil), env: env}.run(t).expect(t, 69, "there is no /nowhere/sendmail here")
	})
}
