//go:build unix

package process

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// lineLimit is how much of a file the Linux kernel reads for its #! line
// (BINPRM_BUF_SIZE); a longer line is cut.
const lineLimit = 256

const byteOrderMark = "\xef\xbb\xbf"

// diagnoseContent reads the beginning of an executable file that would not
// start. It is Other when nothing is wrong with it.
func diagnoseContent(path string, noExec func(string) bool) (Kind, string) {
	head, err := readHead(path)
	if err != nil {
		return Other, ""
	}
	line, ended := firstLine(head)
	switch {
	case strings.HasPrefix(line, byteOrderMark+"#!"):
		return ByteOrderMark, "the file begins with a byte order mark (EF BB BF) before #!: save it as UTF-8 without one"
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return ByteOrderMark, "the file is UTF-16 text (it begins with a byte order mark): save it as UTF-8 without one"
	case strings.HasPrefix(line, "#!"):
		return diagnoseInterpreter(path, line, ended, noExec)
	case bytes.HasPrefix(head, []byte(elf.ELFMAG)):
		return diagnoseELF(path)
	case len(head) == 0:
		return NoInterpreterLine, "the file is empty: its first line must be #!/bin/sh, or name another interpreter"
	case bytes.IndexByte(head, 0) >= 0:
		return WrongFormat, "it is neither a script nor a program for this machine"
	}
	return NoInterpreterLine, fmt.Sprintf("its first line (%s) names no interpreter: add #!/bin/sh, or the interpreter it is written for, as the first line", excerpt(line))
}

// diagnoseInterpreter looks for what the #! line of the script at path names.
func diagnoseInterpreter(path, line string, ended bool, noExec func(string) bool) (Kind, string) {
	if strings.HasSuffix(line, "\r") {
		return CarriageReturn, fmt.Sprintf("its #! line (%s) ends in a carriage return: the file has Windows line ends (CRLF); convert it, by Debian's package dos2unix: dos2unix %s",
			excerpt(strings.TrimSuffix(line, "\r")), shellWord(path))
	}
	interpreter, _ := splitLine(line)
	if interpreter == "" {
		return NoInterpreterLine, "its #! line names no interpreter: write #!/bin/sh, or another one"
	}
	if !ended && !strings.ContainsAny(line[2:], " \t") {
		return NoInterpreterLine, fmt.Sprintf("its #! line is longer than the %d bytes that the kernel reads", lineLimit)
	}
	info, err := os.Stat(interpreter)
	switch {
	case err != nil && !strings.HasPrefix(interpreter, "/"):
		return MissingInterpreter, fmt.Sprintf("its #! line names the interpreter %q, which must be an absolute path: write #!/usr/bin/env %s", interpreter, interpreter)
	case err != nil:
		return MissingInterpreter, fmt.Sprintf("its #! line names the interpreter %q, which is not on this machine: install it or correct the line", interpreter)
	case info.IsDir():
		return BadInterpreter, fmt.Sprintf("its #! line names %q, which is a directory", interpreter)
	case unix.Access(interpreter, unix.X_OK) != nil && !noExec(interpreter):
		return BadInterpreter, fmt.Sprintf("its #! line names the interpreter %q, which is not executable", interpreter)
	case noExec(interpreter):
		return BadInterpreter, fmt.Sprintf("its #! line names the interpreter %q, which lies on a file system that is mounted noexec", interpreter)
	}
	kind, why := diagnoseContentOnce(interpreter)
	if kind == Other {
		return Other, ""
	}
	return BadInterpreter, fmt.Sprintf("its #! line names the interpreter %q, which cannot start itself: %s", interpreter, why)
}

// diagnoseContentOnce judges an interpreter that is a program; one that is a
// script itself is left alone, for such chains may be circular.
func diagnoseContentOnce(path string) (Kind, string) {
	head, err := readHead(path)
	if err != nil || !bytes.HasPrefix(head, []byte(elf.ELFMAG)) {
		return Other, ""
	}
	return diagnoseELF(path)
}

// splitLine takes a #! line apart, as the kernel does: the interpreter, and the
// rest as one argument.
func splitLine(line string) (interpreter, argument string) {
	text := strings.Trim(strings.TrimPrefix(line, "#!"), " \t")
	end := strings.IndexAny(text, " \t")
	if end < 0 {
		return text, ""
	}
	return text[:end], strings.TrimLeft(text[end:], " \t")
}

// firstLine returns the first line without its line feed, and whether it ended
// within head.
func firstLine(head []byte) (line string, ended bool) {
	before, _, found := bytes.Cut(head, []byte("\n"))
	return string(before), found || len(head) < lineLimit
}

func readHead(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	head := make([]byte, lineLimit)
	n, err := io.ReadFull(file, head)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return head[:n], err
}
