package admin

import (
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"syscall"

	"github.com/gorilla/mux"

	"github.com/pawlhq/pawl/internal/runner"
)

// artifacts answers GET /api/v1/runs/{id}/artifacts.
func (a *API) artifacts(w http.ResponseWriter, r *http.Request) error {
	files, err := a.files(r)
	if err != nil {
		return err
	}
	var answer Artifacts
	answer.Artifacts = []Artifact{}
	if files != nil {
		defer files.Close()
		found, more, err := files.Artifacts()
		if err != nil {
			return err
		}
		answer.More = more
		for _, file := range found {
			answer.Artifacts = append(answer.Artifacts, Artifact{Name: file.Name, Size: file.Size, Modified: utc(file.Modified)})
		}
	}
	return writeJSON(w, http.StatusOK, answer)
}

// artifact answers GET /api/v1/runs/{id}/artifacts/{name}. It is a download
// whatever it holds: a script's file must not run as a page of this origin.
func (a *API) artifact(w http.ResponseWriter, r *http.Request) error {
	files, err := a.files(r)
	if err != nil {
		return err
	}
	name := mux.Vars(r)["name"]
	missing := refuse(http.StatusNotFound, "the run has no artifact %q", name)
	if files == nil {
		return missing
	}
	defer files.Close()
	if !fs.ValidPath(name) || strings.Contains(name, "\x00") {
		return missing
	}
	content, err := files.Open(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENAMETOOLONG) {
		return missing
	}
	if err != nil {
		return err
	}
	defer content.Close()
	info, err := content.Stat()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(name)}))
	out := &stream{w: w, control: http.NewResponseController(w)}
	_, _ = io.CopyN(out, content, info.Size()) // the caller is gone, or sees that it is cut short
	return nil
}

// summary answers GET /api/v1/runs/{id}/summary.
func (a *API) summary(w http.ResponseWriter, r *http.Request) error {
	files, err := a.files(r)
	if err != nil {
		return err
	}
	var text []byte
	var cut bool
	if files != nil {
		defer files.Close()
		if text, cut, err = files.Summary(); err != nil {
			return err
		}
	}
	if len(text) == 0 {
		return refuse(http.StatusNotFound, "the run wrote no summary")
	}
	w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
	if cut {
		text = append(text, "\n\n(It goes on; this is its beginning.)\n"...)
	}
	write(w, text)
	return nil
}

// files gives what the run that a request names left behind, nil where that is
// nothing.
func (a *API) files(r *http.Request) (*runner.Files, error) {
	record, err := a.find(r)
	if err != nil || a.options.Files == nil {
		return nil, err
	}
	files, err := a.options.Files(record.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return files, err
}
