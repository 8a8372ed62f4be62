//go:build e2e

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sample is a recorded delivery of testdata/senders: a request as its sender
// makes it, and what the receiver knows.
type sample struct {
	Sender    string
	PathQuery string `json:"path_query"`
	Headers   [][2]string
	Body      string
	Secret    string
	Auth      struct{ Type, Name, Value, Token string }

	header http.Header // made of Headers
}

// readSample reads a recorded delivery.
func readSample(t *testing.T, name string) *sample {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(place.root, "internal/e2e/testdata/senders", name+".json"))
	check(t, err)
	s := &sample{header: http.Header{}}
	check(t, json.Unmarshal(text, s))
	if s.Body == "" {
		t.Fatalf("%s has no body", name)
	}
	for _, h := range s.Headers {
		if h[0] != "Host" && h[0] != "Connection" && h[0] != "Accept-Encoding" {
			s.header.Add(h[0], h[1])
		}
	}
	return s
}

var anyDigest = regexp.MustCompile(`sha256:[0-9a-f]{64}`)

// of makes the delivery one about an image that is there: recorded digests are of
// none. Whatever signs the body has to sign it anew.
func (s *sample) of(digest string) { s.Body = anyDigest.ReplaceAllString(s.Body, digest) }

// envelope changes the text that the body, a JSON object, has as a member.
func (s *sample) envelope(t *testing.T, change func(object map[string]any)) {
	t.Helper()
	var object map[string]any
	check(t, json.Unmarshal([]byte(s.Body), &object))
	change(object)
	s.Body = string(mustJSON(t, object))
}

// message changes the digests within the base64 of a Pub/Sub message.
func (s *sample) message(t *testing.T, digest string) {
	t.Helper()
	s.envelope(t, func(object map[string]any) {
		message := object["message"].(map[string]any)
		data, err := base64.StdEncoding.DecodeString(message["data"].(string))
		check(t, err)
		message["data"] = base64.StdEncoding.EncodeToString(anyDigest.ReplaceAll(data, []byte(digest)))
	})
}

// sendSample makes the request to a hook.
func (l *listener) sendSample(t *testing.T, hook string, s *sample) (int, string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, l.url+hook+s.PathQuery, strings.NewReader(s.Body))
	check(t, err)
	request.Header = s.header.Clone()
	answer, err := http.DefaultClient.Do(request)
	check(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	check(t, err)
	return answer.StatusCode, string(text)
}

// runsOf gives the runs of a hook that Pawl remembers, of all hooks where it is "".
func (l *listener) runsOf(t *testing.T, hook string) []map[string]any {
	t.Helper()
	args := []string{"runs", "ls", "--data-dir", l.state, "-n", "0", "-o", "json"}
	if hook != "" {
		args = append(args, "--hook", hook)
	}
	var list []map[string]any
	check(t, json.Unmarshal([]byte(must(t, place.pawl, args...)), &list))
	return list
}
