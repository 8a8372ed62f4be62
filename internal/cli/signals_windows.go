package cli

import "os"

// reloadSignals is empty: Windows has none to spare. -hotreload reloads there.
func reloadSignals() []os.Signal { return nil }

func ignoredSignal(os.Signal) bool { return false }
