package exposition

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"
)

// The fuzz targets state the laws of a Reader for each format:
//
//   - reparse(output) = reparse(input) + label
//   - labelling twice under Keep is labelling once
//   - one-byte reads give the same bytes
//   - a source that ends in an error never ends as complete
//   - bodies read before, and so the cache, change nothing
//   - without shortcuts the output, the counts and the error are the same
func FuzzText(f *testing.F)        { fuzz(f, kindText) }
func FuzzOpenMetrics(f *testing.F) { fuzz(f, kindOpenMetrics) }
func FuzzProtobuf(f *testing.F)    { fuzz(f, kindProtobuf) }

func fuzz(f *testing.F, k kind) {
	for _, g := range append(golden(f, "good"), golden(f, "bad")...) {
		if g.kind == k {
			f.Add(g.body, uint8(len(g.body)))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, policy uint8) {
		add := Label{Name: "runner_name", Value: "g\"\\\nü", Conflict: Conflict(policy % 3)}
		l, err := Compile(add)
		if err != nil {
			t.Fatal(err)
		}
		out, err := pass(string(body), k, l)
		if got, want := passOn(new(Reader), string(body), k, l), passPlain(body, k, l); got != want {
			t.Errorf("%+v, without shortcuts %+v\n%q", got, want, body)
		}
		lawOneByte(t, body, k, l, out, err)
		if len(body) < 4096 { // it reads some thirty times
			lawCache(t, string(body), k, l)
		}
		if err != nil {
			return
		}
		lawReparse(t, body, []byte(out), k, add)
		lawSourceError(t, body, k, l)
		if add.Conflict == Keep {
			if twice, err := pass(out, k, l); err != nil || twice != out {
				t.Errorf("labelling twice: %v\n%q\n%q", err, out, twice)
			}
		}
	})
}

func lawOneByte(t *testing.T, body []byte, k kind, l *Labels, out string, err error) {
	src := iotest.OneByteReader(bytes.NewReader(body))
	got, gotErr := io.ReadAll(NewReader(src, &Format{k}, l, Limits{}))
	if (gotErr == nil) != (err == nil) || err == nil && string(got) != out {
		t.Errorf("one-byte reads: %v, want %v\n%q\n%q", gotErr, err, got, out)
	}
}

func lawSourceError(t *testing.T, body []byte, k kind, l *Labels) {
	broken := errors.New("broken")
	for _, n := range []int{0, len(body) / 2, len(body)} {
		src := io.MultiReader(bytes.NewReader(body[:n]), iotest.ErrReader(broken))
		if _, err := io.ReadAll(NewReader(src, &Format{k}, l, Limits{})); err == nil {
			t.Errorf("source fails after %d bytes, and the body ends well", n)
		}
	}
}

// lawReparse compares input and output sample by sample: their labels, and the bytes that are not
// labels.
func lawReparse(t *testing.T, in, out []byte, k kind, add Label) {
	want, got := reparse(t, in, k), reparse(t, out, k)
	if len(got) != len(want) {
		t.Fatalf("%d samples, want %d\n%q\n%q", len(got), len(want), in, out)
	}
	for i := range want {
		if w := want[i].with(add); got[i].rest != w.rest || !slices.Equal(got[i].labels, w.labels) {
			t.Fatalf("sample %d: %+v, want %+v\n%q\n%q", i, got[i], w, in, out)
		}
	}
}

// parsed is a sample: the names and values of its labels that have a value, in the order of names,
// and all other bytes of it. has is whether the label to add exists, with or without a value.
type parsed struct {
	labels []string
	rest   string
	has    bool
}

// with returns p with a label added as the policy says.
func (p parsed) with(add Label) parsed {
	values := map[string]string{}
	for i := 0; i < len(p.labels); i += 2 {
		values[p.labels[i]] = p.labels[i+1]
	}
	old := values[add.Name]
	if p.rest[0] == '#' || add.Conflict == Keep && p.has {
		return p
	}
	values[add.Name] = add.Value
	if add.Conflict == Exported && old != "" {
		name := prefix + add.Name
		for values[name] != "" {
			name = prefix + name
		}
		values[name] = old
	}
	return parsed{flat(values), p.rest, true}
}

func flat(values map[string]string) (all []string) {
	for name, value := range values {
		if value != "" {
			all = append(all, name, value)
		}
	}
	pairs := slices.Collect(slices.Chunk(all, 2))
	slices.SortFunc(pairs, func(a, b []string) int { return slices.Compare(a, b) })
	return slices.Concat(pairs...)
}

// reparse reads a good body with the scanner, a sample at a time.
func reparse(t *testing.T, body []byte, k kind) (all []parsed) {
	t.Helper()
	if k == kindProtobuf {
		return reparseProtobuf(t, body)
	}
	s := scanner{b: body, openMetrics: k == kindOpenMetrics}
	for s.i < len(body) {
		start := s.i
		s.blanks()
		switch {
		case s.openMetrics && (string(body[s.i:]) == eof || string(body[s.i:]) == eof+"\n"):
			return append(all, parsed{rest: string(body[s.i:])}) // begins with #
		case s.take('\n'):
		case s.peek() == '#':
			if !s.comment() {
				t.Fatalf("%s: %q", s.what, body)
			}
			all = append(all, parsed{rest: "#" + string(body[start:s.i])})
		default:
			if s.i = start; !s.sample() {
				t.Fatalf("%s: %q", s.what, body)
			}
			all = append(all, s.parsed(start))
		}
	}
	return all
}

// parsed returns the sample that was scanned from start on.
func (s *scanner) parsed(start int) parsed {
	p := parsed{rest: "m "}
	values := map[string]string{}
	for _, l := range s.found.spans {
		name := unescaped(s.b[l.name:l.nameEnd])
		values[name] = unescaped(s.b[l.value:l.valueEnd])
		p.has = p.has || name == "runner_name"
	}
	i := start
	for ; i < len(s.b) && (s.b[i] == ' ' || s.b[i] == '\t' || class[s.b[i]]&metricByte != 0); i++ {
		if p.rest += string(s.b[i]); i+1 == int(s.found.end) {
			break // a bare name, and a value that might go on like one
		}
	}
	after := int(s.found.end)
	if s.found.braces {
		after += bytes.IndexByte(s.b[after:], '}') + 1
	}
	p.labels = flat(values)
	p.rest += "|" + string(bytes.TrimLeft(s.b[after:s.i], " \t"))
	return p
}

// unescaped returns b without escapes.
func unescaped(b []byte) string {
	var out []byte
	for len(b) > 0 {
		c, n := unescape(b)
		out = append(out, c)
		b = b[n:]
	}
	return string(out)
}

func reparseProtobuf(t *testing.T, body []byte) (all []parsed) {
	for i := 0; i < len(body); {
		size, at := uvarint(body, i)
		i = at + int(size)
		family := parsed{}
		for j := at; j < i; {
			f := next(body[:i], j)
			if f.tag == familyMetric {
				all = append(all, reparseMetric(t, body[f.body:f.end]))
			} else {
				family.rest += fmt.Sprintf("%d:%q ", f.tag, body[f.body:f.end])
			}
			j = f.end
		}
		all = append(all, parsed{rest: "#" + family.rest})
	}
	return all
}

func reparseMetric(t *testing.T, b []byte) parsed {
	values, rest, has := map[string]string{}, "m ", false
	for i := 0; i < len(b); {
		f := next(b, i)
		if f.tag == tagMetricLabel {
			s, ok := pair(b, i, f)
			if !ok {
				t.Fatalf("bad label: %q", b)
			}
			values[string(b[s.name:s.nameEnd])] = string(b[s.value:s.valueEnd])
			has = has || string(b[s.name:s.nameEnd]) == "runner_name"
		} else {
			rest += fmt.Sprintf("%d:%q ", f.tag, b[f.body:f.end])
		}
		i = f.end
	}
	return parsed{flat(values), rest, has}
}

// TestCorpus fails if the committed corpus is lost: go test would not notice.
func TestCorpus(t *testing.T) {
	for _, target := range []string{"FuzzText", "FuzzOpenMetrics", "FuzzProtobuf"} {
		files, err := os.ReadDir(filepath.Join("testdata", "fuzz", target))
		if err != nil || len(files) == 0 {
			t.Errorf("%s has no corpus: %v", target, err)
		}
	}
}
