package main

import (
	"bytes"
	"testing"
)

// Every sample of a labelled runner has the label. Its bodies have the same length, because
// the report shows the size of one answer.
func TestLabelledBodyHasTheLabel(t *testing.T) {
	const series = 3000
	for turn := range 2 {
		plain := runnerBody(series, turn)
		body, err := labelled(plain)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(body, []byte(`runner_name="`+runnerName+`"`)); n != series {
			t.Errorf("turn %d: %d samples have the label, not %d", turn, n, series)
		}
		had, has := bytes.Count(plain, []byte(`runner_name="`)), bytes.Count(body, []byte(`exported_runner_name="`))
		if had == 0 || has != had {
			t.Errorf("turn %d: %d samples had a runner's name, %d have it still", turn, had, has)
		}
		if bytes.Count(body, []byte("\n")) != bytes.Count(plain, []byte("\n")) {
			t.Errorf("turn %d: another number of lines", turn)
		}
		first, err := labelled(runnerBody(series, 0))
		if err != nil || len(first) != len(body) || turn == 1 && bytes.Equal(first, body) {
			t.Errorf("turn %d: %d bytes, turn 0: %d, %v", turn, len(body), len(first), err)
		}
	}
}

// The labelled runner serves the bytes that the gate makes from the plain runner's answer.
func TestStandInServesBothBodies(t *testing.T) {
	plain, err := newStandIn(300, false)
	if err != nil {
		t.Fatal(err)
	}
	done, err := newStandIn(300, true)
	if err != nil {
		t.Fatal(err)
	}
	for turn := range plain.bodies {
		want, err := labelled(plain.bodies[turn])
		if err != nil || !bytes.Equal(done.bodies[turn], want) {
			t.Errorf("turn %d: another body than the gate's, %v", turn, err)
		}
	}
}
