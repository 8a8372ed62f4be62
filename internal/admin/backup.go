package admin

import (
	"net/http"
	"path/filepath"
	"time"
)

// backup answers POST /api/v1/backup. It takes as long as it takes.
func (a *API) backup(w http.ResponseWriter, r *http.Request) error {
	var request struct {
		Path string `json:"path"`
	}
	if err := readJSON(w, r, &request); err != nil {
		return err
	}
	switch {
	case !filepath.IsAbs(request.Path):
		return refuse(http.StatusBadRequest, "path is %q and must be absolute", request.Path)
	case a.options.Backup == nil:
		return refuse(http.StatusConflict, "there is no journal on a disk (-data-dir none)")
	}
	began := time.Now()
	if err := a.options.Backup(r.Context(), request.Path); err != nil {
		return err
	}
	a.options.Log.Info().Str("file", request.Path).Stringer("took", time.Since(began).Round(time.Millisecond)).Msg("the journal was copied")
	return writeJSON(w, http.StatusOK, map[string]string{"path": request.Path})
}
