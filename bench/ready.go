//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"

	"github.com/pawlhq/pawl/internal/admin"
)

// readiness asks a Pawl how it is, by the socket in its data directory.
func (s *server) readiness(ctx context.Context) (r admin.Readiness, err error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", filepath.Join(s.directory, admin.SocketName))
	}
	transport := &http.Transport{DialContext: dial}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://pawl/readyz", nil)
	if err != nil {
		return r, err
	}
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return r, fmt.Errorf("ask pawl how it is: %w", err)
	}
	defer answer.Body.Close()
	return r, json.NewDecoder(answer.Body).Decode(&r)
}

// mustBeDurable is an error where a Pawl would lose what it accepts: it is to be
// measured with every answer on disk.
func (s *server) mustBeDurable(ctx context.Context) error {
	state, err := s.readiness(ctx)
	if err == nil && !state.Durable {
		err = errors.New("what it accepts is not durable")
	}
	return err
}
