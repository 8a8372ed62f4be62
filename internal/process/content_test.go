//go:build unix

package process

import (
	"bytes"
	"debug/elf"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A program of another distribution fails with "no such file or directory",
// though the file is plainly there: its loader is missing.
func TestAMissingLoaderIsNamed(t *testing.T) {
	t.Parallel()
	program, err := Lookup("env", "")
	if err != nil {
		t.Fatal(err)
	}
	file, err := elf.Open(program)
	if err != nil {
		unable(t, "%s is no ELF program here: %v", program, err)
	}
	defer file.Close()
	var loader []byte
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			loader, _ = io.ReadAll(p.Open())
		}
	}
	content, err := os.ReadFile(program)
	if err != nil || len(loader) == 0 {
		unable(t, "%s is linked statically here (%v)", program, err)
	}
	other := append(bytes.Repeat([]byte("/nowhere"), 20)[:len(loader)-1], 0)
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, bytes.Replace(content, loader, other, 1), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = Start(Spec{Path: path})
	checkWords(t, "a missing loader", err, MissingInterpreter,
		[]string{"loader " + quote(string(other[:len(other)-1])), "not on this machine", "another C library", "no such file or directory"})

	interpreted := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(interpreted, []byte("#!"+path+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = Start(Spec{Path: interpreted})
	checkWords(t, "an interpreter without its loader", err, BadInterpreter, []string{quote(path), "loader"})
}

func TestSplitLine(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][2]string{
		"#!/bin/sh":              {"/bin/sh", ""},
		"#! /bin/sh":             {"/bin/sh", ""},
		"#!\t/bin/sh  -e ":       {"/bin/sh", "-e"},
		"#!/usr/bin/env -S a -b": {"/usr/bin/env", "-S a -b"},
		"#!":                     {"", ""},
		"#!  ":                   {"", ""},
	} {
		if interpreter, argument := splitLine(line); interpreter != want[0] || argument != want[1] {
			t.Errorf("%q: %q and %q, want %q", line, interpreter, argument, want)
		}
	}
}

// Whatever a file holds, its diagnosis is a kind with a reason, or Other.
func FuzzDiagnoseContent(f *testing.F) {
	for _, seed := range []string{"", "#!", "#!/bin/sh\r\n", "\xef\xbb\xbf#!/bin/sh", "\x7fELF", elfHeader(0x16), "echo", "#! \t ", "#!/" + strings.Repeat("x", 400)} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "file")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o755); err != nil {
			t.Fatal(err)
		}
		kind, why := diagnoseContent(path, func(string) bool { return false })
		if kind == "" || (kind == Other) != (why == "") {
			t.Errorf("%q: kind %q because %q", content, kind, why)
		}
	})
}
