package server

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/sender"
	"github.com/pawlhq/pawl/internal/trigger"
)

// verifyTime bounds how long a sender waits while keys or certificates that its
// signature needs are fetched.
const verifyTime = 10 * time.Second

// isGated reports whether a hook asks who calls by itself, not by its rule alone.
func isGated(h *hook.Hook) bool { return h.Gate != nil }

// admitted gives the hooks for which nothing that can be told without the body
// says that the request is not authentic; hooks itself where none has a Gate.
func (x *exchange) admitted(hooks []*hook.Hook, record *run.Delivery) []*hook.Hook {
	if !slices.ContainsFunc(hooks, isGated) {
		return hooks
	}
	x.asked = x.question(record)
	left := make([]*hook.Hook, 0, len(hooks))
	for _, h := range hooks {
		if h.Gate != nil {
			if err := h.Gate.Early(x.asked); err != nil {
				x.refused(h, err)
				continue
			}
		}
		left = append(left, h)
	}
	return left
}

// authentic gives the hooks for which the delivery is authentic, and notes what
// says so. The error says that it cannot be told now. Then nobody gets it: runs of
// one delivery are accepted together or not at all, and who sends it again must
// find nothing of it done.
func (x *exchange) authentic(hooks []*hook.Hook) ([]*hook.Hook, error) {
	if x.asked == nil {
		return hooks, nil
	}
	ctx, cancel := context.WithTimeout(x.request.Context(), verifyTime)
	defer cancel()
	left := make([]*hook.Hook, 0, len(hooks))
	for _, h := range hooks {
		words := ""
		if h.Gate != nil {
			var err error
			words, err = h.Gate.Verify(ctx, x.asked)
			var refused *sender.RefusedError
			switch {
			case errors.As(err, &refused):
				x.refused(h, err)
				continue
			case err != nil:
				return nil, err
			}
		}
		left, x.verified = append(left, h), append(x.verified, words)
	}
	return left, nil
}

// question is what Gates are asked about.
func (x *exchange) question(record *run.Delivery) *sender.Request {
	var certificates []*x509.Certificate
	if x.request.TLS != nil {
		certificates = x.request.TLS.PeerCertificates
	}
	proxied := x.proxies.trusts(x.request.RemoteAddr)
	return &sender.Request{Delivery: record, Rest: x.rest, Certificates: certificates, Proxied: proxied}
}

// refused notes that a delivery is not authentic for a hook. Only the log says
// why.
func (x *exchange) refused(h *hook.Hook, err error) {
	var refused *sender.RefusedError
	check := ""
	if errors.As(err, &refused) {
		check = refused.Check
	}
	x.strange = x.strange || refused == nil || !refused.Path
	if h.Gate.UsesCertificate() && len(x.asked.Certificates) == 0 {
		// A connection that was made before a hook asked for certificates has
		// none, however long it lives.
		x.Header().Set("Connection", "close")
	}
	v := trigger.Verdict{Hook: h, Kind: trigger.Unauthenticated, Err: err}
	x.noteUnauthenticated(&v, check)
}

func (x *exchange) noteUnauthenticated(v *trigger.Verdict, check string) {
	if event := x.warn(); event != nil {
		event.Str("check", check).Err(v.Err).Str("hook", v.Hook.ID).Msg("not authentic")
	}
}

// unauthenticated answers a delivery that is authentic for no hook: with one text,
// whatever is missing or wrong. It asks for nothing by WWW-Authenticate, for no
// person sits at the other end. Where a secret stands behind the path the answer is
// that of a path that no hook has, for else paths could be tried.
func (s *Server) unauthenticated(x *exchange, record *run.Delivery) {
	keep := s.keeps(x)
	if !x.strange {
		for _, h := range s.options.Headers {
			x.Header().Del(h.Name) // set before the body was read; an unknown hook's answer has none
		}
		x.Header().Del("Connection")
		notFound(x)
	} else {
		s.setHeaders(x)
		answer(x, trigger.Unauthorized())
	}
	if keep {
		s.keep(x, record)
	}
}

// verifiedBy joins what authenticated a delivery for those hooks that triggered.
func verifiedBy(words []string) string {
	words = slices.DeleteFunc(slices.Compact(words), func(text string) bool { return text == "" })
	return strings.Join(words, "; ")
}
