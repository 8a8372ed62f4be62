package hook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/sender"
)

// definitions reads the schema as data.
func definitions(t *testing.T) map[string]any {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	return root["$defs"].(map[string]any)
}

// at follows names into a part of the schema.
func at(t *testing.T, from map[string]any, names ...any) any {
	t.Helper()
	var now any = from
	for _, name := range names {
		switch name := name.(type) {
		case string:
			inner, ok := now.(map[string]any)[name]
			if !ok {
				t.Fatalf("the schema has no %v", names)
			}
			now = inner
		case int:
			now = now.([]any)[name]
		}
	}
	return now
}

func texts(list any) []string {
	var all []string
	for _, one := range list.([]any) {
		all = append(all, one.(string))
	}
	return all
}

// The schema has the keys that the reader has, each with words for people, and
// the reverse.
func TestSchemaHasTheKeysOfTheReader(t *testing.T) {
	defs := definitions(t)
	r := &reader{}
	same := func(what string, keys []key, properties any) {
		t.Helper()
		var want []string
		for _, k := range keys {
			if k.of != planned {
				want = append(want, k.name)
			}
		}
		got := slices.Sorted(maps.Keys(properties.(map[string]any)))
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-reader +schema):\n%s", what, diff)
		}
	}
	hook := at(t, defs, "hook", "properties")
	same("a hook", r.hookKeys(&Hook{}), hook)
	same("queue", r.queueKeys(&Queue{}), at(t, defs, "queue", "properties"))
	same("process", r.processKeys(&Process{}), at(t, defs, "process", "properties"))
	same("process.environment", r.environmentKeys(&Inherit{}), at(t, defs, "process", "properties", "environment", "properties"))
	same("retry", r.retryKeys(&Retry{}), at(t, defs, "retry", "properties"))
	same("answer", r.answerKeys(&Answer{}), at(t, defs, "answer", "properties"))
	same("keep", r.keepKeys(&Keep{}), at(t, defs, "keep", "properties"))
	auth := at(t, defs, "auth", "anyOf", 1, "properties").(map[string]any)
	same("auth", r.authKeys(&sender.Auth{}), auth)
	same("auth.hmac", r.hmacKeys(&sender.HMAC{}), at(t, defs, "hmac", "properties"))
	same("auth.oidc", r.oidcKeys(&sender.OIDC{}), at(t, auth, "oidc", "properties"))
	same("auth.sns", r.snsKeys(&sender.SNS{}), at(t, auth, "sns", "properties"))
	same("auth.client-certificate", r.certificateKeys(&sender.ClientCertificate{}), at(t, auth, "client-certificate", "properties"))
	same("an argument", r.argumentKeys(&Argument{}, &places{}), at(t, defs, "argument", "properties"))
	same("a value", r.valueKeys(&Argument{}, &places{}), at(t, defs, "value", "properties"))

	strict := texts(at(t, defs, "strict", "propertyNames", "enum"))
	if diff := cmp.Diff(slices.Sorted(maps.Keys(hook.(map[string]any))), slices.Sorted(slices.Values(strict))); diff != "" {
		t.Errorf("a strict hook (-all +strict):\n%s", diff)
	}
	var own, asked []string
	for _, k := range r.hookKeys(&Hook{}) {
		if k.of == pawls {
			own = append(own, k.name)
		}
	}
	for _, one := range at(t, defs, "hook", "if", "anyOf").([]any) {
		asked = append(asked, texts(one.(map[string]any)["required"])...)
	}
	if diff := cmp.Diff(own, asked, cmp.Transformer("sorted", func(s []string) []string { return slices.Sorted(slices.Values(s)) })); diff != "" {
		t.Errorf("the keys that make a hook strict (-reader +schema):\n%s", diff)
	}
	for name, property := range hook.(map[string]any) {
		if text, _ := property.(map[string]any)["description"].(string); text == "" {
			t.Errorf("the schema says nothing about %s", name)
		}
	}
}

// The schema lists the words that the reader knows.
func TestSchemaHasTheWordsOfTheReader(t *testing.T) {
	defs := definitions(t)
	var senders []string
	for _, s := range sender.All() {
		senders = append(senders, s.Name)
	}
	for what, lists := range map[string][2][]string{
		"senders":        {senders, texts(at(t, defs, "sender", "enum"))},
		"sources":        {append(sources(), "url"), texts(at(t, defs, "source", "enum"))},
		"types of match": {rule.Types(), texts(at(t, defs, "matchType", "enum"))},
	} {
		slices.Sort(lists[0])
		slices.Sort(lists[1])
		if diff := cmp.Diff(lists[0], lists[1]); diff != "" {
			t.Errorf("%s (-reader +schema):\n%s", what, diff)
		}
	}
}

// validator compiles the schema.
func validator(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("hooks.schema.json", data); err != nil {
		t.Fatal(err)
	}
	return compiler.MustCompile("hooks.schema.json")
}

// data gives a node as what a JSON decoder would give.
func (r *reader) data(node *yaml.Node) any {
	node = r.resolve(node)
	switch node.Kind {
	case yaml.MappingNode:
		object := map[string]any{}
		for _, f := range r.fieldsAsWritten(node) {
			object[f.name] = r.data(f.value)
		}
		return object
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range node.Content {
			list = append(list, r.data(item))
		}
		return list
	}
	switch node.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		value, _ := truth(node.Value)
		return value
	case "!!int", "!!float":
		if n, err := strconv.ParseFloat(plainText(node), 64); err == nil {
			return n
		}
	}
	return node.Value
}

func dataOf(text []byte) any {
	r := &reader{}
	root := r.parse(text)
	if root == nil {
		return nil
	}
	return r.data(root)
}

// Every hook file that Read takes fits the schema: those of the program, of the
// documents, of webhook's recorded behaviour, and the reader's own cases.
func TestSchemaTakesWhatTheReaderTakes(t *testing.T) {
	schema := validator(t)
	t.Setenv("CREDENTIALS_DIRECTORY", "testdata/credentials")
	t.Setenv("PAWL_TEST_SECRET", "a secret of a variable")
	t.Setenv("PAWL_TEST_UNSET", "")
	counts := map[string]int{}
	for name, text := range allHookFiles(t) {
		if _, problems := Read(name, text, Options{Elsewhere: !strings.HasPrefix(name, "testdata/read")}); problems.Refused() {
			continue
		}
		counts[strings.Trim(strings.SplitAfter(strings.TrimLeft(name, "./"), "/")[0], "/")]++
		if err := schema.Validate(dataOf(text)); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
	for from, least := range map[string]int{"hooks": 3, "examples": 5, "docs": 20, "testdata": 30, "internal": 100} {
		if counts[from] < least {
			t.Errorf("only %d hook files of %s were read", counts[from], from)
		}
	}
}

// block is a block of YAML or JSON in a document that is not marked.
var block = regexp.MustCompile("(?ms)^```(?:yaml|json)\n(.*?)^```$")

// allHookFiles gives every hook file there is, by where it stands.
func allHookFiles(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	read := func(pattern string, each func(name string, text []byte)) {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			each(name, text)
		}
	}
	whole := func(name string, text []byte) { files[name] = text }
	read("../../hooks/*", whole)
	read("../../examples/hooks/*", whole)
	read("../cli/testdata/compat/seed-hooks/*", func(name string, text []byte) { files["internal/"+name] = text })
	read("testdata/read/*.txt", func(name string, text []byte) {
		archive := txtar.Parse(text)
		if !bytes.Contains(archive.Comment, []byte("options: template")) {
			files[name] = archive.Files[0].Data
		}
	})
	read("../../docs/*.md", func(name string, text []byte) {
		for i, found := range block.FindAllSubmatch(text, -1) {
			if bytes.Contains(found[1], []byte("execute-command")) {
				files[fmt.Sprintf("%s: block %d", name, i)] = found[1]
			}
		}
	})
	read("../cli/testdata/compat/cases/*.json", func(name string, text []byte) {
		var document struct {
			Groups []struct {
				Hooks     json.RawMessage `json:"hooks"`
				HooksText any             `json:"hooks_text"`
			} `json:"groups"`
		}
		if err := json.Unmarshal(text, &document); err != nil {
			t.Fatal(err)
		}
		for i, group := range document.Groups {
			if text, ok := group.HooksText.(string); ok {
				files[fmt.Sprintf("internal/%s: %d", name, i)] = []byte(text)
			} else if len(group.Hooks) > 0 {
				files[fmt.Sprintf("internal/%s: %d", name, i)] = group.Hooks
			}
		}
	})
	return files
}

// What the reader refuses and a schema can say does not fit it.
func TestSchemaRefuses(t *testing.T) {
	schema := validator(t)
	for _, text := range []string{
		`{ "id": "a" }`,
		`[text]`,
		`[{ id: [a], execute-command: x }]`,
		`[{ id: a, execute-command: x, http-methods: POST }]`,
		`[{ id: a, execute-command: x, trigger-rule: { match: [] } }]`,
		`[{ id: a, execute-command: x, trigger-rule: { match: { type: payload-hmac-sha256, secret: { file: x } } } }]`,
		`[{ id: a, execute-command: x, include-command-output-in-response: "true" }]`,
		`[{ id: a, execute-command: x, success-http-response-code: "200" }]`,
		`[{ id: a, path: b }]`,
		`[{ id: a, execute-command: x, path: b, exceute: c }]`,
		`[{ id: a, execute-command: x, path: }]`,
		`[{ id: a, execute-command: x, path: b, pass-arguments-to-command: [{ source: paylod, name: a }] }]`,
		`[{ id: a, execute-command: x, path: b, pass-arguments-to-command: [{ source: payload, nam: a }] }]`,
		`[{ id: a, execute-command: x, path: b, trigger-rule: { and: [{ match: { type: valeu } }] } }]`,
		`[{ id: a, execute-command: x, path: b, trigger-rule: { and: [] } }]`,
		`[{ id: a, execute-command: x, sender: gihub, secret: { file: x } }]`,
		`[{ id: a, execute-command: x, secret: { file: x } }]`,
		`[{ id: a, execute-command: x, sender: github, secret: "" }]`,
		`[{ id: a, execute-command: x, sender: github, secret: [] }]`,
		`[{ id: a, execute-command: x, sender: github, secret: { file: x, env: Y } }]`,
		`[{ id: a, execute-command: x, sender: github, secret: { unset: loopback } }]`,
		`[{ id: a, execute-command: x, sender: github, secret: { file: x, unset: yes } }]`,
		`[{ id: a, execute-command: x, auth: nome }]`,
		`[{ id: a, execute-command: x, auth: {} }]`,
		`[{ id: a, execute-command: x, auth: { path: { name: x } }, secret: y }]`,
		`[{ id: a, execute-command: x, auth: { header: {} }, secret: y }]`,
		`[{ id: a, execute-command: x, auth: { hmac: { algorithms: [md5] } }, secret: y }]`,
		`[{ id: a, execute-command: x, auth: { hmac: { tolerance: 5 } }, secret: y }]`,
		`[{ id: a, execute-command: x, auth: { client-certificate: { ca: x } } }]`,
		`[{ id: a, execute-command: x, auth: { oidc: { audience: x } } }]`,
		`[{ id: a, execute-command: x, auth: { sns: { topics: [] } } }]`,
		`[{ id: a, execute-command: x, auth: { addresses: 10.0.0.0/8 } }]`,
		`[{ id: a, execute-command: x, events: [push] }]`,
		`[{ id: a, execute-command: x, sender: github, secret: y, events: push }]`,
		`[{ id: a, execute-command: x, when: [a] }]`,
		`[{ id: a, execute-command: x, for-each: { source: element } }]`,
		`[{ id: a, execute-command: x, for-each: { source: payload, name: a, pattern: b } }]`,
		`[{ id: a, execute-command: x, dedupe: 1h }]`,
		`[{ id: a, execute-command: x, delivery-id: { source: header, name: a }, dedupe: 1d }]`,
		`[{ id: a, execute-command: x, queue: { key: [] } }]`,
		`[{ id: a, execute-command: x, queue: { max-concurrent: 0 } }]`,
		`[{ id: a, execute-command: x, queue: { rate-limit: 10 } }]`,
		`[{ id: a, execute-command: x, process: { timeout: 15 } }]`,
		`[{ id: a, execute-command: x, process: { user: scanner } }]`,
		`[{ id: a, execute-command: x, process: { stdin: raw-request-body } }]`,
		`[{ id: a, execute-command: x, retry: { exit-codes: [0] } }]`,
		`[{ id: a, execute-command: x, retry: { attempts: three } }]`,
		`[{ id: a, execute-command: x, answer: { body: html } }]`,
		`[{ id: a, execute-command: x, answer: { wait: 1s, exit-status: { "1": 99 } } }]`,
		`[{ id: a, execute-command: x, keep: { output: 1 meg } }]`,
		`[{ id: a, execute-command: x, path: b, pass-environment-to-command: [{ source: string, name: c, secret: { file: d }, envname: E }] }]`,
		`[{ id: a, execute-command: x, path: b, pass-arguments-to-command: [{ source: payload, name: c, max-length: 0 }] }]`,
	} {
		if _, problems := Read("f", []byte(text), Options{Elsewhere: true}); problems.Errors() == 0 {
			t.Errorf("the reader finds nothing wrong with it: %s", text)
		}
		if err := schema.Validate(dataOf([]byte(text))); err == nil {
			t.Errorf("it fits the schema: %s", text)
		}
	}
}
