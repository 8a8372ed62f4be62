package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/process"
)

// editedFile is a payload that a person may have changed.
type editedFile struct {
	path    string
	payload []byte
}

// remove removes the file and the directory that was made for it.
func (e editedFile) remove() { _ = os.RemoveAll(filepath.Dir(e.path)) }

// edit opens the payload of a delivery in an editor, JSON as people read it. It
// gives what was made of it, and whether anything was changed.
func (a *app) edit(ctx context.Context, id string, d admin.Delivery) (edited editedFile, changed bool, err error) {
	if !utf8.Valid(d.Body) {
		return edited, false, errors.New("the payload is no text: it cannot be edited")
	}
	text, isJSON, name := d.Body, json.Valid(d.Body), id+".txt"
	if isJSON {
		var readable bytes.Buffer
		if err := json.Indent(&readable, d.Body, "", "  "); err != nil {
			return edited, false, err
		}
		text, name = append(readable.Bytes(), '\n'), id+".json"
	}
	directory, err := os.MkdirTemp("", "pawl-replay-") // for its user alone
	if err != nil {
		return edited, false, fmt.Errorf("make a file to edit: %w", err)
	}
	edited.path = filepath.Join(directory, name)
	if err := os.WriteFile(edited.path, text, 0o600); err != nil {
		edited.remove()
		return edited, false, fmt.Errorf("make a file to edit: %w", err)
	}
	for {
		if edited.payload, err = a.openEditor(ctx, edited.path); err != nil {
			edited.remove()
			return edited, false, err
		}
		if !isJSON || json.Valid(edited.payload) {
			return edited, !bytes.Equal(edited.payload, text), nil
		}
		problem := json.Unmarshal(edited.payload, new(any))
		if !isPerson() || !a.agrees(fmt.Sprintf("It is no JSON any more: %v. Edit it again?", problem)) {
			return edited, false, fmt.Errorf("what was edited is no JSON any more: %w (it is in %s)", problem, edited.path)
		}
	}
}

// openEditor lets a person edit a file and reads it.
func (a *app) openEditor(ctx context.Context, path string) ([]byte, error) {
	editor := editorOf(a.environ)
	if editor == "" {
		if !isPerson() { // it would wait for keys, or take what is read for them
			return nil, fmt.Errorf("-edit needs a terminal for %s, or another editor in $VISUAL or $EDITOR", defaultEditor)
		}
		editor = defaultEditor
	}
	program, args := editorCommand(editor, path)
	if err := process.Foreground(ctx, program, args...); err != nil {
		return nil, fmt.Errorf("the editor %q ($VISUAL, $EDITOR): %w", editor, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read what was edited: %w", err)
	}
	return text, nil
}

// editorOf is the editor that a person has chosen, "" where none is.
func editorOf(environ []string) string {
	for _, name := range []string{"VISUAL=", "EDITOR="} {
		for _, item := range environ {
			if len(item) > len(name) && item[:len(name)] == name {
				return item[len(name):]
			}
		}
	}
	return ""
}
