//go:build unix

package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"
)

const (
	runWait   = 5 * time.Second        // for an expected command to show itself
	grace     = 30 * time.Millisecond  // for one that must not run
	strayWait = 500 * time.Millisecond // for one that runs where Pawl is meant to differ
	stillRuns = 300 * time.Millisecond // for a server that must not end
	exitWait  = 5 * time.Second        // for one that must
	logWait   = 3 * time.Second        // for a line of the log
	longData  = 3000                   // bytes; longer data is recorded as length and SHA-256
)

// observe does what a case says and describes what happened, in the form of
// the case's expect.
func (s *testServer) observe(c compatCase) (map[string]any, error) {
	for _, st := range c.Before {
		if err := s.take(st); err != nil {
			return nil, fmt.Errorf("take the steps before the request: %w", err)
		}
	}
	got := map[string]any{}
	if c.Request == nil {
		limit := exitWait
		if status, ok := c.Expect["exit"]; ok && status == nil {
			limit = stillRuns
		}
		got["exit"] = nil
		if status, ended := s.waitExit(limit); ended {
			got["exit"] = float64(status)
		}
	} else if err := s.observeRequest(c, got); err != nil {
		return nil, err
	}
	if len(c.WatchFiles) > 0 {
		got["paths"] = s.describeFiles(c.WatchFiles)
	}
	return got, nil
}

// observeRequest sends the case's request and describes the answer and the command.
func (s *testServer) observeRequest(c compatCase, got map[string]any) error {
	a, client, err := s.exchange(c.Request)
	if err != nil {
		return err
	}
	got["status"], got["body"] = nil, encodeBytes(a.body)
	headers := map[string]any{}
	if a.status != 0 {
		got["status"], got["body"] = float64(a.status), s.encode(a.body, client)
	}
	for _, name := range append([]string{"Content-Type"}, c.WatchHeaders...) {
		headers[name] = nil
		if value, ok := a.headers[strings.ToLower(name)]; ok {
			headers[name] = latin1(value)
		}
	}
	got["headers"] = headers
	if a.interim != nil {
		var interim []any
		for _, status := range a.interim {
			interim = append(interim, float64(status))
		}
		got["interim"] = interim
	}
	limit := grace
	if c.Expect["run"] != nil {
		limit = runWait
	}
	parts, err := s.takeRun(limit)
	if err != nil {
		return err
	}
	got["run"] = nil
	if parts != nil {
		got["run"] = s.describeRun(parts, client, c.WatchEnv)
	}
	return nil
}

// take does one step of a case's before.
func (s *testServer) take(st step) error {
	var errs error
	switch {
	case st.Write != "":
		errs = s.write(st.Write, st.Text, "644")
	case st.Overwrite != "":
		errs = s.overwrite(st.Overwrite, st.Text)
	case len(st.Rename) == 2:
		errs = os.Rename(s.path(st.Rename[0]), s.path(st.Rename[1]))
	case st.Remove != "":
		errs = os.Remove(s.path(st.Remove))
	case st.Signal != "":
		known := map[string]syscall.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM,
			"INT": syscall.SIGINT, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2}
		sig, ok := known[st.Signal]
		if !ok {
			return fmt.Errorf("unknown signal %q", st.Signal)
		}
		errs = s.cmd.Process.Signal(sig)
	}
	time.Sleep(time.Duration(st.Sleep * float64(time.Second))) // part of the case, see step
	return errs
}

// overwrite changes a file by a single write: there is no moment at which it
// is empty or cut. What would be left of the old text becomes line ends.
func (s *testServer) overwrite(name string, content text) error {
	file, err := os.OpenFile(s.path(name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	data := s.expand(content)
	if short := int(info.Size()) - len(data); short > 0 {
		data = append(data, bytes.Repeat([]byte("\n"), short)...)
	}
	_, err = file.Write(data)
	return err
}

// part is one file that the recorder left.
type part struct {
	data []byte
	mode os.FileMode
}

// takeRun takes away what one recorded command left: argv, env, cwd, file.NAME.
// It returns nil when no command shows itself in time.
func (s *testServer) takeRun(limit time.Duration) (map[string]part, error) {
	var parts map[string]part
	var failure error
	poll(limit, func() bool {
		done, err := filepath.Glob(s.path("out/*.done"))
		if err != nil || len(done) == 0 {
			failure = err
			return err != nil
		}
		parts, failure = takeParts(strings.TrimSuffix(done[0], "done"))
		return true
	})
	return parts, failure
}

// takeParts reads and removes the files that begin with prefix.
func takeParts(prefix string) (map[string]part, error) {
	entries, err := os.ReadDir(filepath.Dir(prefix))
	if err != nil {
		return nil, err
	}
	parts := map[string]part{}
	for _, entry := range entries {
		path := filepath.Join(filepath.Dir(prefix), entry.Name())
		name, ok := strings.CutPrefix(path, prefix)
		if !ok {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			return nil, err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		parts[name] = part{data, info.Mode().Perm()}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// describeRun puts what a command saw into the form of the case files. Of the
// environment counts what differs from the server's, and what is watched;
// variables that hold a temporary file's path become files.
func (s *testServer) describeRun(parts map[string]part, client string, watched []string) map[string]any {
	env, files := map[string]any{}, map[string]any{}
	for _, name := range watched {
		env[name] = nil
	}
	ofShell := []string{"PWD", "OLDPWD", "SHLVL", "_"}
	for _, item := range strings.Split(strings.TrimSuffix(string(parts["env"].data), "\x00"), "\x00") {
		rawKey, value, _ := strings.Cut(item, "=")
		key := escapeInvalid(rawKey)
		recorded, isFile := parts["file."+key]
		_, isWatched := env[key]
		own, isOwn := s.env[key]
		switch {
		case isFile || regexp.MustCompile("/"+regexp.QuoteMeta(key)+`\d+\n?\z`).MatchString(value):
			files[key] = s.describeFile(recorded, isFile, value)
			delete(env, key)
		case isWatched, !slices.Contains(ofShell, key) && !(isOwn && own == value):
			env[key] = s.encode([]byte(value), client)
		}
	}
	argv := []any{}
	for _, argument := range strings.Split(strings.TrimSuffix(string(parts["argv"].data), "\x00"), "\x00")[1:] {
		argv = append(argv, s.encode([]byte(argument), client))
	}
	run := map[string]any{"argv": argv, "env": env,
		"cwd": s.encode(bytes.TrimSuffix(parts["cwd"].data, []byte("\n")), "")}
	if len(files) > 0 {
		run["files"] = files
	}
	return run
}

// describeFile tells where a value's file was, what it held, and whether it is
// gone now that the command has ended.
func (s *testServer) describeFile(recorded part, present bool, path string) map[string]any {
	removed := poll(logWait, func() bool {
		_, err := os.Lstat(path)
		return os.IsNotExist(err)
	})
	file := map[string]any{"path": s.encode([]byte(filepath.Dir(path)+"/*"), ""),
		"content": nil, "mode": nil, "removed": removed}
	if present {
		file["content"], file["mode"] = encodeBytes(recorded.data), fmt.Sprintf("%o", recorded.mode)
	}
	return file
}

// describeFiles returns the content of files of the server's directory; nil
// where there is none.
func (s *testServer) describeFiles(names []string) map[string]any {
	paths := map[string]any{}
	for _, name := range names {
		paths[name] = nil
		if _, err := os.Stat(s.path(name)); err != nil {
			continue
		}
		data, _ := os.ReadFile(s.path(name)) // a socket cannot be read; that it is there counts
		pid := fmt.Append(nil, s.cmd.Process.Pid)
		paths[name] = s.encode(bytes.ReplaceAll(data, pid, []byte("@PID@")), "")
	}
	return paths
}

// encode is the inverse of expand: what differs from run to run becomes a
// placeholder again.
func (s *testServer) encode(data []byte, client string) any {
	data = bytes.ReplaceAll(data, []byte(s.tmp), []byte("@TMP@"))
	if client != "" {
		data = bytes.ReplaceAll(data, []byte(client), []byte("@CLIENT@"))
	}
	return encodeBytes(data)
}

// encodeBytes returns bytes as the case files keep them.
func encodeBytes(data []byte) any {
	if len(data) > longData {
		sum := sha256.Sum256(data)
		return map[string]any{"length": float64(len(data)), "sha256": hex.EncodeToString(sum[:])}
	}
	if !utf8.Valid(data) {
		return map[string]any{"base64": base64.StdEncoding.EncodeToString(data)}
	}
	return string(data)
}

// latin1 reads each byte as one character, as header values are recorded.
func latin1(value string) string {
	var out strings.Builder
	for _, b := range []byte(value) {
		out.WriteRune(rune(b))
	}
	return out.String()
}

// escapeInvalid writes bytes that are no text as \xNN.
func escapeInvalid(name string) string {
	var out strings.Builder
	for len(name) > 0 {
		r, size := utf8.DecodeRuneInString(name)
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&out, `\x%02x`, name[0])
		} else {
			out.WriteString(name[:size])
		}
		name = name[size:]
	}
	return out.String()
}

// differences compares what was recorded with what happened. A missing key
// and null are the same; variables that a command has besides the recorded
// ones count only where they are named HOOK_….
func differences(want, got any, where string) []string {
	wantMap, ok1 := want.(map[string]any)
	gotMap, ok2 := got.(map[string]any)
	if !ok1 || !ok2 {
		if reflect.DeepEqual(want, got) {
			return nil
		}
		return []string{strings.TrimSuffix(where, ".") + ": " + describeDifference(want, got)}
	}
	all := map[string]bool{}
	for key := range wantMap {
		all[key] = true
	}
	for key := range gotMap {
		if where != "run.env." || strings.HasPrefix(key, "HOOK_") {
			all[key] = true
		}
	}
	var found []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		found = append(found, differences(wantMap[key], gotMap[key], where+key+".")...)
	}
	return found
}

// describeDifference shows both values from shortly before they part.
func describeDifference(want, got any) string {
	a, b := mustJSON(want), mustJSON(got)
	at := 0
	for at < len(a) && at < len(b) && a[at] == b[at] {
		at++
	}
	cut := func(value []rune) string {
		from := min(max(at-30, 0), len(value))
		out := string(value[from:min(from+120, len(value))])
		if from > 0 {
			out = "…" + out
		}
		if from+120 < len(value) {
			out += "…"
		}
		return out
	}
	return "want " + cut(a) + " got " + cut(b)
}

func mustJSON(value any) []rune {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return []rune(fmt.Sprint(value))
	}
	return []rune(strings.TrimSuffix(out.String(), "\n"))
}
