package runner

import (
	"os"
	"strings"
	"sync"
)

// bootID tells one boot of this machine from another (random(4)).
var bootID = sync.OnceValue(func() string {
	text, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text))
})
