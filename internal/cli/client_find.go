package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pawlhq/pawl/internal/admin"
)

// dialTime is how long a running Pawl may take to take a call.
const dialTime = 5 * time.Second

// instance says which Pawl of this machine is meant.
type instance struct {
	settings settings
	flags    *pflag.FlagSet
	homes    []string // where data directories may lie; nil: dataHomes

	unheeded []string // variables that the command line contradicts
}

// addTo gives a command the flags that say it.
func (i *instance) addTo(command *cobra.Command) {
	i.flags = pflag.NewFlagSet("", pflag.ContinueOnError)
	i.flags.StringVar(&i.settings.dataDir, "data-dir", "", "the data directory of the Pawl that is asked (default: that of the one that runs)")
	i.flags.IntVar(&i.settings.port, "port", 9000, "the port of the Pawl that is asked, where several run")
	i.flags.StringVar(&i.settings.socket, "socket", "", "the socket that it listens on in place of a port")
	command.PersistentFlags().AddFlagSet(i.flags)
	i.flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Name == "port" {
			flag.DefValue = "0" // help shows no default: without the flag any port is meant
		}
	})
}

// connect finds the Pawl that is meant.
func (a *app) connect(ctx context.Context, i *instance) (*client, error) {
	if err := fromEnvironment(i.flags, i.heeded(a.environ)); err != nil {
		return nil, usageError{err}
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	directories := i.directories()
	var running, forbidden []string
	for _, directory := range directories {
		switch conn, err := admin.DialSocket(ctx, directory); {
		case err == nil:
			_ = conn.Close() // it only asked
			running = append(running, directory)
		case errors.Is(err, fs.ErrPermission):
			forbidden = append(forbidden, directory)
		case i.settings.dataDir != "" && !errors.Is(err, fs.ErrNotExist) && !refused(err):
			return nil, fmt.Errorf("ask the Pawl of %s: %w", directory, err)
		}
	}
	switch {
	case len(running) == 1, len(running) > 1 && i.named():
		return newClient(running[0]), nil // the best place comes first
	case len(running) > 1:
		return nil, fmt.Errorf("%d are running, in %s; choose one with -port or -data-dir", len(running), strings.Join(running, ", "))
	case len(forbidden) > 0:
		return nil, fmt.Errorf("this user may not ask in %s: if Pawl runs there, ask as its user, or as root", strings.Join(forbidden, ", "))
	case len(i.unheeded) > 0:
		return nil, fmt.Errorf("no Pawl is running in %s; beside a flag that names one, %s does not count: if that is meant, name it with -data-dir",
			strings.Join(directories, ", "), strings.Join(i.unheeded, " and "))
	case i.named() && i.settings.dataDir == "":
		return nil, fmt.Errorf("no Pawl is running in %s; if it was given a -data-dir, name that", strings.Join(directories, ", "))
	case i.named():
		return nil, fmt.Errorf("no Pawl is running in %s", strings.Join(directories, ", "))
	}
	return nil, fmt.Errorf("no Pawl is running: none has a socket in %s; name its data directory with -data-dir", strings.Join(i.where(), ", "))
}

// heeded leaves out the variables that would name another Pawl than the command
// line does: who gives -port 9100 does not mean the one of PAWL_DATA_DIR, and what
// he cancels must not be that one's.
func (i *instance) heeded(environ []string) []string {
	names := []string{"data-dir", "socket", "port"} // each counts more than those behind it
	given := slices.ContainsFunc(names, i.flags.Changed)
	i.unheeded = nil
	if !given {
		return environ
	}
	return slices.DeleteFunc(slices.Clone(environ), func(item string) bool {
		name, value, _ := strings.Cut(item, "=")
		stale := slices.ContainsFunc(names, func(flag string) bool { return name == variable(flag) && !i.flags.Changed(flag) })
		if stale && value != "" {
			i.unheeded = append(i.unheeded, name)
		}
		return stale
	})
}

// named reports whether one Pawl was asked for.
func (i *instance) named() bool {
	return i.settings.dataDir != "" && i.settings.dataDir != "none" || i.flags.Changed("port") || i.flags.Changed("socket")
}

// directories are the data directories that may be meant, the best first.
func (i *instance) directories() []string {
	if i.named() {
		return i.settings.dataDirectories()
	}
	homes := i.where()
	if i.settings.dataDir == "none" {
		homes = slices.DeleteFunc(homes, func(home string) bool { return home == filepath.Join(stateHome(), "pawl") })
	}
	var found []string
	for _, home := range homes {
		entries, _ := os.ReadDir(home) // there is none, or it is none of this user's business
		names := []string{"."}         // a unit may have the whole of it
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		for _, name := range names {
			directory := filepath.Join(home, name)
			_, err := os.Lstat(filepath.Join(directory, admin.SocketName))
			if err == nil || errors.Is(err, fs.ErrPermission) {
				found = append(found, directory)
			}
		}
	}
	return found
}

func (i *instance) where() []string {
	if i.homes != nil {
		return i.homes
	}
	return dataHomes()
}

// dataHomes are where the data directories of this machine may lie: this user's,
// then the system's, those that last before the others.
func dataHomes() []string {
	homes := []string{filepath.Join(stateHome(), "pawl")}
	for _, home := range append(runtimeHomes(), systemHomes()...) {
		if home = filepath.Join(home, "pawl"); !slices.Contains(homes, home) {
			homes = append(homes, home)
		}
	}
	return homes
}
