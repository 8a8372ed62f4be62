package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/database"
)

// dataDirectory is where Pawl keeps what is its own.
type dataDirectory struct {
	path    string // "" where there is none
	journal string // the directory of the journal; "" keeps it in memory
	notice  string // why what is accepted may not outlive Pawl, in words; "" where it does

	// lock has the directory be this Pawl's alone where no journal does that.
	lock io.Closer
}

// close gives the directory to others, when nothing in it is used any more.
func (d dataDirectory) close() {
	if d.lock != nil {
		_ = d.lock.Close() // it ends with the process at the latest
	}
}

// runs is the directory of the runs' own directories, "" where there is none.
func (d dataDirectory) runs() string {
	if d.path == "" {
		return ""
	}
	return filepath.Join(d.path, "runs")
}

// notices is notice as a list.
func (d dataDirectory) notices() []string {
	if d.notice == "" {
		return nil
	}
	return []string{d.notice}
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
// that was asked for by name and cannot be used is an error. Without the default
// one Pawl goes on in memory, and says so.
func (s *settings) openDataDirectory(directories []string, log zerolog.Logger) (dataDirectory, error) {
	var causes []error
	for i, directory := range directories {
		lasting := s.dataDir != "none" && i == 0
		path, lock, err := makeDataDirectory(directory, !lasting)
		if s.dataDir == "none" && errors.Is(err, database.ErrInUse) {
			return dataDirectory{}, fmt.Errorf("%w; another Pawl needs a -data-dir, or a -port, of its own", err)
		}
		var worth database.Durability
		var system string
		if err == nil {
			worth, system, err = database.Kind(path)
		}
		if err == nil && lasting && worth == database.Unsound {
			err = fmt.Errorf("%s lies on %s: over a network a journal can be damaged", path, system)
		}
		data := dataDirectory{path: path, journal: path, lock: lock}
		if err != nil {
			data.close()
			causes = append(causes, err)
			continue
		}
		switch {
		case !lasting:
			data.journal, data.notice = "", "the journal is in memory: -data-dir none"
			if len(causes) > 0 {
				data.notice = "the journal is in memory: " + errors.Join(causes...).Error()
			}
		case worth == database.Volatile:
			data.notice = fmt.Sprintf("%s lies on %s, which ends with this machine or container", path, system)
		}
		if data.notice != "" {
			log.Warn().Str("directory", path).Msg("not durable: " + data.notice)
		}
		return data, nil
	}
	if s.dataDir != "" && s.dataDir != "none" {
		return dataDirectory{}, fmt.Errorf("use the data directory (-data-dir) as user %d, whose it must be: %w", os.Getuid(), errors.Join(causes...))
	}
	log.Warn().Err(errors.Join(causes...)).Msg("not durable: there is no directory for journal and runs, and scripts get no PAWL_ARTIFACTS, PAWL_SUMMARY and PAWL_OUTPUT; name one with -data-dir")
	return dataDirectory{notice: "the journal is in memory: there is no data directory"}, nil
}

// instance tells one Pawl on this machine from another.
func (s *settings) instance() string {
	if s.socket != "" {
		return strings.NewReplacer("/", "-", "@", "-").Replace(strings.Trim(s.socket, "/"))
	}
	return strconv.Itoa(s.port)
}

// makeDataDirectory makes a data directory, for its user alone, with its
// directory of runs, and tries whether something can be made there. What leads to
// it may be entered by all: other users' Pawls lie beside it. With forgetful it is
// locked, as the journal would lock it, and what an earlier Pawl left of runs
// goes, for no journal knows of them.
//
// That nothing can be made because the disk is full does not count: then Pawl
// goes on in the journal's reserve.
func makeDataDirectory(directory string, forgetful bool) (path string, lock io.Closer, err error) {
	if path, err = filepath.Abs(directory); err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", nil, err
	}
	runs := filepath.Join(path, "runs")
	if forgetful {
		if lock, err = database.LockDirectory(path); err != nil {
			return "", nil, err
		}
		err = os.RemoveAll(runs)
	}
	if err == nil {
		err = os.MkdirAll(runs, 0o700)
	}
	if err == nil {
		err = probe(runs)
	}
	return path, lock, err
}

// probe tries whether something can be made in a directory, disk space apart.
func probe(directory string) error {
	made, err := os.MkdirTemp(directory, "probe-")
	switch {
	case err == nil:
		return os.Remove(made)
	case database.NoRoom(err):
		return nil
	}
	return err
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
