package server

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/rs/zerolog"
)

// maxCGIHead bounds the header lines of a script's answer, in bytes.
const maxCGIHead = 16 << 10

// noCGIText is what a sender hears where a script's answer is none.
const noCGIText = "The hook's command gave no valid answer. Please check your logs for more details."

// cgi is a stream whose command says the status and the header lines itself, as
// CGI programs do (RFC 3875, section 6): before an empty line, and then comes
// the body.
type cgi struct {
	stream
	hopeless func()
	head     []byte // what came before the empty line
	nonsense error  // why no answer can be made of it
}

func (c *cgi) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ended || len(p) == 0:
	case c.begun:
		c.send(p)
	default:
		c.head = append(c.head, p...)
		c.beginIfComplete()
	}
	return len(p), nil
}

// beginIfComplete sends what there is when the header lines are complete.
func (c *cgi) beginIfComplete() {
	head, body, complete := cutHead(c.head)
	switch {
	case complete && len(head) <= maxCGIHead:
		answer, err := parseHead(head)
		if err != nil {
			c.giveUp(err)
			return
		}
		c.answer(answer, body)
		c.send(body)
		c.head = nil
	case len(c.head) > maxCGIHead:
		c.giveUp(fmt.Errorf("its header lines take more than %d bytes, or no empty line follows them", maxCGIHead))
	}
}

// answer sends the head of an answer. The script's header lines stand above the
// hook's.
func (c *cgi) answer(answer cgiHead, body []byte) {
	setAnswerHeaders(c.x, c.hook)
	for name, values := range answer.header {
		c.x.Header()[name] = values
	}
	status := answer.status
	if status == 0 {
		status = c.hook.SuccessCode
	}
	c.begin(status, body)
}

func (c *cgi) giveUp(err error) {
	c.nonsense, c.ended, c.head = err, true, nil
	c.hopeless()
}

// finish answers for a command that ended before an empty line.
func (c *cgi) finish(e ending) {
	if e.failed && c.nonsense == nil {
		setAnswerHeaders(c.x, c.hook)
		respond(c.x, e.status, failedText)
		return
	}
	var answer cgiHead
	err := c.nonsense
	if err == nil {
		answer, err = parseHead(c.head)
	}
	if err != nil {
		c.x.event(zerolog.ErrorLevel).Err(err).Str("hook", c.hook.ID).Msg("the command's output is no CGI answer (answer.body: cgi)")
		respond(c.x, http.StatusBadGateway, noCGIText)
		return
	}
	c.answer(answer, nil)
}

// isHopeless tells whether an output was given up.
func isHopeless(o output) bool {
	c, ok := o.(*cgi)
	return ok && c.nonsense != nil
}

// cgiHead is what a script says before the body.
type cgiHead struct {
	status int // 0: nothing
	header http.Header
}

// cutHead cuts text at its first empty line; its lines end with LF or CRLF.
func cutHead(text []byte) (head, body []byte, found bool) {
	for at := 0; ; {
		line, _, ok := bytes.Cut(text[at:], []byte("\n"))
		if !ok {
			return nil, nil, false
		}
		next := at + len(line) + 1
		if len(bytes.TrimSuffix(line, []byte("\r"))) == 0 {
			return text[:at], text[next:], true
		}
		at = next
	}
}

// parseHead reads the header lines of a script. A header line that is about the
// connection, or is Pawl's to say, is an error: the script cannot know it.
func parseHead(text []byte) (cgiHead, error) {
	head := cgiHead{header: http.Header{}}
	for number, line := range strings.Split(strings.TrimRight(string(text), "\r\n"), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			continue // there are no header lines at all
		}
		name, value, ok := strings.Cut(line, ":")
		value = textproto.TrimString(value)
		if !ok || !isToken(name) || strings.ContainsFunc(value, isControl) {
			return head, fmt.Errorf("line %d is no header line: %.60q", number+1, line)
		}
		if err := head.add(textproto.CanonicalMIMEHeaderKey(name), value); err != nil {
			return head, fmt.Errorf("line %d: %w", number+1, err)
		}
	}
	if head.status == 0 && head.header.Get("Location") != "" {
		head.status = http.StatusFound
	}
	return head, nil
}

func (h *cgiHead) add(name, value string) error {
	notTheirs := []string{"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}
	switch {
	case name == "Status":
		if h.status != 0 {
			return errors.New("a second Status")
		}
		digits, _, _ := strings.Cut(value, " ")
		status, err := strconv.Atoi(digits)
		if err != nil || len(digits) != 3 || status < 200 || status > 599 {
			return fmt.Errorf("the status %.20q is none from 200 to 599", value)
		}
		h.status = status
	case name == "Content-Length":
		// Pawl finds the length itself, and a wrong one would spoil the connection.
	case slices.Contains(notTheirs, name) || strings.HasPrefix(name, "X-Pawl-"):
		return fmt.Errorf("the header %s is not a script's to set", name)
	default:
		h.header[name] = append(h.header[name], value)
	}
	return nil
}

// isToken tells whether a text may be the name of a header (RFC 9110, 5.6.2).
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

// isControl tells of characters that no header line may have: one that ends it
// would let the text after it pass for another.
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
