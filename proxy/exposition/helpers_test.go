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

// hesitant returns no bytes on every other call.
type hesitant struct {
	src   io.Reader
	calls int
}

func (h *hesitant) Read(p []byte) (int, error) {
	if h.calls++; h.calls%2 == 0 {
		return 0, nil
	}
	return h.src.Read(p[:min(len(p), 100)])
}

// pieces returns body size bytes at a time.
type pieces struct {
	body []byte
	size int
}

func (s *pieces) Read(p []byte) (int, error) {
	if len(s.body) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.body[:min(s.size, len(s.body))])
	s.body = s.body[n:]
	return n, nil
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }
