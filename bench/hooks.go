//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// entry is a hook as both programs read it.
type entry struct {
	ID      string         `json:"id"`
	Command string         `json:"execute-command"`
	Output  bool           `json:"include-command-output-in-response,omitempty"`
	Rule    map[string]any `json:"trigger-rule,omitempty"`
}

func writeHooks(path string, hooks []entry) error {
	text, err := json.Marshal(hooks)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// never is a rule that looks into the payload and does not match.
func never() map[string]any {
	return map[string]any{"match": map[string]any{
		"type": "value", "value": "refs/heads/none",
		"parameter": map[string]any{"source": "payload", "name": "ref"},
	}}
}

// scripts are the programs that hooks run.
type scripts struct {
	nothing string // ends at once
	asleep  string // does not end
}

func writeScripts(directory string) (scripts, error) {
	s := scripts{nothing: filepath.Join(directory, "nothing.sh"), asleep: filepath.Join(directory, "asleep.sh")}
	for path, text := range map[string]string{s.nothing: "#!/bin/sh\nexit 0\n", s.asleep: "#!/bin/sh\nexec sleep 1000000\n"} {
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			return scripts{}, err
		}
	}
	return s, nil
}

// payload makes a JSON body of so many bytes, 250 at least, that is built as a
// push is: a few values, and a list of commits that fills it.
func payload(size int) []byte {
	const (
		head = `{"ref":"refs/heads/main","repository":{"name":"example","full_name":"acme/example","private":false,"stars":42},` +
			`"pusher":{"name":"jane","email":"jane@example.com"},"commits":[`
		commit = `{"id":"%040x","message":"Mend \"the\" thing","timestamp":"2026-03-01T12:00:00Z",` +
			`"author":{"name":"Jane Doe","email":"jane@example.com"},"added":["docs/a.md","src/b.go"],"distinct":true,"changes":7}`
		middle, end = `],"note":"`, `"}`
	)
	body := []byte(head)
	for i := 0; ; i++ {
		next := fmt.Appendf(nil, commit, i*7919)
		if len(body)+len(next)+len(",")+len(middle)+len(end) > size {
			break
		}
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, next...)
	}
	body = append(body, middle...)
	body = append(body, bytes.Repeat([]byte("x"), size-len(body)-len(end))...)
	return append(body, end...)
}

// post makes a whole request to a hook.
func post(hook string, body []byte) []byte {
	head := fmt.Sprintf("POST /hooks/%s HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nUser-Agent: bench/1\r\nAccept: */*\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", hook, len(body))
	return append([]byte(head), body...)
}
