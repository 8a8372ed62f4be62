package cli

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// healthTime is how long a healthy listener may take to answer.
const healthTime = 5 * time.Second

// newHealth makes the command that asks a running Pawl whether it answers.
func (a *app) newHealth() *cobra.Command {
	var s settings
	command := &cobra.Command{
		Use:   "health [flags]",
		Short: "Ask the Pawl on this machine whether it answers",
		Long: `Ask the Pawl on this machine whether its hooks listener answers. It takes the
flags and variables of serve, and uses -ip, -port, -socket and -secure of them.

Exit statuses: 0 it answers; 1 it does not; 2 wrong flags.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := fromEnvironment(command.Flags(), a.environ); err != nil {
				return usageError{err}
			}
			return a.runHealth(command.Context(), &s)
		},
	}
	s.flags(command.Flags())
	command.Flags().VisitAll(hideAllBut("ip", "port", "socket", "secure"))
	return command
}

func (a *app) runHealth(ctx context.Context, s *settings) error {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	scheme := "http"
	if s.secure {
		scheme = "https"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://pawl/", nil)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: s.localTransport()}).Do(request)
	if err != nil {
		return fmt.Errorf("not healthy: %w", err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		hint := ""
		if response.StatusCode == http.StatusBadRequest && !s.secure {
			hint = " (does it speak HTTPS? then -secure is missing)"
		}
		return fmt.Errorf("not healthy: it answers %s%s", response.Status, hint)
	}
	fmt.Fprintln(a.stdout, "healthy")
	return nil
}

// localTransport takes a request to the hooks listener on this machine, whatever
// host its URL names. The listener is not asked who it is: it may show a
// certificate of its outer name.
func (s *settings) localTransport() *http.Transport {
	return &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			if s.socket != "" {
				return dialer.DialContext(ctx, "unix", s.socket)
			}
			return dialer.DialContext(ctx, "tcp", net.JoinHostPort(localAddress(s.ip), strconv.Itoa(s.port)))
		},
	}
}

// localAddress is where a listener on ip can be reached from this machine.
func localAddress(ip string) string {
	ip = strings.Trim(ip, "[]")
	if address := net.ParseIP(ip); ip == "" || address != nil && address.IsUnspecified() {
		return "localhost"
	}
	return ip
}
