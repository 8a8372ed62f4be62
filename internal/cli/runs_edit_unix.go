//go:build unix

package cli

// defaultEditor is what every system has.
const defaultEditor = "vi"

// editorCommand opens a file in an editor: as the editor is written in $EDITOR,
// words, quotes and all, and so that the file's path is one word.
func editorCommand(editor, path string) (program string, args []string) {
	return "/bin/sh", []string{"-c", editor + ` "$1"`, editor, path}
}
