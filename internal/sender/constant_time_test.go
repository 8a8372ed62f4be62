package sender_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// How long a comparison with a secret takes must not tell how much is right. Times
// cannot be measured soundly in a test, so the code is read: whatever is made of a
// secret or a keyed sum is compared by crypto/subtle or hmac.Equal alone.

// comparers are the functions that all comparisons end in. What they are given
// counts as secret.
var comparers = map[string]string{
	"../sender same": "subtle.ConstantTimeCompare", "../sender compare": "subtle.ConstantTimeCompare",
	"../rule equal": "subtle.ConstantTimeCompare", "../admin hasToken": "subtle.ConstantTimeCompare",
}

// explaining are functions that look for the usual mistakes in a delivery that was
// refused already: what they find is told to operators alone.
var explaining = []string{"../sender nearly", "../sender hints", "../sender oddKeys", "../rule mistake"}

// telling are those that tell by their time how much of two texts is alike.
var telling = []string{
	"bytes.Equal", "bytes.Compare", "bytes.HasPrefix", "bytes.Contains", "bytes.EqualFold", "strings.Compare", "strings.EqualFold",
	"strings.Contains", "strings.HasSuffix", "strings.Index", "slices.Equal", "slices.Contains", "slices.Index", "cmp.Compare", "reflect.DeepEqual",
}

func TestSecretsAreComparedInConstantTime(t *testing.T) {
	revealed, found := 0, map[string]bool{}
	for _, directory := range []string{"../sender", "../rule", "../admin"} {
		files, err := filepath.Glob(directory + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatal(directory, err)
		}
		set := token.NewFileSet()
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, declaration := range file.Decls {
				function, ok := declaration.(*ast.FuncDecl)
				if !ok || function.Body == nil {
					continue
				}
				name := directory + " " + function.Name.Name
				found[name] = true
				r := &constantReader{tainted: map[string]bool{}, name: name}
				revealed += r.read(function)
				for _, at := range r.wrong {
					t.Errorf("%s: %s compares what is made of a secret in a time that tells of it", set.Position(at), name)
				}
				if want := comparers[name]; want != "" && !r.calls[want] {
					t.Errorf("%s does not compare by %s", name, want)
				}
			}
		}
	}
	for _, name := range explaining {
		if !found[name] {
			t.Errorf("there is no %s any more: take it off the list", name)
		}
	}
	for name := range comparers {
		if !found[name] {
			t.Errorf("there is no %s any more: what compares in its place?", name)
		}
	}
	if revealed < 8 {
		t.Errorf("only %d uses of a secret were found: the test has become blind", revealed)
	}
}

// TestReadsConstantTime tries the test itself on what it must find, and must not.
func TestReadsConstantTime(t *testing.T) {
	for code, wrong := range map[string]int{
		`func f(given string) bool { return given == s.Reveal() }`:                                                1,
		`func f(given string) bool { want := s.Reveal(); return want != given }`:                                  1,
		`func f(given string) bool { want := []byte(s.Reveal()); return bytes.Equal(want, given) }`:               1,
		`func f(given string) bool { sum := m.Sum(nil); text := hex(sum); return strings.Contains(text, given) }`: 1,
		`func same(given, want string) bool { return given == want }`:                                             1,
		`func f(given string) bool { return same(given, s.Reveal()) && s.Reveal() != "" }`:                        0,
		`func f(given string) bool { return subtle.ConstantTimeCompare(m.Sum(nil), given) == 1 }`:                 0,
		`func f(given string) bool { want := s.Reveal(); return len(want) == len(given) }`:                        0,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+code, 0)
		if err != nil {
			t.Fatal(err)
		}
		function := file.Decls[0].(*ast.FuncDecl)
		r := &constantReader{tainted: map[string]bool{}, name: "../sender " + function.Name.Name}
		r.read(function)
		if len(r.wrong) != wrong {
			t.Errorf("%s: %d findings, want %d", code, len(r.wrong), wrong)
		}
	}
}

// constantReader reads one function.
type constantReader struct {
	name    string
	tainted map[string]bool // variables that are made of a secret
	calls   map[string]bool
	wrong   []token.Pos
}

// read finds comparisons of what is made of secrets, and tells how often a secret
// is revealed.
func (r *constantReader) read(function *ast.FuncDecl) (revealed int) {
	r.calls = map[string]bool{}
	if _, ok := comparers[r.name]; ok {
		for _, field := range function.Type.Params.List {
			for _, name := range field.Names {
				r.tainted[name.Name] = name.Name == "given" || name.Name == "want" || name.Name == "a" || name.Name == "b"
			}
		}
	}
	exempt := false
	for _, name := range explaining {
		exempt = exempt || name == r.name
	}
	ast.Inspect(function.Body, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.AssignStmt:
			for i, right := range node.Rhs {
				if !r.secret(right) {
					continue
				}
				for j, left := range node.Lhs {
					if name, ok := left.(*ast.Ident); ok && (len(node.Rhs) == 1 && j == 0 || i == j) {
						r.tainted[name.Name] = true
					}
				}
			}
		case *ast.BinaryExpr:
			if (node.Op == token.EQL || node.Op == token.NEQ) && !exempt && (r.secret(node.X) && !plain(node.Y) || r.secret(node.Y) && !plain(node.X)) {
				r.wrong = append(r.wrong, node.Pos())
			}
		case *ast.CallExpr:
			called := calledAs(node.Fun)
			r.calls[called] = true
			if strings.HasSuffix(called, ".Reveal") {
				revealed++
			}
			for _, name := range telling {
				if called != name || exempt {
					continue
				}
				for _, argument := range node.Args {
					if r.secret(argument) {
						r.wrong = append(r.wrong, node.Pos())
						break
					}
				}
			}
		}
		return true
	})
	return revealed
}

// secret reports whether an expression is a secret's text, a keyed sum, or made of
// such a one.
func (r *constantReader) secret(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return r.tainted[e.Name]
	case *ast.ParenExpr:
		return r.secret(e.X)
	case *ast.SliceExpr:
		return r.secret(e.X)
	case *ast.BinaryExpr:
		return e.Op == token.ADD && (r.secret(e.X) || r.secret(e.Y))
	case *ast.CallExpr:
		called := calledAs(e.Fun)
		switch {
		case strings.HasSuffix(called, ".Reveal"), strings.HasSuffix(called, ".Sum"):
			return true
		case called == "len", called == "same", called == "which", called == "equal", strings.HasPrefix(called, "subtle."), called == "hmac.Equal",
			called == "hmac.New", strings.HasSuffix(called, ".mac"), strings.HasSuffix(called, ".isSigning"):
			return false // a number or a yes, or what makes the sum
		}
		for _, argument := range e.Args {
			if r.secret(argument) {
				return true
			}
		}
	}
	return false
}

// plain is what a comparison with tells nothing of a secret but whether there is one.
func plain(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return e.Name == "nil"
	}
	return false
}

// calledAs is what is called, as package.Func, value.Method or func.
func calledAs(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return calledAs(e.X) + "." + e.Sel.Name
	case *ast.IndexExpr:
		return calledAs(e.X)
	case *ast.CallExpr:
		return calledAs(e.Fun)
	}
	return ""
}
