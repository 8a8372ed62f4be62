//go:build unix

package process

import (
	"debug/elf"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// machines names the architectures in Go's words. An architecture that is not
// listed is not judged.
func machineOf(arch string) elf.Machine {
	switch arch {
	case "amd64":
		return elf.EM_X86_64
	case "386":
		return elf.EM_386
	case "arm64":
		return elf.EM_AARCH64
	case "arm":
		return elf.EM_ARM
	case "riscv64":
		return elf.EM_RISCV
	case "ppc64", "ppc64le":
		return elf.EM_PPC64
	case "s390x":
		return elf.EM_S390
	}
	return elf.EM_NONE
}

// diagnoseELF says why a program file does not start: it is for another
// machine, cut short, or linked for a loader that is not here (a program of a
// glibc system in an Alpine container, say).
func diagnoseELF(path string) (Kind, string) {
	file, err := elf.Open(path)
	if err != nil {
		return WrongFormat, "it is a damaged program (" + err.Error() + ")"
	}
	defer file.Close()
	for _, program := range file.Progs {
		if program.Type != elf.PT_INTERP || program.Filesz > 4096 {
			continue
		}
		name, err := io.ReadAll(program.Open())
		loader := strings.TrimRight(string(name), "\x00")
		if err != nil || loader == "" {
			continue
		}
		if _, err := os.Stat(loader); err != nil && file.Machine == machineOf(runtime.GOARCH) {
			return MissingInterpreter, fmt.Sprintf("it is a program that needs the loader %q, which is not on this machine: it was built for another C library or distribution", loader)
		}
	}
	if here := machineOf(runtime.GOARCH); here != elf.EM_NONE && file.Machine != here {
		return WrongFormat, fmt.Sprintf("it is a program for another machine (%s; this one is %s)", file.Machine, runtime.GOARCH)
	}
	return Other, ""
}
