package runner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pawlhq/pawl/internal/command"
)

// writeFiles writes the files for a script where webhook puts them: in its
// working directory, else in TMPDIR. It gives the variables that hold their
// paths, and removes the files when remove is called, an error or not.
func writeFiles(directory string, files []command.File) (env []string, remove func(), err error) {
	var written []string
	remove = func() {
		for _, path := range written {
			_ = os.Remove(path)
		}
	}
	if len(files) == 0 {
		return nil, remove, nil
	}
	if directory == "" {
		directory = os.TempDir()
	}
	if directory, err = filepath.Abs(directory); err != nil {
		return nil, remove, fmt.Errorf("find the working directory: %w", err)
	}
	for _, file := range files {
		// CreateTemp puts digits in place of the last star, and at the end
		// where there is none.
		name := strings.NewReplacer("/", "_", `\`, "_", "*", "_", "\x00", "_").Replace(file.Variable)
		path, err := writeTemporary(directory, name, file.Content)
		if path != "" {
			written = append(written, path)
		}
		if err != nil {
			return nil, remove, fmt.Errorf("write the file for %s: %w", file.Variable, err)
		}
		env = append(env, file.Variable+"="+path)
	}
	return env, remove, nil
}

// writeTemporary writes a new file of mode 0600 whose name begins so. The path
// is given, where the file came to be, with an error as well.
func writeTemporary(directory, name string, content []byte) (string, error) {
	file, err := os.CreateTemp(directory, name)
	if err != nil {
		return "", err
	}
	_, err = file.Write(content)
	return file.Name(), errors.Join(err, file.Close())
}
