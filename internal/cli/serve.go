package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/process"
	"github.com/pawlhq/pawl/internal/server"
)

// newServe makes the command that serves, which is also pawl without one.
func (a *app) newServe() *cobra.Command {
	var s settings
	command := &cobra.Command{
		Use:   "serve [flags]",
		Short: "Receive deliveries and run the scripts of their hooks",
		Long: `Receive deliveries and run the scripts of their hooks.

Each flag is also a variable: -data-dir is PAWL_DATA_DIR. A flag counts more than
its variable. One dash or two, "-port 80" or "-port=80"; the last one counts.

HUP and USR1 reload the hook files. TERM and INT stop: running scripts may end
within -shutdown-grace; a second one stops at once.

"pawl check" tells what is wrong with hook files, "pawl health" asks a running
Pawl whether it answers; "pawl help" lists all commands.

Exit statuses: 0 stopped or printed what was asked for; 1 it cannot serve; 2 wrong flags.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, args []string) error {
			s.ignored = args
			if err := fromEnvironment(command.Flags(), a.environ); err != nil {
				return usageError{err}
			}
			s.adminNamed = command.Flags().Changed("admin")
			switch {
			case s.version:
				return a.printVersion()
			case s.listCipherSuites:
				return a.printCipherSuites(s.tlsMinVersion)
			}
			if err := s.check(); err != nil {
				return err
			}
			return a.runServe(command.Context(), &s)
		},
	}
	command.Flags().SetInterspersed(false)
	command.Flags().SortFlags = false
	s.flags(command.Flags())
	return command
}

func (a *app) printCipherSuites(minVersion string) error {
	names, err := server.CipherSuiteNames(minVersion)
	if err != nil {
		return err
	}
	for _, name := range names {
		fmt.Fprintln(a.stdout, name)
	}
	return nil
}

// runServe opens what is asked for, serves until a signal says stop, and closes
// it all in the reverse order.
func (a *app) runServe(ctx context.Context, s *settings) error {
	log, closeLog, err := a.openLog(s)
	if err != nil {
		return err
	}
	defer closeLog()
	if err := process.SealDescriptors(); err != nil {
		log.Warn().Err(err).Msg("open files of whoever started Pawl may reach the scripts")
	}
	if s.pidfile != "" {
		remove, err := createPIDFile(s.pidfile)
		if err != nil {
			return err
		}
		defer func() {
			if err := remove(); err != nil {
				log.Error().Err(err).Msg("the pid file stays")
			}
		}()
	}
	listeners, err := server.Listen(server.ListenOptions{IP: s.ip, Port: s.port, Socket: s.socket})
	if err != nil {
		return err
	}
	defer listeners.Close()
	for _, note := range listeners.Notes {
		log.Warn().Msg(note)
	}
	directories := s.dataDirectories()
	if s.uid != 0 {
		s.handOver(directories)
		if err := DropPrivileges(s.uid, s.gid); err != nil {
			return err
		}
	}
	data, err := s.openDataDirectory(directories, log)
	if err != nil {
		return err
	}
	defer data.close()
	return a.serve(ctx, s, log, listeners, data)
}

// serve loads the hooks and answers requests.
func (a *app) serve(ctx context.Context, s *settings, log zerolog.Logger, listeners *server.Listeners, data dataDirectory) error {
	hooks, err := newReloader(s, s.hotreload, log)
	if err != nil {
		return err
	}
	tlsConfig, err := s.tlsConfig(func() bool { return hooks.set().WantsCertificates() }, log)
	if err != nil {
		return err
	}
	if tlsConfig != nil {
		listeners.WithTLS(tlsConfig)
	}
	if err := hooks.load(); err != nil {
		return err
	}
	if hooks.set().Len() == 0 && !s.verbose && !s.nopanic {
		return silentError{errors.New(a.tellNoHooks(s))}
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, append(reloadSignals(), os.Interrupt, syscall.SIGTERM)...)
	defer signal.Stop(signals)
	if os.Getpid() == 1 {
		stop, err := process.StartReaper(ctx, false)
		if err != nil {
			return err
		}
		defer stop()
	} else {
		process.Quiet()
	}

	p, err := s.assemble(ctx, hooks, data, log)
	if err != nil {
		return err
	}
	defer p.close()
	a.announce(s, log, listeners, p, data)
	return p.run(ctx, s, signals, log, func(ctx, now context.Context) error {
		return p.front.Serve(ctx, now, listeners, tlsConfig, s.shutdownGrace)
	})
}

// await reloads at each signal that asks for it, until one asks to stop or
// nothing is served any more.
func await(signals <-chan os.Signal, served <-chan error, hooks *reloader, log zerolog.Logger) error {
	// One reload at a time, beside the loop: to read a file may take for ever,
	// and a signal to stop must be heard all the same. Whether it has ended
	// matters to nobody once Pawl stops.
	asked := make(chan struct{}, 1)
	defer close(asked)
	go func() {
		for range asked {
			hooks.reload()
		}
	}()
	for {
		select {
		case sig := <-signals:
			if slices.Contains(stopSignals(), sig) {
				log.Info().Stringer("signal", sig).Msg("asked to stop")
				return nil
			}
			if !ignoredSignal(sig) {
				log.Info().Stringer("signal", sig).Msg("reloading the hook files")
				select {
				case asked <- struct{}{}:
				default: // one is asked for already
				}
			}
		case err := <-served:
			return err
		}
	}
}

// stopSignals are what ends pawl.
func stopSignals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// inherited is what scripts get of an environment: all but what configures
// Pawl, what systemd tells it alone, and what has no name.
func inherited(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(item string) bool {
		name, _, found := strings.Cut(item, "=")
		return !found || name == "" || name == "NOTIFY_SOCKET" ||
			strings.HasPrefix(name, "WATCHDOG_") || strings.HasPrefix(name, "PAWL_")
	})
}
