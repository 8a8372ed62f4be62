package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rs/zerolog"
)

// dataDirectory is where Pawl keeps what is its own.
type dataDirectory struct {
	runs string // of the runs' own directories; "" where there is none
}

// dataDirectories lists where the data directory may lie, the best first. It is
// asked before Pawl gives up root: the default is that of the user who started
// it.
func (s *settings) dataDirectories() []string {
	var list []string
	switch s.dataDir {
	case "":
		list = append(list, filepath.Join(stateHome(), "pawl", s.instance()))
	case "none":
	default:
		return []string{s.dataDir}
	}
	for _, home := range runtimeHomes() {
		list = append(list, filepath.Join(home, "pawl", s.instance()))
	}
	return list
}

// handOver makes the first of the directories, if it is not there yet, for the
// user that Pawl will run as. Nothing that is there changes its owner: that
// user, or a script, could have put a link in its place. What is wrong is told
// when that user opens the directory.
func (s *settings) handOver(directories []string) {
	if len(directories) == 0 {
		return
	}
	path, err := filepath.Abs(directories[0])
	// Below a directory of another user, that one could lay links, or exchange
	// what is made here before it is given away; such a user can make it alone.
	if err != nil || !rootsAlone(filepath.Dir(path)) || os.MkdirAll(filepath.Dir(path), 0o755) != nil {
		return
	}
	if os.Mkdir(path, 0o700) == nil {
		_ = os.Lchown(path, s.uid, s.gid)
	}
}

// rootsAlone reports whether of a directory and all above it whatever is there
// is a directory of root's, and no link.
func rootsAlone(path string) bool {
	info, err := os.Lstat(path)
	if err == nil && !ownedByRoot(info) || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	parent := filepath.Dir(path)
	return parent == path || rootsAlone(parent)
}

// openDataDirectory opens the first of the directories that can be used. One
// that was asked for by name and cannot be used is an error; without it, Pawl
// goes on with one that does not last, or with none, and says so.
func (s *settings) openDataDirectory(directories []string, log zerolog.Logger) (dataDirectory, error) {
	var causes []error
	for _, directory := range directories {
		runs, err := makeRuns(directory)
		if err == nil {
			err = probe(runs)
		}
		if err == nil {
			if len(causes) > 0 {
				log.Warn().Err(errors.Join(causes...)).Str("instead", runs).Msg("the data directory cannot be used; name another with -data-dir")
			}
			return dataDirectory{runs}, nil
		}
		causes = append(causes, err)
	}
	if s.dataDir != "" && s.dataDir != "none" {
		return dataDirectory{}, fmt.Errorf("use the data directory (-data-dir) as user %d, whose it must be: %w", os.Getuid(), errors.Join(causes...))
	}
	log.Warn().Err(errors.Join(causes...)).Msg("no directory for runs: scripts get no PAWL_ARTIFACTS, PAWL_SUMMARY and PAWL_OUTPUT; name one with -data-dir")
	return dataDirectory{}, nil
}

// instance tells one Pawl on this machine from another.
func (s *settings) instance() string {
	if s.socket != "" {
		return strings.NewReplacer("/", "-", "@", "-").Replace(strings.Trim(s.socket, "/"))
	}
	return strconv.Itoa(s.port)
}

// makeRuns makes a data directory, for its user alone, with its directory of
// runs. What leads to it may be entered by all: other users' Pawls lie beside it.
func makeRuns(directory string) (string, error) {
	directory, err := filepath.Abs(directory)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(directory), 0o755); err != nil {
		return "", err
	}
	runs := filepath.Join(directory, "runs")
	return runs, os.MkdirAll(runs, 0o700)
}

// probe tells whether runs can get their directories there.
func probe(runs string) error {
	made, err := os.MkdirTemp(runs, "probe-")
	if err != nil {
		return err
	}
	return os.Remove(made)
}

// stateHome is where a user's programs keep their state (XDG Base Directory
// Specification), or the system's, for root.
func stateHome() string {
	if home := os.Getenv("XDG_STATE_HOME"); home != "" {
		return home
	}
	if os.Getuid() == 0 {
		return "/var/lib"
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "/nonexistent"
	}
	return filepath.Join(home, ".local", "state")
}

// runtimeHomes is where what does not last may lie.
func runtimeHomes() []string {
	var homes []string
	if os.Getuid() == 0 {
		homes = append(homes, "/run")
	}
	if home := os.Getenv("XDG_RUNTIME_DIR"); home != "" {
		homes = append(homes, home)
	}
	if home, err := os.UserCacheDir(); err == nil {
		homes = append(homes, home)
	}
	return homes
}
