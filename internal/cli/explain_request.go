package cli

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/pawlhq/pawl/internal/run"
)

// maxRequestFile bounds a request that is explained, in bytes.
const maxRequestFile = 128 << 20

// readRequestFile reads a file, or standard input.
func (a *app) readRequestFile(name string) (text []byte, called string, err error) {
	in, called := a.stdin, "standard input"
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, "", fmt.Errorf("--request: %w", err)
		}
		defer file.Close()
		in, called = file, name
	}
	text, err = io.ReadAll(io.LimitReader(in, maxRequestFile+1))
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("read %s: %w", called, err)
	case len(text) > maxRequestFile:
		return nil, "", fmt.Errorf("%s is larger than %s", called, bytesText(maxRequestFile))
	}
	return text, called, nil
}

// requestError says in which line of a file no request goes on.
type requestError struct {
	line int
	text string
}

func (e *requestError) Error() string { return fmt.Sprintf("%d: %s", e.line, e.text) }

// parseRequest reads one request as it goes over the wire. Lines of its head may
// end without a carriage return; without a Content-Length the body is the rest.
func parseRequest(text []byte) (*run.Delivery, error) {
	lines, body, err := splitRequest(text)
	if err != nil {
		return nil, err
	}
	var wire strings.Builder
	for _, line := range lines {
		wire.WriteString(line + "\r\n")
	}
	wire.WriteString("\r\n")
	request, err := http.ReadRequest(bufio.NewReader(io.MultiReader(strings.NewReader(wire.String()), bytes.NewReader(body))))
	if err != nil {
		return nil, &requestError{1, "this is no HTTP request: " + err.Error()}
	}
	switch {
	case len(request.TransferEncoding) > 0:
		body, err = io.ReadAll(request.Body)
		if err != nil {
			return nil, &requestError{len(lines) + 2, "the body is not " + strings.Join(request.TransferEncoding, ", ") + ": " + err.Error()}
		}
	case request.Header.Get("Content-Length") != "":
		if n := request.ContentLength; n > int64(len(body)) {
			return nil, &requestError{len(lines) + 2, fmt.Sprintf("the body has %d bytes and Content-Length says %d: the file was cut short, or its line ends were changed; without Content-Length the body is the rest of the file", len(body), n)}
		} else if rest := body[n:]; len(bytes.TrimSpace(rest)) > 0 {
			return nil, &requestError{len(lines) + 2, fmt.Sprintf("%d bytes follow the body, of which Content-Length says %d: give one request; without Content-Length the body is the rest of the file", len(rest), n)}
		} else {
			body = body[:n]
		}
	}
	return &run.Delivery{
		Method: request.Method, Path: request.URL.Path, RawQuery: request.URL.RawQuery,
		Host: request.Host, Header: request.Header, Body: body,
	}, nil
}

// splitRequest parts the head of a request, line by line, from its body.
func splitRequest(text []byte) (lines []string, body []byte, err error) {
	body = text
	for number := 1; ; number++ {
		line, rest, found := bytes.Cut(body, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		body = rest
		if number == 1 {
			if begin, rest, ok := beginOnPage(line, body); ok {
				lines, body, number = begin, rest, 2
				continue
			}
			if fields := strings.Fields(string(line)); len(fields) == 2 && strings.HasPrefix(fields[1], "/") {
				line = []byte(strings.Join(fields, " ") + " HTTP/1.1")
			}
			if !isRequestLine(string(line)) {
				return nil, nil, &requestError{1, fmt.Sprintf("an HTTP request begins with a line as in POST /hooks/deploy HTTP/1.1, not %.60q", line)}
			}
		}
		if len(line) == 0 {
			return lines, body, nil
		}
		if err := checkHeaderLine(number, string(line)); err != nil {
			return nil, nil, err
		}
		lines = append(lines, string(line))
		if !found {
			return lines, nil, nil
		}
	}
}

// beginOnPage reads the two lines in which GitHub's page of a delivery (Recent
// Deliveries, Request) tells what a request line and Host do: "Request URL: …" and
// "Request method: …".
func beginOnPage(first, rest []byte) (lines []string, behind []byte, ok bool) {
	target, ok := valueOf(first, "Request URL")
	if !ok {
		return nil, nil, false
	}
	second, behind, _ := bytes.Cut(rest, []byte("\n"))
	method, ok := valueOf(second, "Request method")
	at, err := url.Parse(target)
	if !ok || err != nil || at.Host == "" || method == "" || strings.ContainsAny(method, " \t") {
		return nil, nil, false
	}
	return []string{method + " " + at.RequestURI() + " HTTP/1.1", "Host: " + at.Host}, behind, true
}

// valueOf is the value of a line "name: value".
func valueOf(line []byte, name string) (value string, ok bool) {
	found, value, ok := strings.Cut(string(line), ":")
	return strings.TrimSpace(value), ok && strings.EqualFold(strings.TrimSpace(found), name)
}

// isRequestLine reports whether a line is a method, a target and a version.
func isRequestLine(line string) bool {
	fields := strings.Fields(line)
	return len(fields) == 3 && strings.HasPrefix(fields[2], "HTTP/1.")
}

// checkHeaderLine says what is wrong with a line of a head.
func checkHeaderLine(number int, line string) error {
	if number == 1 {
		return nil
	}
	name, _, found := strings.Cut(line, ":")
	if !found || name == "" || strings.ContainsFunc(name, isNoToken) {
		return &requestError{number, fmt.Sprintf("this is no header line (Name: value), and before a body stands an empty line: %.60q", line)}
	}
	return nil
}

// isNoToken reports whether a header's name cannot have a character (RFC 9110,
// section 5.6.2).
func isNoToken(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
}
