package cli

import (
	"crypto/tls"
	"net/url"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/server"
)

// serverOptions is what the hooks listener is made of.
func (s *settings) serverOptions(p *parts, data dataDirectory, log zerolog.Logger) server.Options {
	return server.Options{
		Hooks: p.hooks.set, Engine: p.runs,
		Prefix: s.prefix, Methods: s.httpMethods(), Headers: s.headers,
		MaxBody: int64(s.maxBody), MaxInflight: int64(s.maxInflight),
		TrustedProxies: s.trustedProxies,
		RequestID:      s.requestID, RequestIDLimit: s.requestIDLimit,
		ValidateJSON: s.verbose, Dump: s.debug,
		HealthPath: s.healthPath, Healthy: healthy(p.api),
		TurnedAway:     p.turnedAway,
		SpoolDirectory: data.runs(), Log: log,
	}
}

// tlsConfig is that of -secure, nil without. wanted says whether a hook in force
// asks for certificates of its clients.
func (s *settings) tlsConfig(wanted func() bool, log zerolog.Logger) (*tls.Config, error) {
	if !s.secure {
		return nil, nil
	}
	return server.TLS(server.TLSOptions{
		Cert: s.cert, Key: s.key, MinVersion: s.tlsMinVersion, CipherSuites: s.cipherSuites,
		AskClients: wanted,
		Log:        func(text string) { log.Warn().Msg(text) },
	})
}

// baseURL is how the hooks listener is reached, as far as the listener knows.
func (s *settings) baseURL(listeners *server.Listeners) string {
	scheme := "http"
	if s.secure {
		scheme = "https"
	}
	address := listeners.All[0].Addr()
	if address.Network() == "unix" {
		return scheme + "+unix://" + url.PathEscape(address.String())
	}
	return scheme + "://" + address.String()
}
