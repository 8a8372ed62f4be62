package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"

	"golang.org/x/sys/windows"
)

// diagnoseStart finds out, after a start failed with err, why.
func diagnoseStart(spec Spec, err error) *StartError {
	if spec.Dir != "" {
		if info, statErr := os.Stat(spec.Dir); statErr != nil || !info.IsDir() {
			return &StartError{Kind: WorkingDirectory, Path: spec.Path, Err: err,
				Msg: fmt.Sprintf("its working directory %q is not there", spec.Dir)}
		}
	}
	if errors.Is(err, windows.ERROR_FILENAME_EXCED_RANGE) {
		return &StartError{Kind: TooLong, Path: spec.Path, Err: err,
			Msg: "the command line is longer than the system allows (32767 characters): pass large values by pass-file-to-command"}
	}
	return diagnoseFile(spec.Path, err)
}

// diagnoseFile says why the file at path cannot be executed.
func diagnoseFile(path string, err error) *StartError {
	failed := &StartError{Kind: Other, Path: path, Err: err, Msg: "the system refuses it"}
	info, statErr := os.Stat(path)
	switch {
	case statErr == nil && info.IsDir():
		failed.Kind, failed.Msg = Directory, "it is a directory, not a program"
	case statErr == nil && errors.Is(err, windows.ERROR_BAD_EXE_FORMAT):
		failed.Kind, failed.Msg = WrongFormat, "it is not a program for this machine"
	case statErr == nil && errors.Is(err, exec.ErrNotFound):
		failed.Kind, failed.Msg = NotExecutable, "its name ends in none of the extensions of PATHEXT ("+os.Getenv("PATHEXT")+"): name the interpreter as the command, and the script as its first argument"
	case errors.Is(statErr, fs.ErrNotExist):
		failed.Kind, failed.Msg, failed.Err = Missing, "there is no such file", statErr
	}
	return failed
}

// hint is empty: no #! lines here.
func hint(Spec, int) string { return "" }
