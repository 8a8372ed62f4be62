package lint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/process"
)

// command looks at the command of a hook and the script that it is.
func (e *entry) command() {
	m, ok := e.object.get("execute-command")
	if !ok || !m.value.isText() || variables.MatchString(m.value.node.Value) || strings.Contains(m.value.node.Value, "{{") {
		return // told otherwise
	}
	command, at := m.value.node.Value, m.value.node
	dir := e.object.text("command-working-directory")
	if variables.MatchString(dir) || strings.Contains(dir, "{{") {
		return
	}
	found, err := process.Lookup(e.from(command, dir))
	if err != nil {
		e.missing(at, err)
		if found = e.rough(command, dir); found == "" {
			return
		}
	} else if why := process.Unstartable(found); why != nil {
		e.missing(at, why)
	}
	found = filepath.Clean(found)
	e.script(found)
	e.writable(e.place(at), e.id, "the script", found)
}

// from gives command and directory as they are for a server that begins in
// Options.Directory.
func (e *entry) from(command, dir string) (string, string) {
	base := e.options.Directory
	switch {
	case base == "" || filepath.IsAbs(command):
		return command, dir
	case dir != "" && !filepath.IsAbs(dir):
		return command, filepath.Join(base, dir)
	case dir == "" && strings.ContainsRune(command, filepath.Separator):
		return filepath.Join(base, command), ""
	}
	return command, dir
}

// rough is the file that a command names, whether it can be started or not; ""
// where there is none.
func (e *entry) rough(command, dir string) string {
	command, dir = e.from(command, dir)
	if !filepath.IsAbs(command) && dir != "" {
		command = filepath.Join(dir, command)
	}
	if info, err := os.Stat(command); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return command
}

// missing tells why a command cannot be started. One that may well be on the
// server, and is only not here, is a warning: files are checked elsewhere too.
func (e *entry) missing(at *yaml.Node, err error) {
	var failed *process.StartError
	if !errors.As(err, &failed) {
		return
	}
	rule, severity := ruleCannotStart, Error
	switch failed.Kind {
	case process.Missing, process.Blanks, process.WorkingDirectory:
		rule = ruleMissing
		if e.elsewhere(failed) {
			severity = Warning
		}
	case process.CarriageReturn:
		rule = ruleLineEnds
	}
	text, fix := startless(failed), fixOf(failed)
	if what, todo, ok := cutFix(failed); ok { // its words say what to do
		text, fix = fmt.Sprintf("the command %q cannot start: %s", failed.Path, what), todo
	}
	e.add(at, rule, severity, fix, "%s", text)
}

// startless is the error without a second colon-laden beginning.
func startless(failed *process.StartError) string {
	return fmt.Sprintf("the command %q cannot start: %s", failed.Path, failed.Msg)
}

// cutFix takes the words of an error apart: what is wrong, and what to do.
func cutFix(failed *process.StartError) (what, todo string, ok bool) {
	switch failed.Kind {
	case process.NotExecutable, process.NoInterpreterLine, process.CarriageReturn, process.ByteOrderMark:
		at := strings.LastIndex(failed.Msg, ": ")
		if failed.Kind == process.CarriageReturn { // dos2unix: …
			at = strings.Index(failed.Msg, "; convert it")
		}
		if at < 0 {
			return failed.Msg, "", true
		}
		return failed.Msg[:at], strings.TrimLeft(failed.Msg[at:], ":; "), true
	}
	return "", "", false
}

func fixOf(failed *process.StartError) string {
	switch failed.Kind {
	case process.Missing:
		return "write the path of the file, absolute or below command-working-directory; a path without one is relative to the directory that Pawl is started in"
	case process.Blanks:
		return "name the file alone; put each argument into pass-arguments-to-command as {source: string, name: …}"
	}
	return "" // its words say what to do
}

const fixLineEnds = "convert the file, as with dos2unix, and have git keep it so (.gitattributes: *.sh text eol=lf)"

// elsewhere reports whether a command that is not here may be there for the
// server: its directory is not on this machine either, it is looked up from where
// Pawl is started, or on its PATH.
func (e *entry) elsewhere(failed *process.StartError) bool {
	command, dir := e.object.text("execute-command"), e.object.text("command-working-directory")
	switch {
	case failed.Kind == process.Blanks:
		return false
	case !strings.ContainsRune(command, filepath.Separator) && dir == "":
		return !strings.Contains(failed.Msg, "searched on PATH alone")
	case !filepath.IsAbs(command) && !filepath.IsAbs(dir):
		return true
	}
	_, err := os.Stat(filepath.Dir(failed.Path))
	return errors.Is(err, fs.ErrNotExist)
}

// writable tells who besides its owner may change a file, or put another in its
// place.
func (f *file) writable(at hook.Position, id, what, path string) {
	for _, exposed := range exposures(path) {
		f.findings = append(f.findings, Finding{
			Rule: ruleWritable, At: at, Hook: id, Severity: Warning,
			Text: fmt.Sprintf("%s may change %s: %s (mode %04o)", exposed.who, what, exposed.path, exposed.mode),
			Fix:  "chmod " + exposed.change + " " + exposed.path,
		})
	}
}

// exposure is a file or directory that others may write to.
type exposure struct {
	path   string
	mode   fs.FileMode
	who    string // "anyone on this machine"
	change string // what chmod takes
}

// exposures looks at a file, what it links to, and the directories above.
func exposures(path string) []exposure {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil
	}
	if real, err := filepath.EvalSymlinks(absolute); err == nil {
		absolute = real
	}
	var list []exposure
	for first := true; ; first = false {
		info, err := os.Stat(absolute)
		if err != nil {
			return list
		}
		sticky := info.IsDir() && info.Mode()&fs.ModeSticky != 0
		if (first || info.IsDir()) && !sticky {
			if who, change := writers(info); who != "" {
				list = append(list, exposure{absolute, info.Mode().Perm(), who, change})
			}
		}
		parent := filepath.Dir(absolute)
		if parent == absolute {
			return list
		}
		absolute = parent
	}
}

// secretFile looks at the file of a secret.
func (e *entry) secretFile(at *yaml.Node, path string) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return // the reader tells
	case err != nil:
		return
	case readable(info) != "":
		e.add(at, ruleSecretFile, Warning, "chmod 600 "+path+", and give it to the user that Pawl runs as",
			"%s may read the secret in %s (mode %04o)", readable(info), path, info.Mode().Perm())
	}
}
