package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/admin"
)

// operator is where operators are served: the Unix socket in the data directory
// and the address of -admin, each as far as it could be had.
type operator struct {
	socket, tcp net.Listener
	token       string // what changes anything over tcp needs
}

// openOperator listens for operators on the address of -admin. One that was
// asked for by name must be had; without the default one the socket alone serves.
func (s *settings) openOperator(data dataDirectory, log zerolog.Logger) (operator, error) {
	var o operator
	if s.admin == "off" {
		return o, nil
	}
	token, err := s.adminToken(data)
	if err == nil {
		o.token = token
		o.tcp, err = net.Listen("tcp", s.admin)
	}
	switch {
	case err == nil:
	case s.adminNamed:
		return operator{}, fmt.Errorf("open the operator's listener (-admin %s): %w", s.admin, err)
	case errors.Is(err, syscall.EADDRINUSE):
		log.Warn().Msgf("the operator's listener stays closed: %s is taken; -admin names another address, -admin off none", s.admin)
	default:
		log.Warn().Err(err).Msg("the operator's listener stays closed")
	}
	return o, nil
}

// openSocket listens on the Unix socket. The data directory must be this Pawl's
// alone by now: a socket that is there was left over.
func (o *operator) openSocket(data dataDirectory, log zerolog.Logger) {
	if data.path == "" {
		return
	}
	socket, err := admin.ListenSocket(data.path)
	if err != nil {
		log.Warn().Err(err).Msg("pawl runs and pawl backup cannot reach this Pawl")
		return
	}
	o.socket = socket
}

// adminToken reads the operator's token, or makes the default one.
func (s *settings) adminToken(data dataDirectory) (string, error) {
	switch {
	case s.adminTokenFile != "":
		return admin.ReadToken(s.adminTokenFile)
	case data.path == "":
		return "", nil // nothing can be changed over TCP
	}
	return admin.MakeToken(filepath.Join(data.path, "admin.token"))
}

func (o operator) close() {
	for _, listener := range []net.Listener{o.socket, o.tcp} {
		if listener != nil {
			_ = listener.Close() // nothing is lost with it
		}
	}
}

// adminOptions is what the operator's API is made of.
func (s *settings) adminOptions(p *parts, data dataDirectory, log zerolog.Logger) admin.Options {
	return admin.Options{
		Engine: p.runs, Hooks: p.hooks.set,
		TurnedAway: p.turnedAway,
		Files:      p.scripts.Files, Follow: p.scripts.Follow, Backup: p.runs.Backup,
		Notes:    func() []string { return append(data.notices(), p.hooks.notices()...) },
		Fleeting: data.notice != "",
		Token:    p.desk.token, Hosts: s.adminHosts, MaxBody: int64(s.maxBody), Log: log,
	}
}

// healthy says whether deliveries are accepted, for those who only look at a
// status.
func healthy(api *admin.API) func() (bool, string) {
	return func() (bool, string) {
		if !api.Readiness().Ready {
			return false, "deliveries are not accepted"
		}
		return true, "ok"
	}
}

// serve answers operators until ctx ends, and returns when nobody is being
// answered any more.
func (o operator) serve(ctx context.Context, api *admin.API, log zerolog.Logger) {
	var serving sync.WaitGroup
	on := func(listener net.Listener, handler http.Handler) {
		if listener == nil {
			return
		}
		serving.Go(func() {
			if err := admin.Serve(ctx, listener, handler, log); err != nil {
				log.Error().Err(err).Msg("operators are not served any more")
			}
		})
	}
	on(o.socket, api.Socket())
	on(o.tcp, api.TCP())
	serving.Wait()
}
