package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// The times that slow callers get before their request is read.
const (
	headerTime = 10 * time.Second
	readTime   = time.Minute
	idleTime   = 2 * time.Minute
)

// Serve answers requests on a listener with a handler until ctx ends, which ends
// what is being done for them too. It returns when no request is being answered
// any more, or after 3 seconds, and closes the listener.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, logger zerolog.Logger) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       readTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(connectionLog{logger}, "", 0),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve the operator's listener: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if server.Shutdown(drain) != nil {
		_ = server.Close() // who still reads is cut off
	}
	<-served
	return nil
}

// connectionLog takes what net/http has to say of connections.
type connectionLog struct{ log zerolog.Logger }

func (c connectionLog) Write(p []byte) (int, error) {
	c.log.Info().Msg(strings.TrimSpace(string(p)))
	return len(p), nil
}

// Loopback reports whether only this machine can reach a listener at address,
// as -admin gives it.
func Loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	at, err := netip.ParseAddr(host)
	return err == nil && at.Unmap().IsLoopback()
}

// minToken is how many characters a token must have: who may ask often could
// guess a shorter one.
const minToken = 16

// ReadToken reads the token of a file, as -admin-token-file names it.
func ReadToken(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the operator's token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if len(token) < minToken {
		return "", fmt.Errorf("read the operator's token: %s holds %d characters; a token has %d at least (openssl rand -hex 32 makes one)", path, len(token), minToken)
	}
	return token, nil
}

// MakeToken reads the token of a file, and makes the file, for its user alone,
// with a token of its own where there is none.
func MakeToken(path string) (string, error) {
	token := rand.Text()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return ReadToken(path)
	}
	if err != nil {
		return "", fmt.Errorf("make the operator's token: %w", err)
	}
	_, err = file.WriteString(token + "\n")
	if err = errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(path) // half a token is none
		return "", fmt.Errorf("make the operator's token: %w", err)
	}
	return token, nil
}
