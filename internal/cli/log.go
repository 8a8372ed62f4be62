package cli

import (
	"fmt"
	"io"
	"os"
	"time"

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
	writer := zerolog.ConsoleWriter{Out: out, NoColor: !colour, TimeFormat: time.RFC3339}
	return zerolog.New(writer).Level(level).With().Timestamp().Logger(), closeLog, nil
}

// isTerminal reports whether a person looks at what is written to w.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
