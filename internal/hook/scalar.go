package hook

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// text reads text. An unquoted number or boolean becomes what YAML 1.1 makes of
// it, as in webhook (0123 is 83, on is true), and is told where that differs
// from what was written. Null is empty.
func (r *reader) text(f field) string {
	switch {
	case f.value.Kind != yaml.ScalarNode:
		r.refuse(f.value, "%s is text, not %s", f.name, kindOf(f.value))
		return ""
	case isNull(f.value):
		return ""
	case !plain(f.value):
		return f.value.Value
	}
	text := plainText(f.value)
	if text != f.value.Value {
		r.note(f.value, Warning, "%s: %s without quotes is read as %q; put it in quotes", f.name, f.value.Value, text)
	}
	return text
}

// plain reports whether a scalar stands there without quotes, so that YAML
// decides what it is.
func plain(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.Style&^yaml.FlowStyle == 0
}

// plainText gives the text that YAML 1.1 makes of an unquoted scalar.
func plainText(node *yaml.Node) string {
	if truth, ok := truth(node.Value); ok {
		return strconv.FormatBool(truth)
	}
	number := strings.ReplaceAll(node.Value, "_", "")
	switch node.ShortTag() {
	case "!!int":
		if n, err := strconv.ParseInt(number, 0, 64); err == nil {
			return strconv.FormatInt(n, 10)
		}
	case "!!float":
		if x, err := strconv.ParseFloat(number, 64); err == nil {
			if n, err := strconv.ParseUint(number, 10, 64); err == nil {
				return strconv.FormatUint(n, 10)
			}
			return strconv.FormatFloat(x, 'g', -1, 64)
		}
	}
	return node.Value
}

// truth reads the words for booleans of YAML 1.1: in small letters, in capitals,
// or with a capital first.
func truth(word string) (value, ok bool) {
	lower := strings.ToLower(word)
	if word != lower && word != strings.ToUpper(word) && word[1:] != lower[1:] {
		return false, false
	}
	switch lower {
	case "true", "yes", "on", "y":
		return true, true
	case "false", "no", "off", "n":
		return false, true
	}
	return false, false
}

// boolean reads true or false, and the other words of YAML 1.1 as webhook does.
func (r *reader) boolean(f field) bool {
	if plain(f.value) {
		if value, ok := truth(f.value.Value); ok {
			return value
		}
	}
	r.refuse(f.value, "%s is true or false (without quotes), not %s", f.name, kindOf(f.value))
	return false
}

func (r *reader) number(f field) int {
	if f.value.Kind == yaml.ScalarNode && f.value.ShortTag() == "!!int" {
		if n, err := strconv.ParseInt(strings.ReplaceAll(f.value.Value, "_", ""), 0, 32); err == nil {
			return int(n)
		}
	}
	r.refuse(f.value, "%s is a whole number (without quotes), not %s", f.name, kindOf(f.value))
	return 0
}

// least reads a number that is at least so large. why says what smaller ones
// would mean.
func (r *reader) least(f field, least int, why string) int {
	n := r.number(f)
	if n < least {
		r.wrong(f.value, "%s is %d or more: %s", f.name, least, why)
		return least
	}
	return n
}

// limit reads a number of which 0 is no limit, which is said by leaving the key
// out: a queue that takes no runs would never run anything.
func (r *reader) limit(f field) int { return r.least(f, 1, "leave it out for no limit") }

// maxDuration bounds each length of time in a hook file. Sums and multiples of
// it can still be counted in nanoseconds.
const maxDuration = 10 * 366 * 24 * time.Hour

// inDays finds what looks like days, weeks or years.
var inDays = regexp.MustCompile(`^\d+(\.\d+)?\s*(d|w|mo|y|days?|weeks?|months?|years?)$`)

// duration reads a length of time as in 90s, 15m or 1h30m.
func (r *reader) duration(f field) time.Duration {
	d, err := time.ParseDuration(f.value.Value)
	switch {
	case f.value.Kind == yaml.ScalarNode && inDays.MatchString(f.value.Value):
		r.refuse(f.value, "%s is a length of time in hours, minutes and seconds, as in 720h for 30 days, not %s", f.name, kindOf(f.value))
	case f.value.Kind != yaml.ScalarNode || err != nil || d < 0:
		r.refuse(f.value, "%s is a length of time as in 90s, 15m or 1h30m, not %s", f.name, kindOf(f.value))
	case d > maxDuration:
		r.refuse(f.value, "%s is at most %d hours, which is ten years", f.name, int(maxDuration.Hours()))
	default:
		return d
	}
	return 0
}

// size reads a number of bytes as in 4096, 512KiB, 10MiB or 1GiB.
func (r *reader) size(f field) int64 {
	n, err := ParseSize(f.value.Value)
	if f.value.Kind != yaml.ScalarNode || err != nil {
		r.refuse(f.value, "%s is a size as in 512KiB, 10MiB or 1GiB, not %s", f.name, kindOf(f.value))
		return 0
	}
	return n
}

// word reads one of several words.
func (r *reader) word(f field, words ...string) string {
	word := r.text(f)
	if !slices.Contains(words, word) {
		r.refuse(f.value, "%s is one of %s, not %q%s", f.name, strings.Join(words, ", "), word, Suggestion(word, words))
	}
	return word
}
