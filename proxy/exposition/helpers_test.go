package exposition

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// fixture returns a captured body.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "fixtures", name))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// threeHundred returns the exposition of 300 runners, 3.66 MB of text.
func threeHundred(t testing.TB) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(fixture(t, "300-runners.txt.gz")))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// tenMegabytes returns one exposition of 11 MB: that of 300 runners three times,
// each under other metric names.
func tenMegabytes(t testing.TB) []byte {
	t.Helper()
	var out []byte
	for _, name := range []string{"a_", "b_", "c_"} {
		for line := range bytes.Lines(threeHundred(t)) {
			if line[0] == '#' {
				out = append(out, line[:len("# HELP ")]...)
				line = line[len("# HELP "):]
			}
			out = append(append(out, name...), line...)
		}
	}
	return out
}

// gateLabels returns the label that a gate adds by default.
func gateLabels(t testing.TB, c Conflict) *Labels {
	t.Helper()
	l, err := Compile(Label{Name: "runner_name", Value: "gate-build-linux-01", Conflict: c})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// readAll labels body and returns what was counted.
func readAll(t testing.TB, body []byte, k kind, l *Labels) Stats {
	t.Helper()
	r := NewReader(bytes.NewReader(body), &Format{k}, l, Limits{})
	if _, err := r.WriteTo(io.Discard); err != nil {
		t.Fatal(err)
	}
	return r.Stats()
}

// pass labels body with a new Reader.
func pass(body string, k kind, l *Labels) (string, error) {
	var out bytes.Buffer
	_, err := NewReader(bytes.NewReader([]byte(body)), &Format{k}, l, Limits{}).WriteTo(&out)
	return out.String(), err
}
