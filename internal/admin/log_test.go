package admin_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/run"
)

// follower plays a runner: what is sent on texts is printed by the attempt that
// goes on; "" ends it.
type follower struct {
	texts    chan string
	running  chan struct{} // a token: an attempt goes on
	followed chan struct{} // told when somebody follows
}

func newFollower() *follower {
	return &follower{make(chan string), make(chan struct{}, 1), make(chan struct{}, 10)}
}

func (f *follower) Follow(ctx context.Context, _ string, w io.Writer) error {
	select {
	case <-f.running:
	default:
		return errors.New("it does not run")
	}
	f.followed <- struct{}{}
	for {
		select {
		case text := <-f.texts:
			if text == "" {
				return nil
			}
			if _, err := io.WriteString(w, text); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// TestFollow: all attempts of a run, each once and in order, as they print.
func TestFollow(t *testing.T) {
	f, live := newFake(someRuns()...), newFollower()
	server := httptest.NewServer(newAPI(t, admin.Options{Engine: f, Follow: live.Follow}).Socket())
	defer server.Close()
	answer, err := http.Get(server.URL + "/api/v1/runs/" + secondID + "/log?follow=1")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewReader(answer.Body)
	expect := func(want string) {
		t.Helper()
		if got, _ := lines.ReadString('\n'); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}

	live.running <- struct{}{}
	<-live.followed
	live.texts <- "one "
	live.texts <- "first\n"
	expect("one first\n")
	f.update(secondID, func(r *run.Record) {
		r.State = run.Retrying
		r.Attempts = append(r.Attempts, run.Attempt{Number: 1, Outcome: run.Outcome{End: run.Exited, ExitCode: 1}})
	})
	live.texts <- ""

	// The second attempt ended while nobody looked; the third goes on.
	f.update(secondID, func(r *run.Record) {
		r.State, r.Attempt = run.Running, 3
		r.Attempts = append(r.Attempts, run.Attempt{Number: 2, Outcome: run.Outcome{End: run.Exited, ExitCode: 1}})
	})
	f.mu.Lock()
	f.outputs[secondID+"/2"] = "two, without an end of line"
	f.mu.Unlock()
	live.running <- struct{}{}
	<-live.followed
	go func() { live.texts <- "three\n" }()
	expect("--- attempt 2 ---\n")
	expect("two, without an end of line\n")
	expect("--- attempt 3 ---\n")
	expect("three\n")
	f.update(secondID, func(r *run.Record) {
		r.State = run.Succeeded
		r.Attempts = append(r.Attempts, run.Attempt{Number: 3, Outcome: run.Outcome{End: run.Exited}})
	})
	live.texts <- ""
	close(f.ended)
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("then came %q, %v", rest, err)
	}
}

// TestFollowBeforeTheEndIsRecorded: an attempt whose process has ended, and whose
// end is not written yet, is not shown again.
func TestFollowBeforeTheEndIsRecorded(t *testing.T) {
	f, live := newFake(someRuns()...), newFollower()
	server := httptest.NewServer(newAPI(t, admin.Options{Engine: f, Follow: live.Follow}).Socket())
	defer server.Close()
	answer, err := http.Get(server.URL + "/api/v1/runs/" + secondID + "/log?follow=1")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	for range 3 { // the first time, and twice more what was printed then
		live.running <- struct{}{}
		<-live.followed
		live.texts <- "once\n"
		select {
		case live.texts <- "":
		case <-time.After(time.Second): // it was not read to its end
		}
	}
	f.update(secondID, func(r *run.Record) {
		r.State = run.Succeeded
		r.Attempts = append(r.Attempts, run.Attempt{Number: 1, Outcome: run.Outcome{End: run.Exited}})
	})
	close(f.ended)
	if got, err := io.ReadAll(answer.Body); err != nil || string(got) != "once\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestFollowUntilNobodyReads: who goes away ends it.
func TestFollowUntilNobodyReads(t *testing.T) {
	f, live := newFake(someRuns()...), newFollower()
	ended := make(chan struct{})
	handler := newAPI(t, admin.Options{Engine: f, Follow: live.Follow}).Socket()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		close(ended)
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	request, _ := http.NewRequestWithContext(ctx, "GET", server.URL+"/api/v1/runs/"+secondID+"/log?follow=1", nil)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	live.running <- struct{}{}
	<-live.followed
	cancel()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on")
	}
}

// TestFollowWhatHasEnded ends at once.
func TestFollowWhatHasEnded(t *testing.T) {
	answer := ask(newAPI(t, wholeOptions(t)), "GET", "/api/v1/runs/"+firstID+"/log?follow=true", "")
	if got := answer.Body.String(); got != "one\n--- attempt 2 ---\nsecond\n" {
		t.Errorf("got %q", got)
	}
}

// TestLogBreaksOff: what cannot be read is told where the log ends.
func TestLogBreaksOff(t *testing.T) {
	f := newFake(someRuns()...)
	f.outputs[firstID+"/1"] = "one\n"
	answer := ask(newAPI(t, admin.Options{Engine: f}), "GET", "/api/v1/runs/"+firstID+"/log", "")
	if got := answer.Body.String(); !strings.HasPrefix(got, "one\n") || !strings.Contains(got, "[the log ends here: the output of attempt 2: not found]") {
		t.Errorf("got %q", got)
	}
}

// TestLogSoFar: of an attempt that goes on, what it has printed until now.
func TestLogSoFar(t *testing.T) {
	api := newAPI(t, admin.Options{Engine: newFake(someRuns()...), Follow: func(ctx context.Context, _ string, w io.Writer) error {
		_, _ = io.WriteString(w, "half of ")
		<-ctx.Done()
		return ctx.Err()
	}})
	if got := ask(api, "GET", "/api/v1/runs/"+secondID+"/log", "").Body.String(); got != "half of " {
		t.Errorf("got %q", got)
	}
}
