package delivery

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/run"
)

// recordedCase is a request that webhook 2.8.2 was sent, and what its command
// received. The values of a case are asked for in order, of one Delivery.
type recordedCase struct {
	Name        string          `json:"name"`
	Quirk       string          `json:"quirk"`
	Method      string          `json:"method"`
	Query       string          `json:"query"`
	Headers     []recordedText  `json:"headers"`
	Remote      string          `json:"remote"`
	Body        recordedText    `json:"body"`
	ContentType string          `json:"incoming-payload-content-type"`
	Parameters  []recordedValue `json:"parse-parameters-as-json"`
	Values      []recordedValue `json:"values"`
	Refused     bool            `json:"refused"`
}

type recordedValue struct {
	Source Source        `json:"source"`
	Name   string        `json:"name"`
	Want   *recordedText `json:"want"` // nil: missing; "" may be missing too
}

// recordedText is a text, bytes that are none, or the digest of a long one.
type recordedText struct {
	text   string
	length int
	sha256 string
}

var repetition = regexp.MustCompile(`(?s)@REP:(.*?):(\d+)@`)

func (r *recordedText) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		if err := json.Unmarshal(data, &r.text); err != nil {
			return err
		}
		r.text = repetition.ReplaceAllStringFunc(r.text, func(s string) string {
			match := repetition.FindStringSubmatch(s)
			count, _ := strconv.Atoi(match[2])
			return strings.Repeat(match[1], count)
		})
		return nil
	}
	var object struct {
		Base64 []byte
		Length int
		SHA256 string
	}
	err := json.Unmarshal(data, &object)
	r.text, r.length, r.sha256 = string(object.Base64), object.Length, object.SHA256
	return err
}

func (r recordedText) matches(got string) bool {
	if r.sha256 == "" {
		return got == r.text
	}
	sum := sha256.Sum256([]byte(got))
	return len(got) == r.length && hex.EncodeToString(sum[:]) == r.sha256
}

func (c recordedCase) delivery(t *testing.T) *Delivery {
	t.Helper()
	var head bytes.Buffer
	for _, line := range c.Headers {
		head.WriteString(line.text + "\r\n")
	}
	head.WriteString("\r\n")
	header, err := textproto.NewReader(bufio.NewReader(&head)).ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	remote := c.Remote
	if remote == "" {
		remote = "@CLIENT@"
	}
	options := Options{ContentType: c.ContentType}
	for _, parameter := range c.Parameters {
		options.JSONParameters = append(options.JSONParameters, Ref{parameter.Source, parameter.Name})
	}
	return New(&run.Delivery{
		Method: c.Method, RawQuery: c.Query, Header: map[string][]string(header),
		Body: []byte(c.Body.text), RemoteAddr: remote,
	}, options)
}

// The values are those that webhook 2.8.2 gave to its commands.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/recorded/*.json")
	if err != nil || len(files) < 9 {
		t.Fatalf("recorded cases are missing: %v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []recordedCase
		if err := json.Unmarshal(text, &cases); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		theme := strings.TrimSuffix(filepath.Base(file), ".json")
		for _, c := range cases {
			t.Run(theme+"/"+c.Name, func(t *testing.T) { c.check(t) })
		}
	}
}

func (c recordedCase) check(t *testing.T) {
	d := c.delivery(t)
	err := d.Parse()
	if _, ok := err.(*ParseError); ok != c.Refused {
		t.Fatalf("Parse() = %v; refused: %v", err, c.Refused)
	}
	for _, v := range c.Values {
		got, err := d.Value(Ref{v.Source, v.Name})
		switch {
		case v.Want == nil && !IsMissing(err):
			t.Errorf("%s %q = %q, %v; want it missing", v.Source, v.Name, got, err)
		case v.Want != nil && v.Want.text == "" && v.Want.sha256 == "":
			if got != "" {
				t.Errorf("%s %q = %q; want nothing", v.Source, v.Name, got)
			}
		case v.Want != nil && (err != nil || !v.Want.matches(got)):
			t.Errorf("%s %q = %.300q, %v; want %.300q", v.Source, v.Name, got, err, v.Want.text)
		}
	}
}
