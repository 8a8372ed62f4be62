package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/rs/zerolog"
	"golang.org/x/term"
)

// openLog opens the log. Without -verbose it holds what goes wrong, a failed
// run included; close is called at the end.
func (a *app) openLog(s *settings) (log zerolog.Logger, closeLog func(), err error) {
	closeLog = func() {}
	out, colour := a.stderr, isTerminal(a.stderr) && os.Getenv("NO_COLOR") == ""
	if s.logfile != "" {
		file, err := os.OpenFile(s.logfile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return log, closeLog, fmt.Errorf("open the log file (-logfile): %w", err)
		}
		out, colour, closeLog = file, false, func() { _ = file.Close() }
	}
	level := zerolog.WarnLevel
	switch {
	case s.debug:
		level = zerolog.DebugLevel
	case s.verbose || s.logfile != "":
		level = zerolog.InfoLevel
	}
	s.verbose = level < zerolog.WarnLevel
	writer := zerolog.ConsoleWriter{
		Out: plain{out}, NoColor: !colour, TimeFormat: time.RFC3339,
		FieldsExclude: blockFields(), FormatExtra: writeBlocks,
	}
	return zerolog.New(writer).Level(level).With().Timestamp().Logger(), closeLog, nil
}

// plain takes out of what is logged what could tell a terminal to do something
// or turn the order of its letters round: values of requests stand in many
// fields. ESC and the like stay, for colours; in fields they are escaped.
type plain struct{ io.Writer }

func (p plain) Write(line []byte) (int, error) {
	if _, err := p.Writer.Write(bytes.Map(harmless, line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

func harmless(r rune) rune {
	if r >= 0x7f && unicode.In(r, unicode.Cc, unicode.Cf) {
		return '·'
	}
	return r
}

// blockFields are the fields that hold whole texts: what a script printed, a
// request, an answer, why a script cannot start. They stand below their line,
// not in it.
func blockFields() []string { return []string{"output", "dump", "reason"} }

// writeBlocks writes the block fields of an event, each line indented, so that
// none can be taken for a line of the log, and without control characters, which
// could tell a terminal to do something.
func writeBlocks(event map[string]any, line *bytes.Buffer) error {
	for _, name := range blockFields() {
		text, _ := event[name].(string)
		text = strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
		if text == "" {
			continue
		}
		for part := range strings.SplitSeq(text, "\n") {
			line.WriteString("\n    ")
			line.WriteString(strings.Map(printable, part))
		}
	}
	return nil
}

func printable(r rune) rune {
	if r != '\t' && unicode.IsControl(r) {
		return '·'
	}
	return r
}

// isTerminal reports whether a person looks at what is written to w.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
