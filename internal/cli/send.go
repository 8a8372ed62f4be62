package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/server"
)

// sendOptions is what send is told, besides the flags of serve.
type sendOptions struct {
	hook    string
	event   string
	data    string // a file, or - for standard input; "" for a sample of the sender
	headers []hook.Header
	url     string    // of the hooks listener; "" for the one that the flags of serve say
	print   bool      // the request, instead of sending it
	detach  bool      // do not follow its runs
	pawl    *instance // that is asked for the runs
}

// newSend makes the command that sends a hook a delivery as its sender would.
func (a *app) newSend() *cobra.Command {
	var s settings
	var o sendOptions
	command := &cobra.Command{
		Use:   "send [flags] HOOK",
		Short: "Send a hook a delivery as its sender would, and follow its runs",
		Long: `Send a hook a delivery as its sender would: an example of that sender and event, or
your own payload, with what the hook's auth or sender asks for; what a trigger rule
asks for besides (webhook's signature rules) is not made. The hook is read from the
hook files, so its secrets must be readable. Then the output of its runs is shown
until they end, unless -url names where to send it: they are followed on this machine
alone.

The delivery goes to the Pawl that the flags and variables of serve describe (-ip,
-port, -socket, -secure, -urlprefix), or to -url. With -print it is not sent but
printed as it would go over the wire, secrets included, as pawl explain takes it:

    pawl send -print quay | pawl explain quay -request -

Exit statuses: 0 its runs succeeded, or it was answered and makes none; 1 a run
failed, it was turned away, or nobody answers; 2 wrong flags, or no such hook or file.`,
		Args: wantOne("HOOK"),
		RunE: func(command *cobra.Command, args []string) error {
			o.hook, o.pawl = args[0], instanceOf(command.Flags())
			if err := fromEnvironment(command.Flags(), o.pawl.heeded(a.environ)); err != nil {
				return usageError{err}
			}
			return a.runSend(command.Context(), &s, &o)
		},
	}
	s.flags(command.Flags())
	command.Flags().VisitAll(hideAllBut("hooks", "template", "ip", "port", "socket", "secure", "urlprefix", "data-dir"))
	f := command.Flags()
	for name, usage := range map[string]string{
		"ip": "the `address` that Pawl listens on", "port": "the port that Pawl listens on",
		"socket": "the Unix socket (`path`) that Pawl listens on", "secure": "Pawl speaks HTTPS",
		"urlprefix": "the `prefix` of the hooks' URLs", "data-dir": "Pawl's data `directory`, which tells the Pawl whose runs are followed",
	} {
		f.Lookup(name).Usage = usage
	}
	f.StringVar(&o.event, "event", "", "the `type` of event of the example (default: the first that the hook takes)")
	f.StringVar(&o.data, "data", "", "a `file` with your own payload; -: standard input")
	f.Var(headerFlag{&o.headers}, "send-header", "a header of the request, as `name=value`; may be given several times")
	f.StringVar(&o.url, "url", "", "where Pawl listens, as in https://hooks.example.com (default: as the flags of serve say)")
	f.BoolVar(&o.print, "print", false, "print the request in place of sending it")
	f.BoolVarP(&o.detach, "detach", "d", false, "do not wait for the runs")
	return command
}

func (a *app) runSend(ctx context.Context, s *settings, o *sendOptions) error {
	h, err := s.findHook(o.hook)
	if err != nil {
		return err
	}
	payload, err := a.payload(o.data)
	if err != nil {
		return err
	}
	base := o.url
	if base == "" {
		base = s.localURL()
	}
	asked, err := makeExample(h, exampleOptions{
		base: base, prefix: s.prefix, event: o.event, payload: payload, headers: o.headers, now: time.Now(),
	})
	if err != nil {
		return err
	}
	if o.print {
		return asked.write(a.stdout)
	}
	sent := time.Now()
	answer, err := asked.send(ctx, o.transport(s))
	if err != nil {
		return unanswered(base, err)
	}
	answer.handshake, answer.sent = asked.isHandshake(h), sent
	return a.tellAnswer(ctx, o, h, answer)
}

// unanswered says that nobody answers. The error of a client names the whole URL,
// in which a secret may stand.
func unanswered(base string, err error) error {
	var whole *url.Error
	if errors.As(err, &whole) {
		err = whole.Err
	}
	return fmt.Errorf("%s does not answer: %w; does Pawl run there? -port, -socket or -url say where it listens", base, err)
}

// findHook reads the hook files and gives the hook of that id.
func (s *settings) findHook(id string) (*hook.Hook, error) {
	set, report, err := hook.NewLoader(s.hooks, hook.Options{Template: s.template}).Load()
	if err == nil {
		if h := set.ByID(id); h != nil {
			return h, nil
		}
	}
	if report.Problems.Refused() {
		return nil, fmt.Errorf("the hook files cannot all be loaded (pawl check):\n%s", report.Problems)
	}
	if err != nil {
		return nil, err
	}
	var known []string
	for _, h := range set.All() {
		known = append(known, h.ID)
	}
	return nil, usageError{fmt.Errorf("no hook file has a hook %q%s", id, hook.Suggestion(id, known))}
}

// payload reads a payload of the caller's own; nil without one.
func (a *app) payload(name string) ([]byte, error) {
	switch name {
	case "":
		return nil, nil
	case "-":
		return io.ReadAll(a.stdin)
	}
	payload, err := os.ReadFile(name)
	if err != nil {
		return nil, usageError{fmt.Errorf("-data: read the payload: %w", err)}
	}
	return payload, nil
}

// transport is how the hooks listener is reached.
func (o *sendOptions) transport(s *settings) http.RoundTripper {
	if o.url != "" {
		return http.DefaultTransport
	}
	return s.localTransport()
}

// localURL is where the flags of serve say that Pawl listens.
func (s *settings) localURL() string {
	scheme := "http"
	if s.secure {
		scheme = "https"
	}
	if s.socket != "" {
		return scheme + "://localhost"
	}
	return scheme + "://" + net.JoinHostPort(localAddress(s.ip), strconv.Itoa(s.port))
}

// instanceOf is the Pawl whose runs are followed: the one that the command line
// names, else the variables, or the only one there is.
func instanceOf(flags *pflag.FlagSet) *instance {
	i := &instance{}
	i.addTo(&cobra.Command{})
	for _, name := range []string{"data-dir", "port", "socket"} {
		if flag := flags.Lookup(name); flag.Changed {
			_ = i.flags.Set(name, flag.Value.String()) // it was read once already
		}
	}
	return i
}

// maxAnswer bounds what is shown of an answer.
const maxAnswer = 64 << 10

// answered is what came back.
type answered struct {
	status int
	header http.Header
	body   string
	sent   time.Time // when the request was

	handshake bool // it answers what the sender asks when it is set up or tested
}

// tellAnswer shows the answer, and what the runs that it tells of print.
func (a *app) tellAnswer(ctx context.Context, o *sendOptions, h *hook.Hook, answer *answered) error {
	runs, _ := strconv.Atoi(answer.header.Get(server.RunsHeader)) // none: 0
	if answer.header.Get(server.RunHeader) != "" {
		runs = 1
	}
	followed := runs > 0 && !o.detach && o.url == ""
	fmt.Fprintf(a.stderr, "answered %d %s\n", answer.status, http.StatusText(answer.status))
	// An answer that is what the script printed is seen when its run is followed.
	if answer.body != "" && !(followed && (h.Answer.Live() || h.OutputInResponse)) {
		fmt.Fprintln(a.stderr, clean(answer.body))
	}
	switch of := answer.header.Get(server.DuplicateHeader); {
	case of != "":
		return fmt.Errorf("it repeats delivery %s, so nothing ran: its id is that of the payload", of)
	case answer.status >= http.StatusBadRequest && runs == 0:
		return fmt.Errorf("it was turned away; pawl runs why %s says why", h.ID)
	case runs == 0 && answer.handshake:
		fmt.Fprintf(a.stderr, "a handshake: %s tries the hook with it; it is answered and runs nothing\n", h.Sender.Title)
		return nil
	case runs == 0:
		fmt.Fprintf(a.stderr, "no run was made; pawl runs why %s says why\n", h.ID)
		return nil
	}
	if !followed {
		fmt.Fprintf(a.stderr, "%d run(s) of delivery %s\n", runs, answer.header.Get(server.DeliveryHeader))
		return nil
	}
	return a.followDelivery(ctx, o, h.ID, answer)
}

// followDelivery shows what the runs of a delivery print, one after the other,
// until all have ended.
func (a *app) followDelivery(ctx context.Context, o *sendOptions, hookID string, answer *answered) error {
	c, err := a.connect(ctx, o.pawl)
	if err != nil {
		return fmt.Errorf("follow its runs: %w", err)
	}
	var runs []admin.Run
	delivery := answer.header.Get(server.DeliveryHeader)
	filter := admin.Filter{Hook: hookID, Since: answer.sent.Add(-time.Minute)} // clocks are set at times
	if err := c.runs(ctx, filter, 100, func(r admin.Run) bool {
		if r.DeliveryID == delivery {
			runs = append([]admin.Run{r}, runs...)
		}
		return true
	}); err != nil {
		return err
	}
	failed := 0
	for _, r := range runs {
		fmt.Fprintf(a.stderr, "run %s\n", r.ID)
		if err := a.runRunsLogs(ctx, c, r.ID, &logsOptions{follow: true}); err != nil {
			return err
		}
		ended, err := c.run(ctx, r.ID)
		if err != nil {
			return err
		}
		if ended.State != run.Succeeded {
			failed++
		}
	}
	if failed > 0 {
		return silentError{errors.New("not all of its runs succeeded")}
	}
	return nil
}
