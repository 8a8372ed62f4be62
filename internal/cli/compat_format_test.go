//go:build unix

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// document is one file of testdata/compat/cases: recorded requests on one
// theme, and what webhook 2.8.2 answered and ran.
type document struct {
	Theme  string  `json:"theme"`
	Groups []group `json:"groups"`
}

// group is what one server is started for, in a directory of its own (@TMP@).
type group struct {
	Hooks     json.RawMessage      `json:"hooks"`      // the hook file as data, or
	HooksText *text                `json:"hooks_text"` // as text; without either there is none
	HooksName string               `json:"hooks_name"` // default hooks.json
	Flags     []string             `json:"flags"`      // after those of the template
	Env       map[string]string    `json:"env"`
	Files     map[string]*fileSpec `json:"files"` // nil: a directory
	Connect   connectSpec          `json:"connect"`
	Cases     []compatCase         `json:"cases"` // in order; they may build on each other
}

type fileSpec struct {
	Text text   `json:"text"`
	Mode string `json:"mode"` // octal, default 644
}

// connectSpec says where the server listens; empty: 127.0.0.1.
type connectSpec struct {
	Host string `json:"host"`
	Unix string `json:"unix"`
	TLS  bool   `json:"tls"`
}

type compatCase struct {
	Name         string         `json:"name"`
	Quirk        string         `json:"quirk"` // why the behaviour looks wrong; a successor may differ
	Before       []step         `json:"before"`
	Request      *requestSpec   `json:"request"` // nil: the server's exit is expected
	Expect       map[string]any `json:"expect"`
	Log          []string       `json:"log"`           // patterns that the server's output must match
	WatchHeaders []string       `json:"watch_headers"` // besides Content-Type
	WatchEnv     []string       `json:"watch_env"`     // variables that count even when unchanged
	WatchFiles   []string       `json:"watch_files"`
}

// step is done before the request. Sleep, in seconds, comes after it: what a
// server notices on its own (a changed file, a signal) gives no sign outside.
type step struct {
	Write     string   `json:"write"`
	Overwrite string   `json:"overwrite"`
	Text      text     `json:"text"`
	Rename    []string `json:"rename"`
	Remove    string   `json:"remove"`
	Signal    string   `json:"signal"`
	Sleep     float64  `json:"sleep"`
}

type requestSpec struct {
	Raw       *text  `json:"raw"` // the request's bytes; else they are built of:
	Method    string `json:"method"`
	Target    text   `json:"target"`
	Headers   []text `json:"headers"`
	Body      text   `json:"body"`
	Chunks    []text `json:"chunks"`
	HalfClose bool   `json:"half_close"`
	Scalr     *struct {
		Secret string  `json:"secret"`
		Age    float64 `json:"age"` // seconds
	} `json:"scalr"`
}

// text is a string with placeholders, or raw bytes written as {"base64": …}.
type text struct {
	content string
	raw     bool
}

// UnmarshalJSON reads either form.
func (x *text) UnmarshalJSON(data []byte) error {
	if !bytes.HasPrefix(data, []byte("{")) {
		return json.Unmarshal(data, &x.content)
	}
	var bytesForm struct {
		Base64 []byte `json:"base64"`
	}
	if err := decodeStrictly(data, &bytesForm); err != nil {
		return err
	}
	x.content, x.raw = string(bytesForm.Base64), true
	return nil
}

// decodeStrictly refuses keys that the runner does not know, for what it
// does not look at would pass unseen.
func decodeStrictly(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// readCases reads every case file and checks that no two cases share a name.
func readCases(t *testing.T) []document {
	t.Helper()
	paths, err := filepath.Glob("testdata/compat/cases/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no case files in testdata/compat/cases (%v)", err)
	}
	var documents []document
	seen := map[string]bool{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var d document
		if err := decodeStrictly(data, &d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, g := range d.Groups {
			for _, c := range g.Cases {
				name := fmt.Sprintf("%s/%s", d.Theme, c.Name)
				if seen[name] || len(c.Expect) == 0 {
					t.Fatalf("%s: case %q is named twice or expects nothing", path, name)
				}
				seen[name] = true
			}
		}
		documents = append(documents, d)
	}
	return documents
}
