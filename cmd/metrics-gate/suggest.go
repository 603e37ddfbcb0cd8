package main

import (
	"maps"
	"slices"
)

// unknown reports a variable that nobody declared, with the nearest one that exists.
func unknown(name string, known map[string]bool) *ConfigError {
	m := &ConfigError{Thing: name, Wrong: "unknown variable"}
	best, nearest := "", len(name)/4
	for _, candidate := range slices.Sorted(maps.Keys(known)) {
		if d := distance(name, candidate); d <= nearest && (best == "" || d < nearest) {
			best, nearest = candidate, d
		}
	}
	if best != "" {
		m.Advice = "did you mean " + best + "?"
	} else {
		m.Advice = "metrics-gate help lists all variables"
	}
	return m
}

// distance is the Levenshtein distance of a and b, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
