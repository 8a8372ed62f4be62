//go:build unix

package cli

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// answer is what came back for one request.
type answer struct {
	status  int               // 0: no HTTP answer
	headers map[string]string // by names in small letters; repeated ones joined by ", "
	body    []byte            // without its chunked encoding; all that came, where status is 0
	interim []int             // statuses of the 1xx answers before it
}

// statusLine is how an answer begins.
var statusLine = regexp.MustCompile(`^HTTP/1\.\d (\d{3})`)

// exchange sends one request and returns the answer and the address that the
// server saw. The request goes out byte by byte as the case says, which
// net/http's client would not do.
func (s *testServer) exchange(spec *requestSpec) (answer, string, error) {
	conn, client, err := s.connect()
	if err != nil {
		return answer{}, "", err
	}
	defer conn.Close()
	// The answer may come, and the connection end, before the request is all sent.
	if _, err := conn.Write(s.buildRequest(spec)); err != nil && !cutOff(err) {
		return answer{}, "", fmt.Errorf("send the request: %w", err)
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok && spec.HalfClose {
		_ = half.CloseWrite() // an ended connection shows itself in the answer
	}
	data, err := io.ReadAll(conn)
	if err != nil && !cutOff(err) {
		return answer{}, "", fmt.Errorf("read the answer: %w", err)
	}
	got, err := parseAnswer(data)
	return got, client, err
}

// cutOff tells whether an error says that the server ended the connection.
func cutOff(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// buildRequest returns the exact bytes of a request. Host, Connection and
// Content-Length are added where the case does not set them.
func (s *testServer) buildRequest(spec *requestSpec) []byte {
	if spec.Raw != nil {
		return s.expand(*spec.Raw)
	}
	var headers [][]byte
	for _, header := range spec.Headers {
		headers = append(headers, s.expand(header))
	}
	body := s.expand(spec.Body)
	if spec.Scalr != nil {
		headers = append(headers, signAsScalr(body, spec.Scalr.Secret, spec.Scalr.Age)...)
	}
	has := func(name string) bool {
		return slices.ContainsFunc(headers, func(header []byte) bool {
			present, _, _ := bytes.Cut(header, []byte(":"))
			return strings.EqualFold(string(bytes.TrimSpace(present)), name)
		})
	}
	addLength := len(body) > 0 && !has("Content-Length")
	if !has("Connection") {
		headers = append(headers, []byte("Connection: close"))
	}
	if !has("Host") {
		headers = slices.Insert(headers, 0, []byte("Host: localhost"))
	}
	switch {
	case spec.Chunks != nil:
		headers = append(headers, []byte("Transfer-Encoding: chunked"))
		body = nil
		for _, chunk := range spec.Chunks {
			data := s.expand(chunk)
			body = fmt.Appendf(body, "%x\r\n%s\r\n", len(data), data)
		}
		body = append(body, "0\r\n\r\n"...)
	case addLength:
		headers = append(headers, fmt.Appendf(nil, "Content-Length: %d", len(body)))
	}
	first := fmt.Appendf(nil, "%s %s HTTP/1.1", cmp.Or(spec.Method, "GET"), s.expand(spec.Target))
	return bytes.Join(slices.Concat([][]byte{first}, headers, [][]byte{nil, body}), []byte("\r\n"))
}

// signAsScalr returns the headers of a request that Scalr signed age seconds ago.
func signAsScalr(body []byte, secret string, age float64) [][]byte {
	then := time.Now().UTC().Add(-time.Duration(age * float64(time.Second)))
	date := then.Format("Mon 02 Jan 2006 15:04:05 UTC")
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write(body)
	mac.Write([]byte(date))
	return [][]byte{[]byte("Date: " + date), []byte("X-Signature: " + hex.EncodeToString(mac.Sum(nil)))}
}

// parseAnswer takes apart all bytes that a connection gave until its end.
func parseAnswer(data []byte) (answer, error) {
	var got answer
	for {
		head, body, _ := bytes.Cut(data, []byte("\r\n\r\n"))
		match := statusLine.FindSubmatch(head)
		if match == nil {
			return answer{body: data}, nil
		}
		got.status, _ = strconv.Atoi(string(match[1])) // three digits, as the pattern says
		if match[1][0] != '1' || len(body) == 0 {
			got.headers, got.body = parseHeaders(head), body
			break
		}
		got.interim, data = append(got.interim, got.status), body
	}
	if got.headers["transfer-encoding"] != "chunked" {
		return got, nil
	}
	var err error
	got.body, err = joinChunks(got.body)
	return got, err
}

// parseHeaders reads the lines after the first.
func parseHeaders(head []byte) map[string]string {
	headers := map[string]string{}
	for _, line := range strings.Split(string(head), "\r\n")[1:] {
		name, value, _ := strings.Cut(line, ":")
		name, value = strings.ToLower(name), strings.TrimSpace(value)
		if before, ok := headers[name]; ok {
			value = before + ", " + value
		}
		headers[name] = value
	}
	return headers
}

// joinChunks undoes chunked encoding.
func joinChunks(rest []byte) ([]byte, error) {
	body := []byte{}
	for len(rest) > 0 {
		first, after, _ := bytes.Cut(rest, []byte("\r\n"))
		size, err := strconv.ParseUint(string(first), 16, 31)
		if err != nil || uint64(len(after)) < size+2 {
			return nil, fmt.Errorf("the answer's chunks are broken at %.40q", rest)
		}
		body, rest = append(body, after[:size]...), after[size+2:]
	}
	return body, nil
}
