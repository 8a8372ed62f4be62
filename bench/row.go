//go:build linux

package main

import (
	"fmt"
	"slices"
	"time"
)

// row is one line of the result: a figure of Pawl's for each round, and the one
// that was measured beside it in the same round.
type row struct {
	What   string    `json:"what"`
	Unit   unit      `json:"unit"`
	Pawl   []float64 `json:"pawl"`
	Beside string    `json:"beside,omitempty"` // whose figures Other are
	Other  []float64 `json:"other,omitempty"`
	Reach  reach     `json:"reach,omitzero"`

	// What follows is worked out by judge.
	Ratio   float64 `json:"ratio,omitempty"`   // the median of the rounds' ratios
	Lowest  float64 `json:"lowest,omitempty"`  // of them
	Highest float64 `json:"highest,omitempty"` // of them
	Reached *bool   `json:"reached,omitempty"` // nil: told only
}

// unit is what a figure counts, always in the base unit.
type unit string

const (
	seconds   unit = "s"
	perSecond unit = "1/s"
	size      unit = "B"
)

// reach is what a figure is to reach. The zero value asks nothing.
type reach struct {
	AtMost  float64 `json:"at_most,omitempty"` // of the ratio, or of the figure
	AtLeast float64 `json:"at_least,omitempty"`
	Figure  bool    `json:"figure,omitempty"` // Pawl's figure counts, not the ratio
}

// judge works out the ratio and whether the row reaches what it is to.
func (r row) judge() row {
	var ratios []float64
	for i := range min(len(r.Pawl), len(r.Other)) {
		ratios = append(ratios, r.Pawl[i]/r.Other[i])
	}
	if len(ratios) > 0 {
		r.Ratio, r.Lowest, r.Highest = median(ratios), slices.Min(ratios), slices.Max(ratios)
	}
	value := r.Ratio
	if r.Reach.Figure {
		value = median(r.Pawl)
	}
	if r.Reach.AtMost > 0 || r.Reach.AtLeast > 0 {
		reached := (r.Reach.AtMost == 0 || value <= r.Reach.AtMost) && value >= r.Reach.AtLeast
		r.Reached = &reached
	}
	return r
}

// median gives the middle value, the mean of the two in the middle where there
// are two, and 0 of nothing.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// text writes a figure for people.
func (u unit) text(value float64) string {
	switch u {
	case seconds:
		duration := time.Duration(value * float64(time.Second))
		switch {
		case duration >= 10*time.Second:
			return fmt.Sprintf("%.1f s", duration.Seconds())
		case duration >= time.Second:
			return fmt.Sprintf("%.2f s", duration.Seconds())
		default:
			return fmt.Sprintf("%.2f ms", duration.Seconds()*1000)
		}
	case perSecond:
		if value < 100 {
			return fmt.Sprintf("%.1f/s", value)
		}
		return fmt.Sprintf("%.0f/s", value)
	case size:
		return fmt.Sprintf("%.1f MiB", value/(1<<20))
	}
	return fmt.Sprint(value)
}

// text writes what is to be reached.
func (r reach) text(u unit) string {
	write := func(value float64) string {
		if r.Figure {
			return u.text(value)
		}
		return fmt.Sprintf("%g ×", value)
	}
	switch {
	case r.AtMost > 0:
		return "≤ " + write(r.AtMost)
	case r.AtLeast > 0:
		return "≥ " + write(r.AtLeast)
	}
	return "told"
}
