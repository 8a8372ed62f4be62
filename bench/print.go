//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// report is all that a bench found.
type report struct {
	Machine machine  `json:"machine"`
	Quick   bool     `json:"quick,omitempty"`
	Rounds  int      `json:"rounds"`
	Rows    []row    `json:"rows"`
	Notes   []string `json:"notes,omitempty"`
}

// machine says where the figures come from: they compare with no other's.
type machine struct {
	Time    time.Time `json:"time"`
	CPUs    int       `json:"cpus"`
	CPU     string    `json:"cpu"`
	Kernel  string    `json:"kernel"`
	Go      string    `json:"go"`
	Pawl    string    `json:"pawl"`
	Webhook string    `json:"webhook"`
	Sync    float64   `json:"sync_seconds"` // the median time that one fdatasync of 4 KiB takes
}

func (b *bench) describe() machine {
	m := machine{Time: time.Now().UTC(), CPUs: runtime.NumCPU(), Go: runtime.Version()}
	var name syscall.Utsname
	if syscall.Uname(&name) == nil {
		for _, c := range name.Release {
			if c != 0 {
				m.Kernel += string(rune(c))
			}
		}
	}
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	m.Pawl = versionOf(b.pawl.path, "version")
	m.Webhook = versionOf(b.webhook.path, "-version")
	m.Sync = b.syncTime()
	return m
}

func versionOf(program string, argument string) string {
	said, err := exec.Command(program, argument).Output()
	if err != nil {
		return err.Error()
	}
	first, _, _ := strings.Cut(string(said), "\n")
	return first
}

// syncTime measures the disk, which bounds what is durable.
func (b *bench) syncTime() float64 {
	file, err := os.Create(filepath.Join(b.directory, "sync"))
	if err != nil {
		return 0
	}
	defer file.Close()
	var took []float64
	for i := range 100 {
		began := time.Now()
		if _, err := file.WriteAt(make([]byte, 4096), int64(i%16)*4096); err != nil || syscall.Fdatasync(int(file.Fd())) != nil {
			return 0
		}
		took = append(took, time.Since(began).Seconds())
	}
	return median(took)
}

func (r report) writeJSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// readReport reads what writeJSON wrote; no path is an empty report.
func readReport(path string) (report, error) {
	var r report
	if path == "" {
		return r, nil
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, fmt.Errorf("read the figures of before: %w", err)
	}
	return r, nil
}

// figure gives Pawl's figure in the row that compares the same.
func (r report) figure(like row) string {
	i := slices.IndexFunc(r.Rows, func(other row) bool { return other.What == like.What && other.Beside == like.Beside })
	if i < 0 {
		return ""
	}
	return like.Unit.text(median(r.Rows[i].Pawl))
}

// writeTable writes the table for people, with a column for the figures of
// before where there are some.
func (r report) writeTable(out io.Writer, before report) error {
	m := r.Machine
	fmt.Fprintf(out, "%d × %s, Linux %s, %s; a sync of the disk takes %s\n%s; %s\n", m.CPUs, m.CPU, m.Kernel, m.Go, seconds.text(m.Sync), m.Pawl, m.Webhook)
	if r.Quick {
		fmt.Fprintln(out, "quick: small numbers, which say whether it works and little more")
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	header := table.Row{"what", "pawl", "beside", "ratio", "reach", ""}
	if len(before.Rows) > 0 {
		header = append(header, "pawl before")
	}
	t.AppendHeader(header)
	for _, row := range r.Rows {
		cells := row.cells()
		if len(before.Rows) > 0 {
			cells = append(cells, before.figure(row))
		}
		t.AppendRow(cells)
	}
	_, err := fmt.Fprintln(out, t.Render())
	for _, note := range r.Notes {
		fmt.Fprintln(out, note)
	}
	return err
}

func (r row) cells() table.Row {
	pawl, beside, ratio, reached := "", "", "", ""
	if len(r.Pawl) > 0 {
		pawl = r.Unit.text(median(r.Pawl))
	}
	if len(r.Other) > 0 {
		beside = r.Unit.text(median(r.Other)) + " " + r.Beside
		ratio = fmt.Sprintf("%.2f ×", r.Ratio)
		if len(r.Other) > 1 {
			ratio += fmt.Sprintf(" (%.2f–%.2f)", r.Lowest, r.Highest)
		}
	}
	if r.Reached != nil {
		reached = map[bool]string{true: "yes", false: "NO"}[*r.Reached]
	}
	return table.Row{r.What, pawl, beside, ratio, r.Reach.text(r.Unit), reached}
}
