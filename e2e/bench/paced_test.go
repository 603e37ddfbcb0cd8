package main

import (
	"math"
	"reflect"
	"testing"
)

// The processes of a program count as one, in each interval.
func TestProcessesOfAProgramAreJoined(t *testing.T) {
	gate := func(cpu, latency [][]float64, wakes int64) *paced {
		return &paced{name: "gate", processes: 1, spent: [2]activity{{Wakes: wakes}}, cpu: cpu, latency: latency,
			memory: footprint{Private: 1, Shared: 2}}
	}
	all := together([]*paced{
		gate([][]float64{{5}, {50}}, [][]float64{{1}, {2}}, 1),
		{name: sameBytes, processes: 1, cpu: [][]float64{{2}, {5}}},
		gate([][]float64{{7}, {40}}, [][]float64{{3}, {4}}, 2),
		gate([][]float64{{9}, {60}}, [][]float64{{5}, {6}}, 3),
	})
	if len(all) != 2 || all[1].name != sameBytes {
		t.Fatalf("%d programs", len(all))
	}
	want := &paced{name: "gate", processes: 3, spent: [2]activity{{Wakes: 6}},
		cpu: [][]float64{{5, 7, 9}, {50, 40, 60}}, latency: [][]float64{{1, 3, 5}, {2, 4, 6}},
		memory: footprint{Private: 3, Shared: 6}}
	if !reflect.DeepEqual(all[0], want) {
		t.Errorf("%+v, want %+v", all[0], want)
	}
}

// An interval in which all are slow counts no more than another.
func TestRatioWithinIntervals(t *testing.T) {
	a := [][]float64{{4, 1, 2}, {400, 800, 1}}
	b := [][]float64{{1}, {50}}
	mean, deviation := ratioWithin(a, b) // the ratios are 2 and 8
	if math.Abs(mean-4) > 1e-9 || math.Abs(deviation-4*math.Log(2)) > 1e-9 {
		t.Errorf("%v ± %v", mean, deviation)
	}
	if mean, deviation := ratioWithin(a[:1], b[:1]); math.Abs(mean-2) > 1e-9 || deviation != 0 {
		t.Errorf("of one interval: %v ± %v", mean, deviation)
	}
}
