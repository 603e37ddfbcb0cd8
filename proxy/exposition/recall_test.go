package exposition

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// result is all that a Reader says about a body.
type result struct {
	out   string
	stats Stats
	err   string
}

// passOn is pass with a Reader that has read bodies before.
func passOn(r *Reader, body string, k kind, l *Labels) result {
	r.Reset(strings.NewReader(body), &Format{k}, l, Limits{})
	out, err := io.ReadAll(r)
	return result{string(out), r.Stats(), fmt.Sprint(err)}
}

// lawMemory reads body after bodies that are almost like it, and twice: a Reader that
// remembers them must say the same as one that remembers nothing.
func lawMemory(t *testing.T, body string, k kind, l *Labels) {
	t.Helper()
	want := passOn(new(Reader), body, k, l)
	r := new(Reader)
	for _, before := range variants(body) {
		passOn(r, before, k, l)
		if got := passOn(r, body, k, l); got != want {
			t.Errorf("after a body like it: %q, %+v, %s; want %q, %+v, %s\nbefore: %q\nbody: %q",
				got.out, got.stats, got.err, want.out, want.stats, want.err, before, body)
		}
	}
}

// variants are the body itself, and others that differ from it in a few places.
func variants(body string) []string {
	all := []string{body, body + body, body[:len(body)/2]}
	for i := 1; i < 4; i++ {
		at := len(body) * i / 4
		if at < len(body) {
			all = append(all, body[:at]+string(body[at]^1)+body[at+1:], body[:at]+body[at+1:], body[:at]+"0"+body[at:])
		}
		if line := strings.LastIndexByte(body[:at], '\n') + 1; line > 0 {
			all = append(all, body[line:], body[:line]+"# HELP a b\n"+body[line:], body[:line]+"# EOF\n"+body[line:])
		}
	}
	// All values move, with their length and without.
	all = append(all, moved(body, func(b byte) string { return string(b ^ 1) }), moved(body, func(b byte) string { return "12" + string(b) }))
	return append(all, moved(body, func(b byte) string { return string(b) + "\r" }))
}

// moved is body with another last byte of each line that ends in a digit.
func moved(body string, last func(byte) string) string {
	var out strings.Builder
	for line := range strings.Lines(body) {
		if n := len(line) - 2; n > 0 && line[n] >= '0' && line[n] <= '9' && line[n+1] == '\n' {
			line = line[:n] + last(line[n]) + "\n"
		}
		out.WriteString(line)
	}
	return out.String()
}

func TestMemoryChangesNothing(t *testing.T) {
	one, other := gateLabels(t, Exported), gateLabels(t, Override)
	r := new(Reader)
	for _, g := range append(golden(t, "good"), golden(t, "bad")...) {
		lawMemory(t, string(g.body), g.kind, one)
		// The same Reader goes through all bodies, and through each with other labels.
		for _, l := range []*Labels{one, other, one} {
			if got, want := passOn(r, string(g.body), g.kind, l), passOn(new(Reader), string(g.body), g.kind, l); got != want {
				t.Errorf("%s: %+v, want %+v", g.name, got, want)
			}
		}
	}
}

// recalled counts the bytes of the answer to body that a Reader has from the body before.
func recalled(t *testing.T, before, body string, k kind) int {
	t.Helper()
	r, l := new(Reader), gateLabels(t, Exported)
	passOn(r, before, k, l)
	r.Reset(strings.NewReader(body), &Format{k}, l, Limits{})
	for i := range r.memory.out {
		r.memory.out[i] = '\v' // stands in no exposition here
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(out, []byte{'\v'})
}

// TestFamiliesAreRecalled counts what is taken over when families change, come and go.
func TestFamiliesAreRecalled(t *testing.T) {
	family := func(name string, value int) string {
		return fmt.Sprintf("# HELP %s Help.\n# TYPE %s gauge\n%s{a=\"b\"} %d\n", name, name, name, value)
	}
	var before, same, changed, fewer, more strings.Builder
	for i := range 20 {
		name := fmt.Sprintf("family_%c", 'a'+i)
		before.WriteString(family(name, i))
		same.WriteString(family(name, i))
		if i == 7 {
			changed.WriteString(family(name, i+1))
			more.WriteString(family("new_a", 1) + family("new_b", 1) + family("new_c", 1))
		} else {
			changed.WriteString(family(name, i))
		}
		if i != 7 && i != 8 {
			fewer.WriteString(family(name, i))
		}
		more.WriteString(family(name, i))
	}
	one := len(passOn(new(Reader), family("family_a", 1), kindText, gateLabels(t, Exported)).out)
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"same":    {same.String(), 20},
		"changed": {changed.String(), 20}, // but for one digit
		"fewer":   {fewer.String(), 18},
		"more":    {more.String(), 20},
	} {
		if got := recalled(t, before.String(), c.body, kindText); got/one != c.want {
			t.Errorf("%s: %d families recalled, want %d", name, got/one, c.want)
		}
	}
	for k, body := range bodies(t) {
		if got := recalled(t, string(body), string(body), k); got < len(body)*8/10 {
			t.Errorf("%v: %d of %d bytes recalled", &Format{k}, got, len(body))
		}
	}
}

// TestSamplesAreRecalled counts what is taken over of a family in which samples change.
func TestSamplesAreRecalled(t *testing.T) {
	const head, tail = "# HELP m h\n# TYPE m histogram\n", "# HELP n h\nn 1\n"
	label := len(`,runner_name="gate-build-linux-01"`)
	rest := len(tail) + label + 1 // a brace more, and no comma
	before := head + "m{le=\"1\"} 1\nm{le=\"2\"} 22 17\nm 3\n" + tail
	for name, c := range map[string]struct {
		family string
		want   int // bytes of the family in the answer that come from the one before, beside rest
	}{
		"same":      {"m{le=\"1\"} 1\nm{le=\"2\"} 22 17\nm 3\n", len(head) + len(`m{le="1"} 1.m{le="2"} 22 17.m{} 3.`) + 3*label - 1},
		"values":    {"m{le=\"1\"} 2\nm{le=\"2\"} 23 18\nm 4\n", len(head) + len(`m{le="1"} m{le="2"} m{} `) + 3*label - 1},
		"longer":    {"m{le=\"1\"} 1\nm{le=\"2\"} 1.5e+06\nm 30\n", len(head) + len(`m{le="1"} 1.m{le="2"} m{} `) + 3*label - 1},
		"new":       {"m{le=\"1\"} 2\nm{le=\"1.5\"} 5\nm{le=\"2\"} 22 17\nm 3\n", len(head) + len(`m{le="1"} `) + label},
		"gone":      {"m{le=\"1\"} 2\nm 3\n", len(head) + len(`m{le="1"} `) + label},
		"no value":  {"m{le=\"1\"} 1 \nm{le=\"2\"} 22 17\nm 3\n", 0},
		"all added": {"m{le=\"1\"} 2\nm{le=\"2\"} 23 18\nm 4\nm{le=\"3\"} 3\n", len(head) + len(`m{le="1"} m{le="2"} m{} `) + 3*label - 1},
	} {
		body := head + c.family + tail
		if got := recalled(t, before, body, kindText); got != c.want+rest {
			t.Errorf("%s: %d bytes recalled, want %d", name, got, c.want+rest)
		}
		lawMemory(t, body, kindText, gateLabels(t, Exported))
	}
}

// TestMovingScrapes reads scrapes in which values move, one after the other, as a gate does. Even
// of the third most is taken over.
func TestMovingScrapes(t *testing.T) {
	for k, body := range bodies(t) {
		one := string(body)
		other := moved(one, func(b byte) string { return string(b ^ 1) })
		longer := moved(one, func(b byte) string { return "1" + string(b) })
		if k == kindProtobuf {
			other, longer = one, one
		}
		for _, c := range []Conflict{Exported, Keep, Override} {
			r, l := new(Reader), gateLabels(t, c)
			for n, next := range []string{one, other, one, longer, other, other, longer, one} {
				if got, want := passOn(r, next, k, l), passOn(new(Reader), next, k, l); got != want {
					t.Errorf("%v, scrape %d: %d bytes, %+v, want %d, %+v", &Format{k}, n, len(got.out), got.stats, len(want.out), want.stats)
				}
				if n := len(r.memory.rows); k == kindText && n != int(r.Stats().Samples) {
					t.Errorf("%d rows for %d samples", n, r.Stats().Samples)
				}
			}
		}
	}
}

// TestMemoryOfManySamples passes more samples than there are rows for.
func TestMemoryOfManySamples(t *testing.T) {
	l := gateLabels(t, Exported)
	body := "# HELP l h\nl 1\n# HELP m h\n" + strings.Repeat("m 1\n", 3*memoryRows) + "# HELP n h\nn 1\nn 2\n# HELP o h\no 1\n"
	next := strings.ReplaceAll(body, " 1\n", " 12\n")
	r := new(Reader)
	for _, body := range []string{body, next, body, body, next, next} {
		if got, want := passOn(r, body, kindText, l), passOn(new(Reader), body, kindText, l); got != want {
			t.Errorf("%d bytes, %+v, %s; want %d bytes, %+v, %s", len(got.out), got.stats, got.err, len(want.out), want.stats, want.err)
		}
		if n := max(len(r.memory.rows), len(r.memory.lines)); n > memoryRows {
			t.Errorf("%d rows kept", n)
		}
	}
}

// TestRecallKeepsToChunks takes over many families at once, but hands on no more than a chunk.
func TestRecallKeepsToChunks(t *testing.T) {
	body := strings.Repeat("# HELP m h\nm 1\n", 1800)
	r, l := new(Reader), gateLabels(t, Exported)
	want := passOn(r, body, kindText, l)
	var most largest
	r.Reset(strings.NewReader(body), &Format{}, l, Limits{})
	if n, err := r.WriteTo(&most); err != nil || int(n) != len(want.out) || len(want.out) < chunkBytes {
		t.Fatalf("%d bytes, %v, want %d", n, err, len(want.out))
	}
	if most > chunkBytes+1000 || most < chunkBytes {
		t.Errorf("%d bytes at once", most)
	}
}

// largest is the length of the largest write.
type largest int

func (l *largest) Write(p []byte) (int, error) {
	*l = max(*l, largest(len(p)))
	return len(p), nil
}

// TestLargeBodyIsNotRemembered passes more than the buffers hold.
func TestLargeBodyIsNotRemembered(t *testing.T) {
	large := strings.Repeat("# HELP m h\nm 1\n", 10_000)
	if n := recalled(t, large, large, kindText); n != 0 {
		t.Errorf("%d bytes recalled", n)
	}
	small := string(fixture(t, "runner.txt"))
	r, l := new(Reader), gateLabels(t, Exported)
	want := passOn(r, small, kindText, l)
	passOn(r, large, kindText, l)
	if got := passOn(r, small, kindText, l); got != want {
		t.Errorf("after a large body: %+v", got.stats)
	}
}
