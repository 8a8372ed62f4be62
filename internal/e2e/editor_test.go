//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// languageServer is the server behind YAML in VS Code, Neovim, Emacs and others.
const languageServer = "yaml-language-server@1.25.0"

// modeline is what a hook file begins with so that editors find the schema.
const modeline = "# yaml-language-server: $schema=hooks.schema.json\n"

// TestEditorsKnowHookFiles writes the schema with pawl schema, opens hook files in
// the real language server, and reads what it marks.
func TestEditorsKnowHookFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	schema, err := exec.Command(place.pawl, "schema").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hooks.schema.json"), schema, 0o644); err != nil {
		t.Fatal(err)
	}
	e := openEditor(t, dir)
	for name, c := range map[string]struct {
		text string
		want []string // line:character, both from 0, and the beginning of what is said
	}{
		"good.yaml": {"- id: a\n  execute-command: x\n  sender: github\n  secret: { file: x }\n  events: [push]\n", nil},
		"old.yaml":  {"- id: a\n  execute-command: x\n  comment: webhook passes over it\n", nil},
		"sender.yaml": {
			"- id: a\n  execute-command: x\n  sender: gihub\n  secret: { file: x }\n",
			[]string{`3:10 Value is not accepted. Valid values: "acr"`},
		},
		"key.yaml": {
			"- id: a\n  execute-command: x\n  auth: none\n  exceute: y\n",
			[]string{`4:2 Value is not accepted. Valid values: "id"`},
		},
		"wrong.yaml": {
			"- id: a\n  execute-command: x\n  auth: { hmac: { algorithms: [md5] } }\n  secret: { file: x, env: Y }\n  queue: { max-concurrent: 0 }\n  process: { timeout: 15 }\n",
			[]string{
				`3:31 Value is not accepted. Valid values: "sha1"`, "4:10 Matches multiple schemas", "5:27 Value is below the minimum",
				`6:22 Incorrect type. Expected "string"`,
			},
		},
	} {
		if got := e.marks(t, name, modeline+c.text); !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s is marked %q, want %q", name, got, c.want)
		}
	}
	bundled, _ := filepath.Glob(filepath.Join(place.root, "hooks", "*.yaml"))
	examples, _ := filepath.Glob(filepath.Join(place.root, "examples", "hooks", "*.yaml"))
	if len(bundled) == 0 || len(examples) == 0 {
		t.Fatal("no hook files were found")
	}
	for _, file := range slices.Concat(bundled, examples) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.marks(t, filepath.Base(filepath.Dir(file))+"-"+filepath.Base(file), modeline+string(text)); len(got) > 0 {
			t.Errorf("%s is marked %q", file, got)
		}
	}
}

// editor is a running language server, as an editor talks to it.
type editor struct {
	dir string
	in  io.Writer
	out *bufio.Reader
}

// openEditor starts the language server, which is installed into build/editor
// where it is not there yet.
func openEditor(t *testing.T, dir string) *editor {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Fatal("npm is missing: apt-get install nodejs npm")
	}
	home := filepath.Join(place.root, "build", "editor")
	program := filepath.Join(home, "node_modules", "yaml-language-server", "bin", "yaml-language-server")
	if _, err := os.Stat(program); err != nil {
		if out, err := exec.Command("npm", "install", "--no-audit", "--no-fund", "--prefix", home, languageServer).CombinedOutput(); err != nil {
			t.Fatalf("npm install %s: %v\n%s", languageServer, err, out)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	server := exec.CommandContext(ctx, "node", program, "--stdio")
	in, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = server.Wait() })
	e := &editor{dir: dir, in: in, out: bufio.NewReader(out)}
	e.send(t, map[string]any{"id": 1, "method": "initialize", "params": map[string]any{
		"rootUri":      "file://" + dir,
		"capabilities": map[string]any{"textDocument": map[string]any{"publishDiagnostics": map[string]any{}}},
	}})
	e.until(t, func(m announcement) bool { return m.Method == "" })
	e.send(t, map[string]any{"method": "initialized", "params": map[string]any{}})
	return e
}

// announcement is what matters of a message of the language server protocol.
type announcement struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		URI         string            `json:"uri"`
		Items       []json.RawMessage `json:"items"`
		Diagnostics []struct {
			Message string `json:"message"`
			Range   struct {
				Start struct{ Line, Character int } `json:"start"`
			} `json:"range"`
		} `json:"diagnostics"`
	} `json:"params"`
}

// marks opens a file and gives what the server says of it, in the order of the
// lines.
func (e *editor) marks(t *testing.T, name, text string) []string {
	t.Helper()
	uri := "file://" + filepath.Join(e.dir, name)
	e.send(t, map[string]any{"method": "textDocument/didOpen", "params": map[string]any{
		"textDocument": map[string]any{"uri": uri, "languageId": "yaml", "version": 1, "text": text},
	}})
	told := e.until(t, func(m announcement) bool {
		return m.Method == "textDocument/publishDiagnostics" && m.Params.URI == uri
	})
	var marks []string
	for _, d := range told.Params.Diagnostics {
		marks = append(marks, fmt.Sprintf("%d:%d %s", d.Range.Start.Line, d.Range.Start.Character, d.Message))
	}
	slices.Sort(marks) // of few lines
	return marks
}

func (e *editor) send(t *testing.T, m map[string]any) {
	t.Helper()
	m["jsonrpc"] = "2.0"
	text := mustJSON(t, m)
	if _, err := fmt.Fprintf(e.in, "Content-Length: %d\r\n\r\n%s", len(text), text); err != nil {
		t.Fatal(err)
	}
}

// until reads messages until one is wanted, and answers what the server asks.
func (e *editor) until(t *testing.T, wanted func(announcement) bool) announcement {
	t.Helper()
	for {
		header, err := textproto.NewReader(e.out).ReadMIMEHeader()
		if err != nil {
			t.Fatalf("the language server ends: %v", err)
		}
		length, err := strconv.Atoi(header.Get("Content-Length"))
		if err != nil {
			t.Fatal(err)
		}
		text := make([]byte, length)
		if _, err := io.ReadFull(e.out, text); err != nil {
			t.Fatal(err)
		}
		var m announcement
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if wanted(m) {
			return m
		}
		if m.ID != nil && m.Method != "" { // it asks for its settings: there are none
			e.send(t, map[string]any{"id": m.ID, "result": make([]any, len(m.Params.Items))})
		}
	}
}
