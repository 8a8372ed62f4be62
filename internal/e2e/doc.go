// Package e2e proves the bundled scan with nothing mocked but the Nexus IQ
// server: a real registry calls a real Pawl, which runs the real scripts, which
// pull with real tools and scan with a real scanner.
//
// It holds tests alone, behind the build tag e2e, for they need programs that
// scripts/install-tools.sh installs. A program that is missing fails the tests
// and is named; nothing is skipped.
package e2e
