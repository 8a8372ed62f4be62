package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The times that slow clients get before their request is in the hands of a
// handler.
const (
	headerTime = 15 * time.Second
	idleTime   = 2 * time.Minute
)

// Serve answers requests on all listeners until ctx ends. Then it takes no more
// and returns when those that are being answered are done, grace is over, or now
// ends. It closes the listeners. The config is that of TLS, nil without.
func (s *Server) Serve(ctx, now context.Context, listeners *Listeners, config *tls.Config, grace time.Duration) error {
	server := &http.Server{
		Handler:           s,
		TLSConfig:         config,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		ErrorLog:          log.New(connectionLog{s}, "", 0),
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.WithoutCancel(ctx), drainKey{}, ctx)
		},
	}
	failed := make(chan error, len(listeners.All))
	for _, listener := range listeners.All {
		go func() { failed <- server.Serve(listener) }()
	}
	var err error
	running := len(listeners.All)
	select {
	case <-ctx.Done():
	case err = <-failed:
		running--
	}
	drain, cancel := context.WithTimeout(now, grace)
	defer cancel()
	if shutdown := server.Shutdown(drain); shutdown != nil {
		_ = server.Close()
	}
	for range running {
		if other := <-failed; err == nil {
			err = other
		}
	}
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// connectionLog takes what net/http has to say of connections: broken
// handshakes and the like, of interest to whoever looks closely.
type connectionLog struct{ s *Server }

func (c connectionLog) Write(p []byte) (int, error) {
	// What it quotes of a stranger is told with its control characters spelt out.
	text := strconv.Quote(string(p[:max(len(p)-1, 0)]))
	c.s.options.Log.Info().Msg(strings.ReplaceAll(text[1:len(text)-1], `\"`, `"`))
	return len(p), nil
}
