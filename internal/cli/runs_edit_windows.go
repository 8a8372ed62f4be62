package cli

import "strings"

// defaultEditor is what every system has.
const defaultEditor = "notepad"

// editorCommand opens a file in an editor, whose words are separated by blanks.
func editorCommand(editor, path string) (program string, args []string) {
	words := strings.Fields(editor)
	return words[0], append(words[1:], path)
}
