package admin_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/admin"
)

// TestSocket: it is its user's alone, replaces one that was left over, is
// reached by a path that is too long for a socket, and goes with its listener.
func TestSocket(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("d", 100), strings.Repeat("e", 100))
	for name, directory := range map[string]string{"short": shortDirectory(t), "long": long} {
		t.Run(name, func(t *testing.T) {
			if name == "long" && runtime.GOOS != "linux" {
				t.Skip("only Linux has a way to it")
			}
			if err := os.MkdirAll(directory, 0o755); err != nil {
				t.Fatal(err)
			}
			leftOver, err := admin.ListenSocket(directory)
			if err != nil {
				t.Fatal(err)
			}
			listener, err := admin.ListenSocket(directory)
			if err != nil {
				t.Fatal(err)
			}
			if err := leftOver.Close(); err != nil {
				t.Error(err)
			}
			path := filepath.Join(directory, admin.SocketName)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatalf("the first listener took the second's socket with it: %v", err)
			}
			if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
				t.Errorf("its mode is %v", info.Mode())
			}
			askOverSocket(t, listener, directory)
			if entries, err := os.ReadDir(directory); err != nil || len(entries) > 0 {
				t.Errorf("this stays: %v, %v", entries, err)
			}
		})
	}
}

// askOverSocket serves, asks once, and stops.
func askOverSocket(t *testing.T, listener net.Listener, directory string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- admin.Serve(ctx, listener, newAPI(t, wholeOptions(t)).Socket(), zerolog.Nop()) }()
	client := &http.Client{Transport: &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return admin.DialSocket(ctx, directory) },
		DisableKeepAlives: true,
	}}
	answer, err := client.Get("http://pawl/healthz")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(answer.Body)
	if _ = answer.Body.Close(); string(body) != "ok\n" {
		t.Errorf("it answers %q", body)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// shortDirectory is one whose path is short enough for a socket.
func shortDirectory(t *testing.T) string {
	directory, err := os.MkdirTemp("", "pawl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(directory) })
	return directory
}

// TestSocketInTheWay: what is no socket stays.
func TestSocketInTheWay(t *testing.T) {
	directory := shortDirectory(t)
	path := filepath.Join(directory, admin.SocketName)
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.ListenSocket(directory); err == nil || !strings.Contains(err.Error(), "a file is in its place") {
		t.Errorf("the error is %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "mine" {
		t.Errorf("the file is %q, %v", text, err)
	}
}

// TestServeEndsStreams: a stop waits for nobody who follows a log.
func TestServeEndsStreams(t *testing.T) {
	live := newFollower()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	handler := newAPI(t, admin.Options{Engine: newFake(someRuns()...), Follow: live.Follow}).Socket()
	go func() { served <- admin.Serve(ctx, listener, handler, zerolog.Nop()) }()
	live.running <- struct{}{}
	answer, err := http.Get("http://" + listener.Addr().String() + "/api/v1/runs/" + secondID + "/log?follow=1")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	<-live.followed
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(answer.Body); err != nil {
		t.Errorf("the answer was torn: %v", err)
	}
}
