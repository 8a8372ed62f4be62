package runner

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"

	"github.com/pawlhq/pawl/internal/run"
)

const (
	outputName  = "output"
	summaryName = "summary.md"

	resultsBound = 64 << 10 // bytes of PAWL_OUTPUT that are read
	resultsCount = 1000     // lines of it
	toldLines    = 5        // bad lines that are told one by one
)

// resultName is what a result may be called: short, and safe to show anywhere.
var resultName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,99}$`)

// readResults reads what the script wrote to PAWL_OUTPUT. problems says in words
// what of it does not count.
func readResults(path string) (results []run.Result, problems []string) {
	place, err := openPlace(path)
	if err != nil {
		return nil, []string{err.Error()}
	}
	defer place.Close()
	file, err := openRegular(place, outputName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, []string{err.Error()}
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, resultsBound+1))
	if err != nil {
		return nil, []string{err.Error()}
	}
	return parseResults(text)
}

// parseResults reads lines name=value.
func parseResults(text []byte) (results []run.Result, problems []string) {
	if len(text) > resultsBound {
		whole := max(0, bytes.LastIndexByte(text[:resultsBound], '\n'))
		text = text[:whole]
		problems = append(problems, fmt.Sprintf("it is longer than %d bytes: the lines beyond are left out", resultsBound))
	}
	bad, number := 0, 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimRight(line, "\r\n")
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if len(results) == resultsCount {
			problems = append(problems, fmt.Sprintf("it has more than %d lines: those beyond are left out", resultsCount))
			break
		}
		name, value, found := strings.Cut(string(line), "=")
		if !found || !resultName.MatchString(name) {
			if bad++; bad <= toldLines {
				problems = append(problems, fmt.Sprintf("line %d (%.40q) is no name=value; a name has letters, digits, and _ . -", number, line))
			}
			continue
		}
		results = append(results, run.Result{Name: name, Value: strings.ToValidUTF8(value, "\uFFFD")})
	}
	if bad > toldLines {
		problems = append(problems, fmt.Sprintf("%d more lines are no name=value", bad-toldLines))
	}
	return results, problems
}
