package cli

import (
	"errors"
	"fmt"
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

// openDataDirectory makes the data directory. One that was asked for by name
// and cannot be used is an error; without it, Pawl goes on with a directory
// that does not last, and says so. It is made for the user that Pawl will run
// as in the end.
func (s *settings) openDataDirectory(log zerolog.Logger) (dataDirectory, error) {
	if s.dataDir != "" && s.dataDir != "none" {
		runs, err := s.makeRuns(s.dataDir)
		if err != nil {
			return dataDirectory{}, fmt.Errorf("use the data directory (-data-dir): %w", err)
		}
		return dataDirectory{runs}, nil
	}
	var causes []error
	if s.dataDir != "none" {
		runs, err := s.makeRuns(filepath.Join(stateHome(), "pawl", s.instance()))
		if err == nil {
			return dataDirectory{runs}, nil
		}
		causes = append(causes, err)
	}
	for _, home := range runtimeHomes() {
		runs, err := s.makeRuns(filepath.Join(home, "pawl", s.instance()))
		if err == nil {
			if len(causes) > 0 {
				log.Warn().Err(errors.Join(causes...)).Str("instead", runs).Msg("the data directory cannot be used; name another with -data-dir")
			}
			return dataDirectory{runs}, nil
		}
		causes = append(causes, err)
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

// makeRuns makes a data directory with its directory of runs.
func (s *settings) makeRuns(directory string) (string, error) {
	directory, err := filepath.Abs(directory)
	if err != nil {
		return "", err
	}
	runs := filepath.Join(directory, "runs")
	if err := os.MkdirAll(runs, 0o700); err != nil {
		return "", err
	}
	if s.uid != 0 {
		for _, path := range []string{directory, runs} {
			if err := os.Chown(path, s.uid, s.gid); err != nil {
				return "", err
			}
		}
	}
	probe, err := os.MkdirTemp(runs, "probe-")
	if err != nil {
		return "", err
	}
	return runs, os.Remove(probe)
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
