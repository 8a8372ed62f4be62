package server

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

func TestHealthPath(t *testing.T) {
	const file = `[{id: healthz, execute-command: x}]`
	tests := []struct {
		name, method, path string
		well               bool
		status             int
		body               string
	}{
		{"well", "GET", "/healthz", true, 200, "the text\n"},
		{"not well", "GET", "/healthz", false, 503, "the text\n"},
		{"HEAD", "HEAD", "/healthz", true, 200, "the text\n"}, // net/http drops the body
		{"no other method", "POST", "/healthz", true, 405, "Only GET and HEAD are answered here.\n"},
		{"no other path", "GET", "/healthz/", true, 404, "404 page not found\n"},
		{"a hook of the same name", "POST", "/hooks/healthz", true, 200, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			s := serverOf(t, file, &fakeEngine{}, func(o *Options) {
				o.HealthPath, o.Healthy = "/healthz", func() (bool, string) { return test.well, "the text" }
				o.Log = zerolog.New(&log)
			})
			answer := httptest.NewRecorder()
			s.ServeHTTP(answer, httptest.NewRequest(test.method, test.path, nil))
			if answer.Code != test.status || answer.Body.String() != test.body {
				t.Errorf("answered %d %q, want %d %q", answer.Code, answer.Body, test.status, test.body)
			}
			if quiet := log.Len() == 0; quiet != (test.path == "/healthz" && test.status == 200) {
				t.Errorf("the log:\n%s", &log)
			}
		})
	}
}

func TestWithoutHealthPathThereIsNone(t *testing.T) {
	if answer := post(serverOf(t, `[]`, &fakeEngine{}, nil), "/healthz", ""); answer.Code != 404 {
		t.Errorf("answered %d, want 404", answer.Code)
	}
}

func TestNoHookHidesBehindHealth(t *testing.T) {
	healthy := func() (bool, string) { return true, "" }
	for _, test := range []struct{ prefix, path, complaint string }{
		{"hooks", "/healthz", ""},
		{"hooks", "/hooksomething", ""},
		{"", "/healthz", ""},
		{"hooks", "/hooks/healthz", "must not lie below /hooks/"},
		{"hooks", "healthz", "must begin with a slash"},
		{"hooks", "/", "more must follow"},
	} {
		options := Options{HealthPath: test.path, Healthy: healthy, Prefix: test.prefix}
		err := options.validateHealth()
		if (err == nil) != (test.complaint == "") || err != nil && !strings.Contains(err.Error(), test.complaint) {
			t.Errorf("%s below %q: %v, want %q", test.path, test.prefix, err, test.complaint)
		}
	}
	e := &fakeEngine{}
	s := serverOf(t, `[{id: healthz, execute-command: x}, {id: b, execute-command: x}]`, e, func(o *Options) {
		o.Prefix, o.HealthPath, o.Healthy = "", "/healthz", healthy
	})
	hooks := s.options.Hooks()
	if !s.Hides(hooks.ByID("healthz")) || s.Hides(hooks.ByID("b")) {
		t.Error("it is not told which hook is out of reach")
	}
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/healthz", nil))
	if answer.Code != 200 || e.submitted != nil {
		t.Errorf("answered %d, and ran %v", answer.Code, e.submitted)
	}
}
