package server

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/explain"
	"github.com/pawlhq/pawl/internal/hook"
)

// gated is hooks of each kind of authentication, some of which share a path.
const gated = `
- {id: quay, execute-command: x, http-methods: [POST], response-message: quay, sender: quay, secret: "path/secret-0001", auth: {path: {}}}
- {id: quay/known, execute-command: x, http-methods: [POST], response-message: known}
- {id: token, execute-command: x, http-methods: [POST], response-message: token, secret: header-secret-0002, auth: {header: {name: X-Door}}}
- {id: basic, path: pair, execute-command: x, http-methods: [POST], response-message: basic, secret: basic-secret-0003, auth: {basic: {user: ann}}}
- {id: signed, path: pair, execute-command: x, http-methods: [POST], response-message: signed, secret: hmac-secret-0004,
   auth: {hmac: {header: X-Sum}}, trigger-rule: {match: {type: value, value: main, parameter: {source: payload, name: branch}}}, trigger-rule-mismatch-http-response-code: 409}
- {id: behind, path: both, execute-command: x, http-methods: [POST], secret: path-secret-0005, auth: {path: {}}}
- {id: beside, path: both, execute-command: x, http-methods: [PUT], response-message: beside}
- {id: open, path: half, execute-command: x, http-methods: [POST], response-message: open}
- {id: shut, path: half, execute-command: x, http-methods: [POST], response-message: shut, secret: header-secret-0006, auth: {header: {name: X-Door}}}
`

// sum is the signature that the hook signed asks for.
func sum(body string) string {
	mac := hmac.New(sha256.New, []byte("hmac-secret-0004"))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

// TestWhoMayCall: rules 1, 2 and 5. Whoever is turned away before the body was
// read has none that could be.
func TestWhoMayCall(t *testing.T) {
	const (
		unknown = "Hook not found."
		strange = "Unauthorized."
	)
	basic := map[string]string{"Authorization": "Basic YW5uOmJhc2ljLXNlY3JldC0wMDAz"} // ann:basic-secret-0003
	tests := []struct {
		name, method, path string
		header             map[string]string
		body               string
		unread             bool
		status             int
		answer             string
		runs               []string
	}{
		{"the secret behind the path", "POST", "quay/path/secret-0001", nil, "", false, 200, "quay", []string{"quay"}},
		{"another one", "POST", "quay/path/secret-0002", nil, "", true, 404, unknown, nil},
		{"a part of it", "POST", "quay/path", nil, "", true, 404, unknown, nil},
		{"it and more", "POST", "quay/path/secret-0001/", nil, "", true, 404, unknown, nil},
		{"in other letters", "POST", "quay/path/SECRET-0001", nil, "", true, 404, unknown, nil},
		{"percent-encoded it is the same path", "POST", "quay/path%2Fsecret%2D0001", nil, "", false, 200, "quay", []string{"quay"}},
		{"nothing behind the path", "POST", "quay", nil, "", true, 404, unknown, nil},
		{"a slash behind the path", "POST", "quay/", nil, "", true, 404, unknown, nil},
		{"a hook's exact path comes before a secret", "POST", "quay/known", nil, "", false, 200, "known", []string{"quay/known"}},
		{"the method comes before the secret", "GET", "quay/path/secret-0001", nil, "", true, 405, "", nil},
		{"no hook at all", "POST", "none", nil, "", true, 404, unknown, nil},

		{"a header", "POST", "token", map[string]string{"X-Door": "header-secret-0002"}, "", false, 200, "token", []string{"token"}},
		{"a wrong header", "POST", "token", map[string]string{"X-Door": "header-secret-0003"}, "", true, 401, strange, nil},
		{"no header is answered alike", "POST", "token", nil, "", true, 401, strange, nil},
		{"something behind a path that has no secret", "POST", "token/header-secret-0002", nil, "", true, 404, unknown, nil},

		{"one of two hooks is authentic", "POST", "pair", basic, "{}", false, 200, "basic", []string{"basic"}},
		{"both are", "POST", "pair", map[string]string{"Authorization": basic["Authorization"], "X-Sum": sum(`{"branch":"main"}`)}, `{"branch":"main"}`, false, 200, "basic", []string{"basic", "signed"}},
		{"the first one's absence leaves the other", "POST", "pair", map[string]string{"X-Sum": sum(`{"branch":"main"}`)}, `{"branch":"main"}`, false, 200, "signed", []string{"signed"}},
		{"whose mismatch is the answer", "POST", "pair", map[string]string{"X-Sum": sum(`{}`)}, `{}`, false, 409, "Hook rules were not satisfied.", nil},
		{"a rule is not asked of who is not authentic", "POST", "pair", map[string]string{"X-Sum": sum(`{"a":1}`)}, `{"branch":"main"}`, false, 401, strange, nil},
		{"none is", "POST", "pair", nil, "{}", false, 401, strange, nil},

		{"a wrong secret in the path, and a hook of another method", "POST", "both", nil, "", true, 404, unknown, nil},
		{"that hook's method", "PUT", "both", nil, "", false, 200, "beside", []string{"beside"}},
		{"a method of neither", "GET", "both", nil, "", true, 405, "", nil},
		{"with a secret behind the path the others are not there", "PUT", "both/path-secret-0005", nil, "", true, 405, "", nil},

		{"a hook that asks nobody runs beside one that refuses", "POST", "half", nil, "", false, 200, "open", []string{"open"}},
		{"and beside one that does not", "POST", "half", map[string]string{"X-Door": "header-secret-0006"}, "", false, 200, "open", []string{"open", "shut"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			e := &fakeEngine{}
			s := serverOf(t, gated, e, func(o *Options) { o.Log, o.Dump = zerolog.New(&log), true })
			var body io.Reader = strings.NewReader(test.body)
			if test.unread {
				body = failingReader{t}
			}
			request := httptest.NewRequest(test.method, "/hooks/"+test.path, body)
			request.Header.Set("Content-Type", "application/json")
			for name, value := range test.header {
				request.Header.Set(name, value)
			}
			answer := httptest.NewRecorder()
			s.ServeHTTP(answer, request)
			if answer.Code != test.status || answer.Body.String() != test.answer {
				t.Errorf("answered %d %q, want %d %q", answer.Code, answer.Body, test.status, test.answer)
			}
			if diff := cmp.Diff(test.runs, e.submitted); diff != "" {
				t.Errorf("runs (-want +got):\n%s", diff)
			}
			if answer.Header().Get("WWW-Authenticate") != "" {
				t.Error("a person is asked for a password")
			}
			for _, secret := range []string{"secret-000", "SECRET-000", "YW5uOmJhc2lj"} {
				if !strings.HasPrefix(test.path, "token/") && strings.Contains(log.String(), secret) {
					t.Errorf("the log holds a secret:\n%s", &log)
				}
			}
		})
	}
}

// TestAWrongSecretInThePathIsAnsweredAsAnUnknownHook, byte for byte and whatever
// the method is, whether it is kept or not.
func TestAWrongSecretInThePathIsAnsweredAsAnUnknownHook(t *testing.T) {
	for _, recent := range []TurnedAway{nil, explain.NewRecent(100)} { // what is kept is sent in another way
		s := serverOf(t, gated, &fakeEngine{}, func(o *Options) {
			o.Headers = []hook.Header{{Name: "X-All", Value: "1"}}
			o.TurnedAway = recent
		})
		address := serve(t, s)
		for _, method := range []string{"POST", "GET", "PUT", "HEAD", "OPTIONS"} {
			ask := func(path string) string {
				conn := dial(t, address)
				write(t, conn, method+" /hooks/"+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
				answer, err := io.ReadAll(conn)
				if err != nil {
					t.Fatal(err)
				}
				return regexp.MustCompile(`Date: [^\r]*`).ReplaceAllString(string(answer), "Date:")
			}
			unknown, wrong := ask("unknown/secret"), ask("quay/secret")
			if diff := cmp.Diff(unknown, wrong); diff != "" || !strings.HasPrefix(wrong, "HTTP/1.1 404 ") {
				t.Errorf("%s: (-unknown +wrong):\n%s", method, diff)
			}
			if right := ask("quay/path/secret-0001"); strings.HasPrefix(right, "HTTP/1.1 404 ") {
				t.Errorf("%s, and the right secret is behind the path: %s", method, right)
			}
		}
	}
}

// TestWhatAuthenticatedADeliveryIsRemembered: rule 9.
func TestWhatAuthenticatedADeliveryIsRemembered(t *testing.T) {
	tests := []struct {
		path, name, value, want string
	}{
		{"quay/path/secret-0001", "", "", "path"},
		{"token", "X-Door", "header-secret-0002", "header"},
		{"pair", "X-Sum", sum(`{"branch":"main"}`), "hmac-sha256"},
		{"quay/known", "", "", ""},
		{"half", "", "", ""},
		{"half", "X-Door", "header-secret-0006", "header"},
	}
	for _, test := range tests {
		e := &fakeEngine{}
		request := httptest.NewRequest(http.MethodPost, "/hooks/"+test.path, strings.NewReader(`{"branch":"main"}`))
		request.Header.Set("Content-Type", "application/json")
		if test.name != "" {
			request.Header.Set(test.name, test.value)
		}
		serverOf(t, gated, e, nil).ServeHTTP(httptest.NewRecorder(), request)
		if e.last.Delivery == nil {
			t.Errorf("%s: it was not accepted", test.path)
			continue
		}
		if got := e.last.Delivery.Verified; !strings.HasPrefix(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%s: verified by %q, want %q…", test.path, got, test.want)
		}
		if strings.Contains(e.last.Delivery.Path, "secret-000") || strings.Contains(e.last.Delivery.Header.Get("X-Door"), "secret-000") {
			t.Errorf("%s: the stored delivery holds the secret: %+v", test.path, e.last.Delivery)
		}
	}
}

func TestWhereKeysCannotBeHadTheDeliveryMayComeAgain(t *testing.T) {
	e := &fakeEngine{}
	var log bytes.Buffer
	s := serverOf(t, `
- {id: other, path: p, execute-command: x}
- {id: sns, path: p, execute-command: x, sender: ecr, auth: {sns: {topics: ["arn:aws:sns:eu-central-1:123456789012:t"]}}}
`, e, func(o *Options) { o.Log = zerolog.New(&log) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nothing can be fetched
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/hooks/p", strings.NewReader(`{
		"Type": "Notification", "Message": "{}", "MessageId": "1", "Timestamp": "2026-01-01T00:00:00.000Z", "TopicArn": "arn:aws:sns:eu-central-1:123456789012:t",
		"SignatureVersion": "2", "Signature": "AAAA", "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0.pem"}`))
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, request)
	if answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" || e.submitted != nil {
		t.Errorf("answered %d %q, ran %v; want 503 and nothing, not even of the other hook", answer.Code, answer.Body, e.submitted)
	}
	if !strings.Contains(log.String(), "who calls cannot be told") {
		t.Errorf("the log:\n%s", &log)
	}
}

// TestHandshakes are answered at once and run nothing.
func TestHandshakes(t *testing.T) {
	const url = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-central-1:123456789012:ecr-images&Token=63ae555141be4ec2089946ce09f77cc96136d93446d4657d7c916b42772e3aa1"
	hooks, body := snsSubscription(t)
	acr := `[{id: acr, execute-command: x, sender: acr, secret: bearer-secret-0001}]`
	tests := []struct {
		name, hooks, path, body, bearer string
		confirm                         error
		status                          int
		fetched                         []string
		handed                          []string
	}{
		{"a ping", acr, "acr", `{"id":"1","action":"ping"}`, "bearer-secret-0001", nil, 200, nil, nil},
		{"a ping of a stranger", acr, "acr", `{"id":"1","action":"ping"}`, "x", nil, 401, nil, nil},
		{"a push is none", acr, "acr", `{"id":"1","action":"push"}`, "bearer-secret-0001", nil, 200, nil, []string{"acr"}},
		{"a subscription", hooks, "ecr", body, "", nil, 200, []string{url}, nil},
		{"one that cannot be confirmed comes again", hooks, "ecr", body, "", errors.New("no route"), 503, []string{url}, nil},
		{"one that was changed", hooks, "ecr", strings.Replace(body, "Token", "token", 1), "", nil, 401, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var fetched []string
			e := &fakeEngine{}
			s := serverOf(t, test.hooks, e, func(o *Options) {
				o.Confirm = func(ctx context.Context, url string) error {
					if _, bounded := ctx.Deadline(); !bounded {
						t.Error("the fetch may take for ever")
					}
					fetched = append(fetched, url)
					return test.confirm
				}
			})
			request := httptest.NewRequest(http.MethodPost, "/hooks/"+test.path, strings.NewReader(test.body))
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("Authorization", "Bearer "+test.bearer)
			answer := httptest.NewRecorder()
			s.ServeHTTP(answer, request)
			if answer.Code != test.status {
				t.Errorf("answered %d %q, want %d", answer.Code, answer.Body, test.status)
			}
			if diff := cmp.Diff(test.fetched, fetched); diff != "" {
				t.Errorf("fetched (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.handed, e.submitted); diff != "" {
				t.Errorf("runs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAChallengeIsAnsweredWithItsText, as text that no browser runs.
func TestAChallengeIsAnsweredWithItsText(t *testing.T) {
	// The URL of a Slack app is verified so: docs.slack.dev/reference/events/url_verification.
	const body = `{"type":"url_verification","challenge":"<script>alert(1)</script>"}`
	s := serverOf(t, `[{id: s, execute-command: x, sender: slack, secret: slack-secret-0001, auth: {header: {name: X-Door}}}]`, &fakeEngine{}, nil)
	request := httptest.NewRequest(http.MethodPost, "/hooks/s", strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Door", "slack-secret-0001")
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, request)
	if answer.Code != 200 || answer.Body.String() != "<script>alert(1)</script>" || !strings.HasPrefix(answer.Header().Get("Content-Type"), "text/plain") ||
		answer.Header().Get("X-Content-Type-Options") != "nosniff" || answer.Header().Get(RunsHeader) != "0" {
		t.Errorf("answered %d %q with %v", answer.Code, answer.Body, answer.Header())
	}
}

// TestSendersThatSwitchOffHearNoFailure: rule 3.
func TestSendersThatSwitchOffHearNoFailure(t *testing.T) {
	const keys = `, execute-command: x, for-each: {source: payload, name: updated_tags}, events: [repo_push], auth: none}`
	hooks := `[{id: delicate, sender: quay` + keys + `, {id: robust, sender: acr` + strings.Replace(keys, "repo_push", "push", 1) + `]`
	tests := []struct {
		name, path, body string
		status           int
		answer           string
	}{
		{"what does not fit", "delicate", `{"updated_tags":{"a":1}}`, 200, "Refused: "},
		{"of a sender that goes on", "robust", `{"action":"push","updated_tags":{"a":1}}`, 400, "Refused: "},
		{"an event that the hook does not ask for", "delicate", `{"build_id":"1","updated_tags":null}`, 200, "No runs: "},
		{"the same of a sender that goes on", "robust", `{"action":"delete"}`, 200, "No runs: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := &fakeEngine{}
			answer := post(serverOf(t, hooks, e, nil), "/hooks/"+test.path, test.body)
			if answer.Code != test.status || !strings.HasPrefix(answer.Body.String(), test.answer) || e.submitted != nil || e.last.Delivery != nil {
				t.Errorf("answered %d %q, ran %v; want %d %q… and nothing", answer.Code, answer.Body, e.submitted, test.status, test.answer)
			}
		})
	}
	t.Run("a form that is none", func(t *testing.T) {
		for path, status := range map[string]int{"delicate": 200, "robust": 500} {
			request := httptest.NewRequest(http.MethodPost, "/hooks/"+path, strings.NewReader("x"))
			request.Header.Set("Content-Type", "multipart/form-data; boundary=b")
			answer := httptest.NewRecorder()
			serverOf(t, hooks, &fakeEngine{}, nil).ServeHTTP(answer, request)
			if answer.Code != status {
				t.Errorf("%s: answered %d %q, want %d", path, answer.Code, answer.Body, status)
			}
		}
	})
}

// snsSubscription gives a hook of one topic, and the recorded request by which
// Amazon SNS asks for its subscription to be confirmed.
func snsSubscription(t *testing.T) (hooks, body string) {
	t.Helper()
	text, err := os.ReadFile("../sender/testdata/samples/ecr/05-subscriptionconfirmation.json")
	if err != nil {
		t.Fatal(err)
	}
	var sample struct {
		Body string
		Keys struct {
			Certificates map[string]string
			Topics       []string `json:"topic_arns"`
		}
	}
	if err := json.Unmarshal(text, &sample); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sns.pem")
	for _, certificate := range sample.Keys.Certificates {
		if err := os.WriteFile(file, []byte(certificate), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hooks = fmt.Sprintf("[{id: ecr, execute-command: x, sender: ecr, auth: {sns: {topics: [%q], certificates: {file: %q}}}}]", sample.Keys.Topics[0], file)
	return hooks, sample.Body
}
