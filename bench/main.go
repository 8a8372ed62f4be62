//go:build linux

// Command bench compares Pawl with adnanh/webhook, the program that it
// replaces, and with the least that running scripts can cost: in one go, on one
// machine, by turns. README.md says what is measured and how to read it.
//
// It is a program and not a set of Go benchmarks because what counts is seen
// from outside alone: requests over connections, processes, resident memory,
// kill -9. It runs on Linux, whose /proc it asks.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options is what the command line asks for.
type options struct {
	only        []string
	quick       bool
	rounds      int
	output      string // table or json
	within      string // where it makes its own directory
	pawlPath    string // "": built
	webhookPath string
	profile     bool
	keep        bool
	before      string // a file that -o json wrote; "": none
}

// bench is what all measures share.
type bench struct {
	options
	directory     string // of this bench alone, on the disk that is measured
	pawl, webhook contender
	spawn         string // the bare posix_spawn loop
	scripts       scripts
	progress      io.Writer
	began         time.Time
	notes         []string
	current       string // the measure that runs
	profiles      int    // how many were written
}

// measure is what can be asked for with -only.
type measure struct {
	name  string
	about string
	run   func(*bench, context.Context) ([]row, error)
}

// measures lists all, in the order in which they run.
func measures() []measure {
	return []measure{
		{"ceiling", "what the load generator can do, beside wrk", (*bench).ceiling},
		{"idle", "memory, start and size", (*bench).idle},
		{"one", "one waiting request at a time", (*bench).one},
		{"sync", "scripts a second for requests that wait", (*bench).sync},
		{"mismatch", "deliveries that trigger nothing", (*bench).mismatch},
		{"hooks", "10,000 hooks", (*bench).hooks},
		{"accept", "deliveries a second while no script runs", (*bench).accept},
		{"burst", "20,000 deliveries of 300 B at once", (*bench).burst},
		{"burst20k", "the same with bodies of 20 KB", (*bench).burst20k},
		{"waiting", "1,000,000 waiting runs", (*bench).waiting},
		{"history", "lists of 1,000,000 runs", (*bench).history},
	}
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == playAnswer {
		fmt.Fprintln(os.Stderr, answerAll())
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("only", "", "measures to run, with commas between; empty: all")
	flags.BoolVar(&o.quick, "quick", false, "small numbers and one round: whether it works")
	flags.IntVar(&o.rounds, "rounds", 0, "how often each side has its turn (default 3, quick 1)")
	flags.StringVar(&o.output, "o", "table", "what to print: table or json")
	flags.StringVar(&o.within, "dir", "build/bench", "where to work; on the disk that is to be measured")
	flags.StringVar(&o.pawlPath, "pawl", "", "the pawl to measure; empty: built from this checkout")
	flags.StringVar(&o.webhookPath, "webhook", "/usr/bin/webhook", "the webhook to measure")
	flags.BoolVar(&o.profile, "profile", false, "write down with perf where Pawl spends its CPU time; slows it a little")
	flags.StringVar(&o.before, "before", "", "a file that -o json wrote: the table shows Pawl's figures of then as well")
	flags.BoolVar(&o.keep, "keep", false, "keep the directory with logs and data")
	flags.Usage = func() {
		fmt.Fprintln(stderr, "Usage: bench [flags]; see bench/README.md. The measures:")
		for _, m := range measures() {
			fmt.Fprintf(stderr, "  %-10s %s\n", m.name, m.about)
		}
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return o, flag.ErrHelp // the flag set has said why
	}
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	for _, name := range o.only {
		if !slices.ContainsFunc(measures(), func(m measure) bool { return m.name == name }) {
			return o, fmt.Errorf("there is no measure %q; -help lists them", name)
		}
	}
	if o.rounds == 0 {
		o.rounds = 3
		if o.quick {
			o.rounds = 1
		}
	}
	if o.output != "table" && o.output != "json" || o.rounds < 1 || flags.NArg() > 0 {
		return o, errors.New("-o is table or json, -rounds at least 1, and nothing follows the flags")
	}
	return o, nil
}

// execute measures what the command line asks for and prints it.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	b := &bench{options: o, progress: stderr, began: time.Now()}
	if err := adoptOrphans(); err != nil {
		return err
	}
	if err := allowFiles(); err != nil {
		b.notes = append(b.notes, err.Error())
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	if !o.keep {
		defer func() { err = errors.Join(err, os.RemoveAll(b.directory)) }()
	}
	found := report{Machine: b.describe(), Quick: o.quick, Rounds: o.rounds}
	before, err := readReport(o.before)
	if err != nil {
		return err
	}
	var failed []error
	for _, m := range measures() {
		if len(o.only) > 0 && !slices.Contains(o.only, m.name) || ctx.Err() != nil {
			continue
		}
		b.say("%s: %s", m.name, m.about)
		b.current = m.name
		rows, err := m.run(b, ctx)
		if err != nil {
			b.say("%s failed: %v", m.name, err)
			failed = append(failed, fmt.Errorf("%s: %w", m.name, err))
		}
		for _, r := range rows {
			found.Rows = append(found.Rows, r.judge())
		}
	}
	found.Notes = b.notes
	if o.output == "json" {
		err = found.writeJSON(stdout)
	} else {
		err = found.writeTable(stdout, before)
	}
	return errors.Join(append(failed, err)...)
}

// say tells on standard error how far it has come.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.progress, "%6.1fs  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

// prepare makes the directory and builds what is to be measured.
func (b *bench) prepare(ctx context.Context) error {
	if err := os.MkdirAll(b.within, 0o755); err != nil {
		return err
	}
	within, err := filepath.Abs(b.within)
	if err != nil {
		return err
	}
	if b.directory, err = os.MkdirTemp(within, "run-"); err != nil {
		return err
	}
	if kind := volatileFilesystem(b.directory); kind != "" {
		b.notes = append(b.notes, fmt.Sprintf("%s lies on %s: what is durable there costs nothing; choose a disk with -dir", b.within, kind))
	}
	if b.scripts, err = writeScripts(b.directory); err != nil {
		return err
	}
	b.pawl = contender{name: "pawl", path: b.pawlPath, pawl: true}
	if b.pawl.path == "" {
		b.pawl.path = filepath.Join(b.directory, "pawl")
		flags := "-s -w -buildid=" // as in the Makefile
		if b.profile {
			flags = "-buildid=" // a profile without names says little
		}
		if err := b.build(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", b.pawl.path, "./cmd/pawl"); err != nil {
			return err
		}
	}
	b.webhook = contender{name: "webhook", path: b.webhookPath}
	if _, err := os.Stat(b.webhook.path); err != nil {
		return fmt.Errorf("%w (apt-get install webhook, or name another with -webhook)", err)
	}
	b.spawn = filepath.Join(b.directory, "spawn")
	return b.build(ctx, "gcc", "-O2", "-Wall", "-Wextra", "-pthread", "-o", b.spawn, filepath.Join("bench", "spawn", "spawn.c"))
}

// build runs a compiler in the checkout's root, where bench is run from.
func (b *bench) build(ctx context.Context, name string, args ...string) error {
	command := exec.CommandContext(ctx, name, args...)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build with %s (in the root of the checkout): %w\n%s", name, err, said)
	}
	return nil
}

// number is how much of something is measured.
func (b *bench) number(full, quick int) int {
	if b.quick {
		return quick
	}
	return full
}

// span is how long something is measured.
func (b *bench) span() time.Duration {
	return time.Duration(b.number(5, 1)) * time.Second
}
