package cli

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/explain"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/sender"
)

// strangerAddress is who calls in an explanation that names nobody: an address
// of documentation, which no ip-range and no unset: loopback lets in by chance.
const strangerAddress = "192.0.2.1:1"

// explaining is what explain is told by flags.
type explaining struct {
	settings
	request, certificate, remote, at string
	output                           outputFlag
}

// newExplain makes the command that says what a hook makes of a request.
func (a *app) newExplain() *cobra.Command {
	var e explaining
	command := &cobra.Command{
		Use:   "explain [flags] HOOK --request FILE",
		Short: "Tell what a hook makes of a request, and why, without running anything",
		Long: `Tell what a hook makes of a request: who may call, each rule with the values that
it saw, then the arguments, variables and files of the runs, and the answer. It
runs nothing, stores nothing, and needs no running Pawl.

FILE (- is standard input) holds one HTTP request as it goes over the wire: the
request line, headers, an empty line, the body. Lines may end with or without a
carriage return; without Content-Length the body is the rest of the file. What
follows the hook's path in the URL is the secret of auth: {path: {}}.

The request counts as sent by -remote, ` + strangerAddress + ` unless it is given: not this
machine, so that what "unset: loopback" lets in does not hide a missing check. It
counts as received now; -at sets another time, for signatures that hold one.

Exit statuses: 0 it makes runs, or is answered as a handshake; 1 it does not, or
cannot be told; 2 wrong use: flags, no such hook, FILE is no request.`,
		Args: wantOne("HOOK"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := fromEnvironment(command.Flags(), a.environ); err != nil {
				return usageError{err}
			}
			return a.runExplain(command.Context(), &e, args[0])
		},
	}
	f := command.Flags()
	e.flags(f)
	f.VisitAll(hideAllBut("hooks", "template", "urlprefix", "http-methods"))
	f.StringVar(&e.request, "request", "", "the `file` of the request; -: standard input")
	f.StringVar(&e.at, "at", "", "when it was received, a `time` as in 2026-01-31T23:59:59Z; empty: now")
	f.StringVar(&e.remote, "remote", strangerAddress, "the `address` of who sent it, with or without a port")
	f.StringVar(&e.certificate, "client-certificate", "", "the PEM `file` of the TLS certificate that the client showed, its own first")
	addOutput(command, &e.output, "text", "json")
	return command
}

func (a *app) runExplain(ctx context.Context, e *explaining, id string) error {
	asked, err := a.explained(e)
	if err != nil {
		return usageError{err}
	}
	set, err := a.hooksForExplain(e)
	if err != nil {
		return err
	}
	h := set.ByID(id)
	if h == nil {
		return usageError{noHook(id, set)}
	}
	if asked.Rest, err = restBehind(strings.Trim(e.prefix, "/"), set, h, asked.Path); err != nil {
		return usageError{err}
	}
	said := explain.Explain(ctx, h, asked, explain.Options{Methods: e.httpMethods()})
	if e.output.json() {
		err = printJSON(a.stdout, said)
	} else {
		newTree(a.stdout).explanation(said)
	}
	if err == nil && said.Outcome != explain.Triggered && said.Outcome != explain.Handshaken {
		err = silentError{errors.New("it makes no run")}
	}
	return err
}

// explained reads the request that is to be explained.
func (a *app) explained(e *explaining) (*sender.Request, error) {
	if e.request == "" {
		return nil, errors.New("--request names the file of a request; - is standard input")
	}
	received := time.Now()
	if e.at != "" {
		var err error
		if received, err = time.Parse(time.RFC3339, e.at); err != nil {
			return nil, fmt.Errorf("-at is no time as in 2026-01-31T23:59:59Z: %q", e.at)
		}
	}
	text, name, err := a.readRequestFile(e.request)
	if err != nil {
		return nil, err
	}
	d, err := parseRequest(text)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", name, err)
	}
	d.Received = received
	if d.RemoteAddr, err = remoteAddress(e.remote); err != nil {
		return nil, err
	}
	asked := &sender.Request{Delivery: d}
	if e.certificate != "" {
		asked.Certificates, err = readCertificates(e.certificate)
	}
	return asked, err
}

// hooksForExplain loads the hook files, and tells what is wrong with them.
func (a *app) hooksForExplain(e *explaining) (*hook.Set, error) {
	set, report, err := hook.NewLoader(e.hooks, hook.Options{Template: e.template}).Load()
	refused := false
	for _, p := range report.Problems {
		if p.Severity == hook.Warning {
			continue // pawl check tells
		}
		refused = refused || p.Severity == hook.Refusal
		fmt.Fprintf(a.stderr, "%s: %s: %s\n", p.At, p.Severity, p.Message())
	}
	if err == nil && refused {
		err = silentError{errors.New("hook files cannot be loaded")}
	}
	return set, err
}

// noHook says which hooks there are.
func noHook(id string, set *hook.Set) error {
	var known []string
	for _, h := range set.All() {
		known = append(known, h.ID)
	}
	if len(known) == 0 {
		return fmt.Errorf("there is no hook %q: no hook is in the hook files (-hooks)", id)
	}
	if near := hook.Suggestion(id, known); near != "" {
		return fmt.Errorf("there is no hook %q%s", id, near)
	}
	return fmt.Errorf("there is no hook %q; there are %s", id, strings.Join(known[:min(len(known), 20)], ", "))
}

// restBehind is what follows a hook's path in the path of a URL. A request to
// another path does not come to this hook; the error says whose it is, and
// nothing of what may be the other's secret.
func restBehind(prefix string, set *hook.Set, h *hook.Hook, path string) (string, error) {
	below := "/"
	if prefix != "" {
		below = "/" + prefix + "/"
	}
	path, inside := strings.CutPrefix(path, below)
	hooks, rest := set.Find(path)
	switch {
	case !inside:
		return "", fmt.Errorf("the request is for no path below %s, and hook %q is at %s: it never comes to it", below, h.ID, below+h.Path)
	case slices.Contains(hooks, h):
		return rest, nil
	case len(hooks) > 0:
		return "", fmt.Errorf("the request is for hook %q, at %s, and hook %q is at %s: it never comes to it", hooks[0].ID, below+hooks[0].Path, h.ID, below+h.Path)
	}
	if rest, found := strings.CutPrefix(path, h.Path+"/"); found {
		return rest, nil // Explain says that nothing may stand there
	}
	first, _, more := strings.Cut(path, "/")
	if more {
		first += "/" + rule.Masked // it may be the secret of a hook whose name has a slip in it
	}
	return "", fmt.Errorf("the request is for %s, where no hook is, and hook %q is at %s: it never comes to it", below+first, h.ID, below+h.Path)
}

// remoteAddress is an address and a port; 1 where the flag has none.
func remoteAddress(text string) (string, error) {
	if text == "@" {
		return text, nil // a Unix socket
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port = strings.Trim(text, "[]"), "1"
	}
	if bare, _, _ := strings.Cut(host, "%"); net.ParseIP(bare) == nil {
		return "", fmt.Errorf("-remote is no address: %q", text)
	}
	return net.JoinHostPort(host, port), nil
}

// readCertificates reads the certificates of a PEM file.
func readCertificates(file string) ([]*x509.Certificate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("-client-certificate: %w", err)
	}
	var list []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("-client-certificate %s: %w", file, err)
		}
		list = append(list, certificate)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("-client-certificate %s: no certificate is in it (PEM)", file)
	}
	return list, nil
}
