package cli

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// repository is the root of the checkout, seen from this package.
const repository = "../.."

// page is one Markdown file.
type page struct {
	path   string // from the repository's root, with slashes
	text   string // without the code blocks
	blocks []block
}

// block is one fenced code block: ```language word word.
type block struct {
	line     int
	language string
	words    []string
	file     string // of a word file=NAME: the block is this file's content
	text     string
}

func (b block) is(word string) bool { return slices.Contains(b.words, word) }

// readPages reads all Markdown files of the project.
func readPages(t *testing.T) []page {
	t.Helper()
	var pages []page
	err := filepath.WalkDir(repository, func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != repository && (strings.HasPrefix(name, ".") || name == "build" || name == "testdata"):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(name) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(repository, path)
		pages = append(pages, parsePage(filepath.ToSlash(relative), string(text)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, needed := range []string{"README.md", "docs/hooks.md", "docs/running.md", "docs/migrating.md"} {
		if !slices.ContainsFunc(pages, func(p page) bool { return p.path == needed }) {
			t.Fatalf("%s is not there", needed)
		}
	}
	return pages
}

func parsePage(path, text string) page {
	p := page{path: path}
	var open *block
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case open == nil && strings.HasPrefix(trimmed, "```"):
			open = &block{line: i + 1}
			words := strings.Fields(strings.TrimPrefix(trimmed, "```"))
			if len(words) > 0 {
				open.language, open.words = words[0], words[1:]
			}
			for _, word := range open.words {
				if name, ok := strings.CutPrefix(word, "file="); ok {
					open.file = name
				}
			}
		case open != nil && trimmed == "```":
			p.blocks, open = append(p.blocks, *open), nil
		case open != nil:
			open.text += line + "\n"
		default:
			p.text += line + "\n"
		}
	}
	return p
}

// TestDocsHookFiles loads every hook file that the documents show. One that is
// meant to be wrong says so behind its language: wrong (an error), warned.
func TestDocsHookFiles(t *testing.T) {
	t.Setenv("DEPLOY_SECRET", `with "quotes" and \ a backslash`)
	loaded := 0
	for _, p := range readPages(t) {
		for _, b := range p.blocks {
			if b.language != "yaml" && b.language != "json" || !isHookFile(t, p, b) {
				continue
			}
			loaded++
			hooks, problems := hook.Read(p.path, []byte(b.text), hook.Options{Template: b.is("template"), Elsewhere: true})
			switch {
			case b.is("wrong") && problems.Errors() == 0:
				t.Errorf("%s:%d: the hook file is marked wrong, and nothing is wrong with it", p.path, b.line)
			case b.is("warned") && (len(problems) == 0 || problems.Errors() > 0):
				t.Errorf("%s:%d: the hook file is marked warned; its problems are: %v", p.path, b.line, problems)
			case !b.is("wrong") && !b.is("warned") && (len(problems) > 0 || len(hooks) == 0):
				t.Errorf("%s:%d: the hook file has %d hooks and problems: %v", p.path, b.line, len(hooks), problems)
			}
		}
	}
	if loaded < 15 {
		t.Errorf("only %d hook files were found in the documents", loaded)
	}
}

// isHookFile tells a hook file, a list of things with an id, from other YAML. A
// block that is marked is one.
func isHookFile(t *testing.T, p page, b block) bool {
	if b.is("wrong") || b.is("warned") || b.is("template") {
		return true
	}
	var root any
	if err := yaml.Unmarshal([]byte(b.text), &root); err != nil {
		t.Errorf("%s:%d: cannot be read: %v", p.path, b.line, err)
	}
	list, _ := root.([]any)
	return slices.ContainsFunc(list, func(item any) bool {
		entry, _ := item.(map[string]any)
		return entry["id"] != nil || entry["execute-command"] != nil
	})
}

// TestDocsHookKeys: docs/hooks.md has a row for each key, and no other.
func TestDocsHookKeys(t *testing.T) {
	_, tables, _ := strings.Cut(pageNamed(t, "docs/hooks.md").text, "\n## Keys that webhook knows\n")
	tables, _, _ = strings.Cut(tables, "\n## How the command is found\n")
	documented, last := map[string]bool{}, map[string]bool{}
	for _, match := range regexp.MustCompile("(?m)^\\| `([a-z0-9.-]+)` \\|").FindAllStringSubmatch(tables, -1) {
		documented[match[1]] = true
		last[match[1][strings.LastIndex(match[1], ".")+1:]] = true
	}
	source, err := os.ReadFile("../hook/decode.go")
	if err != nil {
		t.Fatal(err)
	}
	more, err := os.ReadFile("../hook/decode_auth.go")
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`(?:\{name: |\b(?:empty|r\.needed|r\.fileKey)\()"([a-z0-9-]+)"`).FindAllStringSubmatch(string(source)+string(more), -1)
	if len(keys) < 70 {
		t.Fatalf("the tables of keys in hook/decode.go and decode_auth.go have %d rows", len(keys))
	}
	for _, key := range keys {
		if group := key[1] == "process" || key[1] == "keep"; !group && !last[key[1]] {
			t.Errorf("docs/hooks.md does not have the key %q", key[1])
		}
	}
	_, problems := hook.Read("f", []byte("- {id: a, execute-command: b, zzzzzzzz: 1}"), hook.Options{})
	if len(problems) != 1 {
		t.Fatalf("an unknown key is not told: %v", problems)
	}
	for key := range documented {
		entry := "- id: a\n  execute-command: b\n"
		if key != "id" && key != "execute-command" {
			depth := strings.Count(key, ".")
			entry += "  " + strings.ReplaceAll(key, ".", ": {") + ": {}" + strings.Repeat("}", depth) + "\n"
		}
		_, problems := hook.Read("f", []byte(entry), hook.Options{})
		if strings.Contains(problems.String(), "unknown key") || strings.Contains(problems.String(), "not in this version") {
			t.Errorf("docs/hooks.md has the key %q, which does not exist", key)
		}
	}
}

func pageNamed(t *testing.T, path string) page {
	t.Helper()
	pages := readPages(t)
	at := slices.IndexFunc(pages, func(p page) bool { return p.path == path })
	if at < 0 {
		t.Fatalf("there is no %s", path)
	}
	return pages[at]
}

// TestDocsValues looks the values up that docs/values.md shows.
func TestDocsValues(t *testing.T) {
	_, table, found := strings.Cut(pageNamed(t, "docs/values.md").text, "<!-- values -->")
	if !found {
		t.Fatal("docs/values.md has lost its table of values")
	}
	table, _, _ = strings.Cut(table, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| `(.*?)` \\| `(.*?)` \\| (.*) \\|$").FindAllStringSubmatch(table, -1)
	if len(rows) < 10 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	for _, row := range rows {
		record := &run.Delivery{Body: []byte(row[1]), Header: map[string][]string{"Content-Type": {"application/json"}}}
		got, err := delivery.New(record, delivery.Options{}).Value(delivery.Ref{Source: delivery.Payload, Name: row[2]})
		if delivery.IsMissing(err) {
			got = "(missing)"
		} else if got = "`" + got + "`"; err != nil {
			t.Errorf("%s of %s: %v", row[2], row[1], err)
		}
		if got != row[3] {
			t.Errorf("%s of %s: the document says %s, it is %s", row[2], row[1], row[3], got)
		}
	}
}

func tableOfFlags() *pflag.FlagSet {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	new(settings).flags(flags)
	return flags
}

// TestDocsFlags: docs/running.md has each flag and its default, and no document
// has a flag that does not exist.
func TestDocsFlags(t *testing.T) {
	flags := tableOfFlags()
	documented := map[string]string{} // default by flag
	name := regexp.MustCompile("`-([a-z][a-z-]*)`")
	for _, row := range regexp.MustCompile("(?m)^\\| (`-[a-z].*?) \\| (.*?) ?\\| .* \\|$").FindAllStringSubmatch(pageNamed(t, "docs/running.md").text, -1) {
		for _, flag := range name.FindAllStringSubmatch(row[1], -1) {
			if _, twice := documented[flag[1]]; !twice {
				documented[flag[1]] = strings.Trim(row[2], "` ")
			}
		}
	}
	flags.VisitAll(func(flag *pflag.Flag) {
		told, ok := documented[flag.Name]
		delete(documented, flag.Name)
		want := map[string]string{"false": "off", "[hooks.json]": "hooks.json", "[]": ""}[flag.DefValue]
		if want == "" && flag.DefValue != "[]" {
			want = flag.DefValue
		}
		switch {
		case !ok:
			t.Errorf("docs/running.md does not have -%s", flag.Name)
		case flag.Name == "data-dir" || flag.Name == "max-concurrent" || flag.Name == "max-sync":
		case flag.Name == "version" || flag.Name == "list-cipher-suites":
		case told != want:
			t.Errorf("docs/running.md says that the default of -%s is %q; it is %q", flag.Name, told, want)
		}
	})
	if len(documented) > 0 {
		t.Errorf("docs/running.md has flags that do not exist: %v", slices.Sorted(maps.Keys(documented)))
	}
	ofCommands := flagsOfCommands()
	inline := regexp.MustCompile("`-([a-z][a-z0-9-]*)[^`]*`")
	command := regexp.MustCompile(`(?:^|[ /])pawl(?::\w+)? ([^|>&#]*)`)
	for _, p := range readPages(t) {
		named := []string{}
		for _, match := range inline.FindAllStringSubmatch(p.text, -1) {
			named = append(named, match[1])
		}
		for _, b := range p.blocks {
			for line := range strings.SplitSeq(b.text, "\n") {
				for _, word := range strings.Fields(strings.Join(command.FindStringSubmatch(line), " ")) {
					if flag, ok := strings.CutPrefix(word, "-"); ok {
						flag, _, _ = strings.Cut(strings.TrimPrefix(flag, "-"), "=")
						named = append(named, flag)
					}
				}
			}
		}
		for _, flag := range named {
			if flags.Lookup(flag) == nil && !ofCommands[flag] && !isHook(p.path, flag) {
				t.Errorf("%s has the flag -%s, which does not exist", p.path, flag)
			}
		}
	}
}

// flagsOfCommands are the flags that subcommands have of their own, short ones
// too.
func flagsOfCommands() map[string]bool {
	names := map[string]bool{}
	var visit func(*cobra.Command)
	visit = func(command *cobra.Command) {
		command.Flags().VisitAll(func(flag *pflag.Flag) { names[flag.Name], names[flag.Shorthand] = true, true })
		for _, sub := range command.Commands() {
			visit(sub)
		}
	}
	visit((&app{}).newRoot())
	return names
}

// isHook excuses what looks like a flag of Pawl's table and is none there: ends
// of names, and the flag that each command has.
func isHook(path, word string) bool {
	return word == "help" || path == "docs/rules.md" && slices.Contains([]string{"sha256", "sha512"}, word)
}

// TestDocsLinks follows all links of the documents to files and headings.
func TestDocsLinks(t *testing.T) {
	pages := readPages(t)
	headings := map[string]map[string]bool{}
	for _, p := range pages {
		headings[p.path] = map[string]bool{}
		for line := range strings.SplitSeq(p.text, "\n") {
			if title := strings.TrimLeft(line, "#"); title != line && strings.HasPrefix(title, " ") {
				headings[p.path][anchor(title)] = true
			}
		}
	}
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	followed := 0
	for _, p := range pages {
		for _, match := range link.FindAllStringSubmatch(p.text, -1) {
			target, fragment, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			followed++
			path := p.path
			if target != "" {
				path = filepath.ToSlash(filepath.Join(filepath.Dir(p.path), target))
			}
			if _, err := os.Stat(filepath.Join(repository, path)); err != nil {
				t.Errorf("%s links to %s, which is not there", p.path, match[1])
			} else if fragment != "" && !headings[path][fragment] {
				t.Errorf("%s links to %s, and %s has no such heading", p.path, match[1], path)
			}
		}
	}
	if followed < 30 {
		t.Errorf("only %d links were found", followed)
	}
}

// anchor is the name of a heading in a URL, as GitHub makes it.
func anchor(title string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}, strings.ToLower(strings.TrimSpace(title)))
	return kept
}
