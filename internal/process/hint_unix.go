//go:build unix

package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// hint explains the failure of a script that did start, where its first line
// alone tells: env that cannot find what it is to run, and carriage returns
// that end up in an option or a name. It is empty when nothing is certain.
func hint(spec Spec, exitCode int) string {
	head, err := readHead(spec.Path)
	if err != nil || !strings.HasPrefix(string(head), "#!") {
		return ""
	}
	line, _ := firstLine(head)
	if strings.HasSuffix(line, "\r") {
		_, why := diagnoseInterpreter(spec.Path, line, true, mountedNoExec)
		return why
	}
	const notFound = 127 // env's and the shells' exit code for it
	interpreter, argument := splitLine(line)
	if exitCode != notFound || filepath.Base(interpreter) != "env" {
		return ""
	}
	program, rest, _ := strings.Cut(strings.TrimSpace(argument), " ")
	if program == "-S" {
		program, _, _ = strings.Cut(strings.TrimSpace(rest), " ")
	}
	if program == "" || strings.HasPrefix(program, "-") || strings.ContainsAny(program, "=/") {
		return ""
	}
	path := valueOf(spec.Env, "PATH")
	if onPath(program, path, spec.Dir) {
		return ""
	}
	return fmt.Sprintf("its #! line asks %s for %q, which is not found on the script's PATH (%s): install it or correct the line", interpreter, program, path)
}

// valueOf finds a variable; the last one counts.
func valueOf(env []string, name string) string {
	value := ""
	for _, item := range env {
		if v, ok := strings.CutPrefix(item, name+"="); ok {
			value = v
		}
	}
	return value
}

// onPath reports whether an executable of that name lies in one of path's
// directories; the relative ones are taken from dir.
func onPath(name, path, dir string) bool {
	for _, place := range filepath.SplitList(path) {
		if !filepath.IsAbs(place) {
			place = filepath.Join(dir, place)
		}
		info, err := os.Stat(filepath.Join(place, name))
		if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
			return true
		}
	}
	return false
}
