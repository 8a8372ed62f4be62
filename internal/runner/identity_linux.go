package runner

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
)

// startTime is when a process started, in clock ticks since the boot: field 22
// of /proc/PID/stat (proc(5)). Empty when the process is gone.
func startTime(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field, the name, is in parentheses and may hold anything.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return ""
	}
	return string(fields[19])
}

// bootID tells one boot of this machine from another (random(4)).
var bootID = sync.OnceValue(func() string {
	text, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text))
})
