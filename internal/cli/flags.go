package cli

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/server"
)

// settings is what serve is told by flags and variables.
type settings struct {
	hooks                                        []string
	ip                                           string
	port                                         int
	prefix                                       string
	headers                                      []hook.Header
	methods                                      string
	verbose, debug, nopanic, hotreload, template bool
	logfile                                      string
	secure                                       bool
	cert, key, tlsMinVersion, cipherSuites       string
	listCipherSuites, version                    bool
	maxMultipartMem                              int64
	requestID                                    bool
	requestIDLimit                               int
	pidfile, socket                              string
	uid, gid                                     int
	dataDir, admin, adminTokenFile, healthPath   string
	adminHosts                                   []string
	adminNamed                                   bool // -admin was given: it must be had
	dataMax, journalReserve                      size
	maxBody, maxInflight                         size
	dataDirRepair                                bool
	maxConcurrent, maxSync                       int
	shutdownGrace                                time.Duration
	trustedProxies                               server.Proxies
	ignored                                      []string // words after the flags
}

// flags is the one table of flags: webhook's, then Pawl's own. Each is also a
// variable: -data-dir is PAWL_DATA_DIR.
func (s *settings) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&s.hooks, "hooks", []string{"hooks.json"}, "a hook file, or a directory of them; may be given several times")
	f.StringVar(&s.ip, "ip", "0.0.0.0", "the address to listen on; empty: all")
	f.IntVar(&s.port, "port", 9000, "the port to listen on")
	f.StringVar(&s.prefix, "urlprefix", "hooks", "what comes before a hook's path in its URL (http://host:port/PREFIX/path)")
	f.Var(headerFlag{&s.headers}, "header", "a header of all answers, as `name=value`; may be given several times")
	f.StringVar(&s.methods, "http-methods", "", "HTTP methods allowed where a hook names none, with commas between; empty: any")
	f.BoolVar(&s.verbose, "verbose", false, "log what happens, not only what goes wrong")
	f.BoolVar(&s.debug, "debug", false, "log requests (64 KiB of a body) and answers, without credentials of headers and URLs; implies -verbose")
	f.StringVar(&s.logfile, "logfile", "", "append the log to this file; implies -verbose")
	f.BoolVar(&s.nopanic, "nopanic", false, "start even if no hook can be loaded")
	f.BoolVar(&s.hotreload, "hotreload", false, "reload hook files when they change")
	f.BoolVar(&s.template, "template", false, "hook files are Go templates, with getenv, cat and credential")
	f.BoolVar(&s.secure, "secure", false, "speak HTTPS")
	f.StringVar(&s.cert, "cert", "cert.pem", "the file of the HTTPS certificate and its chain; read again when it changes")
	f.StringVar(&s.key, "key", "key.pem", "the file of the certificate's private key")
	f.StringVar(&s.tlsMinVersion, "tls-min-version", "1.2", "the lowest TLS version: 1.0, 1.1, 1.2 or 1.3")
	f.StringVar(&s.cipherSuites, "cipher-suites", "", "TLS cipher suites, with commas between; empty: Go's choice")
	f.BoolVar(&s.listCipherSuites, "list-cipher-suites", false, "print the TLS cipher suites that can be chosen, and end")
	f.Int64Var(&s.maxMultipartMem, "max-multipart-mem", 1<<20, "accepted, and without effect: -max-body bounds a body")
	f.BoolVar(&s.requestID, "x-request-id", false, "log the request's X-Request-Id")
	f.IntVar(&s.requestIDLimit, "x-request-id-limit", 0, "how many characters of X-Request-Id count; 0: all")
	f.StringVar(&s.pidfile, "pidfile", "", "write the process id to this file")
	f.StringVar(&s.socket, "socket", "", "listen on this Unix socket in place of -ip and -port")
	f.IntVar(&s.uid, "setuid", 0, "the user id to run as after the port is opened; with -setgid")
	f.IntVar(&s.gid, "setgid", 0, "the group id to run as after the port is opened; with -setuid")
	f.BoolVar(&s.version, "version", false, "print the version, and end")

	s.dataMax, s.journalReserve, s.maxBody, s.maxInflight = 10<<30, 64<<20, 32<<20, 256<<20
	slots := 16 * runtime.NumCPU()
	f.StringVar(&s.dataDir, "data-dir", "", "where Pawl keeps what must outlive it; none: nowhere (default: <state>/pawl/<port>)")
	f.Var(&s.dataMax, "data-max", "the size of journal and artifacts together; beyond it the oldest history goes")
	f.Var(&s.journalReserve, "journal-reserve", "room in the journal for when the disk is full")
	f.BoolVar(&s.dataDirRepair, "data-dir-repair", false, "set a damaged journal aside and begin a new one")
	f.StringVar(&s.admin, "admin", "127.0.0.1:9001", "the operator's `address`; off: the Unix socket in the data directory alone")
	f.StringArrayVar(&s.adminHosts, "admin-host", nil, "a `name` under which the operator's listener may be called, besides this machine's own; may be given several times")
	f.StringVar(&s.adminTokenFile, "admin-token-file", "", "the `file` of the operator's token (default: <data-dir>/admin.token)")
	f.StringVar(&s.healthPath, "health-path", "", "a `path` of the hooks listener that answers whether Pawl is healthy, for load balancers")
	f.Var(&s.maxBody, "max-body", "the largest body of one request")
	f.Var(&s.maxInflight, "max-inflight", "the size of all bodies being handled at a time")
	f.IntVar(&s.maxConcurrent, "max-concurrent", slots, "how many scripts run at a time; others wait")
	f.IntVar(&s.maxSync, "max-sync", slots, "how many scripts run at a time for requests that wait for the output")
	f.DurationVar(&s.shutdownGrace, "shutdown-grace", 25*time.Second, "how long running scripts may take when Pawl stops")
	f.Var(proxiesFlag{&s.trustedProxies}, "trusted-proxies", "`addresses` of proxies whose X-Forwarded-For counts, with commas between; unix: whoever calls by a Unix socket")
}

// takesValue tells the flags that stand before a word of their own from those
// that do not, before they are parsed.
func takesValue(name string) bool {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	new(settings).flags(flags)
	flag := flags.Lookup(name)
	return flag != nil && flag.NoOptDefVal == ""
}

// variable is the environment variable of a flag.
func variable(flag string) string {
	return "PAWL_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnvironment sets the flags that the command line did not. A flag that may
// be given several times takes one value a line. What only asks for a text and
// ends is no variable: an image may have a PAWL_VERSION of its own.
func fromEnvironment(flags *pflag.FlagSet, environ []string) error {
	values := map[string]string{}
	for _, item := range environ {
		if name, value, ok := strings.Cut(item, "="); ok {
			values[name] = value
		}
	}
	var errs []error
	flags.VisitAll(func(flag *pflag.Flag) {
		text, set := values[variable(flag.Name)]
		if !set || flag.Changed || slices.Contains([]string{"version", "list-cipher-suites", "help"}, flag.Name) {
			return
		}
		if flag.Name == "port" && strings.Contains(text, "://") {
			return // Kubernetes names its service "pawl" in this way
		}
		lines := []string{text}
		if slices.Contains([]string{"stringArray", "headers"}, flag.Value.Type()) {
			lines = slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return line == "" })
		}
		for _, line := range lines {
			if err := flags.Set(flag.Name, line); err != nil {
				errs = append(errs, fmt.Errorf("%s=%q: %w", variable(flag.Name), line, err))
			}
		}
	})
	return errors.Join(errs...)
}

// check tells what flags cannot have together.
func (s *settings) check() error {
	switch {
	case (s.uid != 0) != (s.gid != 0):
		return errors.New("-setuid and -setgid belong together: give both or neither")
	case s.uid != 0 && s.socket != "":
		return errors.New("-setuid and -setgid do not go with -socket: the socket would stay the first user's")
	case s.port < 0 || s.port > 65535:
		return fmt.Errorf("-port is %d and must lie between 0 and 65535", s.port)
	case s.maxConcurrent < 1 || s.maxSync < 1:
		return errors.New("-max-concurrent and -max-sync must be 1 at least")
	case s.maxBody < 1:
		return errors.New("-max-body must be 1 at least")
	case s.maxInflight < s.maxBody:
		return fmt.Errorf("-max-inflight (%s) must not be less than -max-body (%s)", s.maxInflight.String(), s.maxBody.String())
	case s.shutdownGrace <= 0:
		return errors.New("-shutdown-grace must be more than 0")
	case s.dataMax < s.maxBody: // a delivery must have its place
		return fmt.Errorf("-data-max (%s) must not be less than -max-body (%s)", s.dataMax.String(), s.maxBody.String())
	case s.healthPath != "" && !strings.HasPrefix(s.healthPath, "/"):
		return fmt.Errorf("-health-path is %q and must begin with a slash", s.healthPath)
	}
	return s.checkAdmin()
}

// checkAdmin tells what is wrong with the operator's address. Whoever reaches it
// from another machine must bring a token that was chosen for the purpose.
func (s *settings) checkAdmin() error {
	if s.admin == "off" {
		return nil
	}
	if _, _, err := net.SplitHostPort(s.admin); err != nil {
		return fmt.Errorf("-admin is %q and must be an address and a port, or off: %w", s.admin, err)
	}
	if admin.Loopback(s.admin) {
		return nil
	}
	if s.adminTokenFile == "" {
		return fmt.Errorf("-admin %s can be reached from other machines: name the file of a token with -admin-token-file", s.admin)
	}
	return nil
}

// httpMethods is -http-methods as a list.
func (s *settings) httpMethods() []string {
	var methods []string
	for method := range strings.SplitSeq(s.methods, ",") {
		if method = strings.ToUpper(strings.TrimSpace(method)); method != "" {
			methods = append(methods, method)
		}
	}
	return methods
}

// headerFlag gathers headers given as name=value.
type headerFlag struct{ list *[]hook.Header }

func (h headerFlag) String() string { return "" }
func (h headerFlag) Type() string   { return "headers" }

func (h headerFlag) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return errors.New("a header is given as name=value")
	}
	*h.list = append(*h.list, hook.Header{Name: name, Value: value})
	return nil
}

// proxiesFlag reads addresses and ranges with commas between, and the word unix.
type proxiesFlag struct{ proxies *server.Proxies }

func (p proxiesFlag) String() string { return "" }
func (p proxiesFlag) Type() string   { return "addresses" }

func (p proxiesFlag) Set(text string) error {
	*p.proxies = server.Proxies{}
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		switch item {
		case "":
			continue
		case "unix":
			p.proxies.Unix = true
			continue
		}
		prefix, err := netip.ParsePrefix(item)
		if address, plain := netip.ParseAddr(item); plain == nil {
			prefix, err = address.Prefix(address.BitLen())
		}
		if err != nil {
			return fmt.Errorf("%q is no address and no CIDR range", item)
		}
		p.proxies.Ranges = append(p.proxies.Ranges, prefix)
	}
	return nil
}

// size is a number of bytes, read as in 32MiB.
type size int64

func (s *size) Type() string { return "size" }

func (s *size) String() string {
	for _, unit := range []struct {
		name  string
		bytes size
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if *s >= unit.bytes && *s%unit.bytes == 0 {
			return fmt.Sprintf("%d%s", *s/unit.bytes, unit.name)
		}
	}
	return fmt.Sprint(int64(*s))
}

func (s *size) Set(text string) error {
	n, err := hook.ParseSize(text)
	if err != nil {
		return err
	}
	*s = size(n)
	return nil
}
