package cli

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/pawlhq/pawl"

// picture is the order of the packages below internal: one may import only
// packages of groups named before its own (docs/ARCHITECTURE.md).
func picture() [][]string {
	return [][]string{
		{"run", "secret", "process", "database"},
		{"delivery"},
		{"rule", "sender", "expression"},
		{"hook"},
		{"command", "trigger"},
		{"runner", "engine", "explain", "lint"},
		{"engine/embedded", "engine/river"},
		{"server", "admin"},
		{"cli"},
	}
}

// TestImportPicture reads every Go file of the program, for every operating
// system, and says who imports whom against the picture.
func TestImportPicture(t *testing.T) {
	t.Parallel()
	files := readSources(t, filepath.Join("..", ".."))
	if !slices.ContainsFunc(files, func(f source) bool { return f.dir == "internal/cli" && !f.test }) {
		t.Fatal("the program's own files were not found")
	}
	for _, complaint := range checkPicture(files) {
		t.Error(complaint)
	}
}

// source is what the picture asks of one Go file.
type source struct {
	dir, name string // dir from the module's root, with slashes
	test      bool   // a _test.go file
	imports   []string
	starts    []string // calls that start a process, as written
}

// checkPicture returns a sentence for each thing that is barred.
func checkPicture(files []source) []string {
	complaints := map[string]bool{}
	for _, f := range files {
		if f.test {
			continue // tests may reach for what they need
		}
		pkg, below := strings.CutPrefix(f.dir, "internal/")
		if below && level(pkg) < 0 && f.name == "doc.go" && len(f.imports) == 0 {
			continue // what a package of tests is for
		}
		if below && level(pkg) < 0 {
			complaints[fmt.Sprintf("%s has a place in no group of the import picture: give it one (imports_test.go, docs/ARCHITECTURE.md), or keep only tests in it", f.dir)] = true
			continue
		}
		for _, imported := range f.imports {
			if why := barred(f.dir, imported); why != "" {
				complaints[fmt.Sprintf("%s imports %s (%s), which is barred: %s", f.dir, imported, f.name, why)] = true
			}
		}
		for _, call := range f.starts {
			if f.dir != "internal/process" {
				complaints[fmt.Sprintf("%s calls %s (%s), which is barred: only internal/process starts processes", f.dir, call, f.name)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(complaints))
}

// barred tells why the package in dir must not import another, or nothing.
func barred(dir, imported string) string {
	if imported == "os/exec" && dir != "internal/process" {
		return "only internal/process starts processes"
	}
	own, ok := strings.CutPrefix(imported, module+"/")
	if !ok {
		return "" // not of this module
	}
	if strings.HasPrefix(dir, "cmd/") {
		if own == "internal/cli" {
			return ""
		}
		return "a command calls internal/cli and nothing else of Pawl"
	}
	importer, ok := strings.CutPrefix(dir, "internal/")
	if !ok {
		return ""
	}
	pkg, ok := strings.CutPrefix(own, "internal/")
	if !ok || level(pkg) < 0 {
		return "it has a place in no group of the import picture"
	}
	if isTestSupport(pkg) && !isTestSupport(importer) {
		return "it supports tests, and only tests may import it"
	}
	from, to := level(importer), level(pkg)
	switch {
	case isTestSupport(importer) && to <= from:
		return "" // it stands beside the package that it tests
	case to > from:
		return fmt.Sprintf("%s is in group %d, after %s in group %d, and a package imports only what comes before it", pkg, to+1, importer, from+1)
	case to == from:
		return fmt.Sprintf("both are in group %d, and a package imports only what comes before its group", to+1)
	}
	return ""
}

// level returns the index of a package's group, -1 when it has none. A
// conformance suite like engine/enginetest belongs to its package's group.
func level(pkg string) int {
	if isTestSupport(pkg) {
		pkg = path.Dir(pkg)
	}
	return slices.IndexFunc(picture(), func(group []string) bool { return slices.Contains(group, pkg) })
}

// isTestSupport tells whether a package is NAME/NAMEtest: code that tests share.
func isTestSupport(pkg string) bool {
	dir, name := path.Split(pkg)
	return dir != "" && name == path.Base(dir)+"test"
}

// readSources reads the Go files below cmd and internal. Build constraints do
// not count: what another operating system would import counts as well.
func readSources(t *testing.T, root string) []source {
	t.Helper()
	var files []source
	for _, top := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(file string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && entry.Name() == "testdata" {
				return filepath.SkipDir
			}
			if entry.IsDir() || !strings.HasSuffix(file, ".go") {
				return nil
			}
			found, err := readSource(file)
			if err != nil {
				return err
			}
			dir, err := filepath.Rel(root, filepath.Dir(file))
			found.dir = filepath.ToSlash(dir)
			files = append(files, found)
			return err
		})
		if err != nil {
			t.Fatalf("read the program's files: %v", err)
		}
	}
	return files
}

func readSource(file string) (source, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return source{}, err
	}
	return describeSource(filepath.Base(file), parsed)
}

// describeSource finds a file's imports and its uses of what starts a process
// without os/exec, under whatever name the file gives those packages.
func describeSource(name string, parsed *ast.File) (source, error) {
	found := source{name: name, test: strings.HasSuffix(name, "_test.go")}
	starters := map[string][]string{"os": {"StartProcess"}, "syscall": {"StartProcess", "ForkExec"}}
	byName := map[string]string{}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return source{}, err
		}
		found.imports = append(found.imports, imported)
		local := path.Base(imported)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		byName[local] = imported
		if local == "." && starters[imported] != nil {
			found.starts = append(found.starts, "whatever of "+imported+" (imported with a dot)")
		}
	}
	ast.Inspect(parsed, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := selector.X.(*ast.Ident); ok && slices.Contains(starters[byName[pkg.Name]], selector.Sel.Name) {
			found.starts = append(found.starts, pkg.Name+"."+selector.Sel.Name)
		}
		return true
	})
	return found, nil
}

// TestImportPictureSeesTrespassers gives the check one file of each kind.
func TestImportPictureSeesTrespassers(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, file, code string
		complaint        string // part of it; empty: allowed
	}{
		{"an earlier group", "internal/hook/a.go", `import _ "github.com/pawlhq/pawl/internal/rule"`, ""},
		{"a later group", "internal/rule/a.go", `import _ "github.com/pawlhq/pawl/internal/server"`,
			"internal/rule imports github.com/pawlhq/pawl/internal/server (a.go), which is barred: server is in group 8, after rule in group 3"},
		{"its own group", "internal/runner/a.go", `import _ "github.com/pawlhq/pawl/internal/engine"`, "both are in group 6"},
		{"an engine its interface", "internal/engine/river/a.go", `import _ "github.com/pawlhq/pawl/internal/engine"`, ""},
		{"an engine the other", "internal/engine/river/a.go", `import _ "github.com/pawlhq/pawl/internal/engine/embedded"`, "both are in group 7"},
		{"the last group", "internal/cli/a.go", `import _ "github.com/pawlhq/pawl/internal/admin"`, ""},
		{"a test", "internal/rule/a_test.go", `import _ "github.com/pawlhq/pawl/internal/server"`, ""},
		{"a file for another system", "internal/rule/a_windows.go", `import _ "github.com/pawlhq/pawl/internal/hook"`, "hook is in group 4"},
		{"main calls cli", "cmd/pawl/main.go", `import _ "github.com/pawlhq/pawl/internal/cli"`, ""},
		{"main calls more", "cmd/pawl/main.go", `import _ "github.com/pawlhq/pawl/internal/run"`, "calls internal/cli and nothing else"},
		{"a package without a place", "internal/util/a.go", `import _ "os"`, "internal/util has a place in no group"},
		{"a package of tests alone", "internal/e2e/a_test.go", `import _ "os/exec"`, ""},
		{"importing one without a place", "internal/hook/a.go", `import _ "github.com/pawlhq/pawl/internal/util"`, "no group"},
		{"a suite beside its package", "internal/engine/enginetest/a.go", `import _ "github.com/pawlhq/pawl/internal/engine"`, ""},
		{"a suite in the program", "internal/cli/a.go", `import _ "github.com/pawlhq/pawl/internal/engine/enginetest"`, "only tests may import it"},
		{"os/exec in process", "internal/process/a.go", `import _ "os/exec"`, ""},
		{"os/exec elsewhere", "internal/cli/a.go", `import _ "os/exec"`, "only internal/process starts processes"},
		{"os.StartProcess elsewhere", "internal/runner/a.go", "import \"os\"\nvar start = os.StartProcess", "calls os.StartProcess"},
		{"os under another name", "internal/runner/a.go", "import x \"os\"\nvar start = x.StartProcess", "calls x.StartProcess"},
		{"syscall.ForkExec elsewhere", "internal/cli/a.go", "import \"syscall\"\nvar start = syscall.ForkExec", "calls syscall.ForkExec"},
		{"another StartProcess", "internal/runner/a.go", "import os \"strings\"\nvar start = os.StartProcess", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			parsed, err := parser.ParseFile(token.NewFileSet(), c.file, "package p\n"+c.code, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			file, err := describeSource(path.Base(c.file), parsed)
			if err != nil {
				t.Fatal(err)
			}
			file.dir = path.Dir(c.file)
			got := strings.Join(checkPicture([]source{file}), "\n")
			if (got == "") != (c.complaint == "") || !strings.Contains(got, c.complaint) {
				t.Errorf("want a complaint with %q, got %q", c.complaint, got)
			}
		})
	}
}
