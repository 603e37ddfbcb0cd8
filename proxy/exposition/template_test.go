package exposition

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestLinesAlone compares a labelled body with its lines, each labelled by a new Reader that has no
// template.
func TestLinesAlone(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []Conflict{Exported, Keep, Override} {
		l := gateLabels(t, c)
		alone := map[string]result{}
		for range 1000 {
			var body, want strings.Builder
			var stats Stats
			for _, line := range likeLines(random) {
				one, ok := alone[line]
				if !ok {
					one = passOn(new(Reader), line, kindText, l)
					alone[line] = one
				}
				body.WriteString(line)
				want.WriteString(one.out)
				stats.Samples += one.stats.Samples
				stats.Conflicts += one.stats.Conflicts
			}
			if got := passOn(new(Reader), body.String(), kindText, l); got != (result{want.String(), stats, "<nil>"}) {
				t.Fatalf("%v: %+v, %s\n%s\n got %s\nwant %s",
					c, got.stats, got.err, body.String(), got.out, want.String())
			}
		}
	}
}

// likeLines returns samples with the same labels. From one to the next some values change, some
// labels at the end are missing, and the name has another suffix.
func likeLines(random *rand.Rand) (lines []string) {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	value := func() string {
		return pick("", "a", "1234567", "12345678", "123456789", `q\"`, `\\`, "ü", "\x00",
			"a longer value, with } and =", fmt.Sprint(random.IntN(2000)))
	}
	names := []string{"a", "runner_name", "exported_runner_name", "le", "b"}
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	names = names[:1+random.IntN(4)]
	values := make([]string, len(names))
	for k := range values {
		values[k] = value()
	}
	suffix := ""
	for range 2 + random.IntN(12) {
		values[random.IntN(len(values))] = value()
		if random.IntN(3) == 0 {
			suffix = pick("", "_sum", "_count", "_bucket", "_s")
		}
		var labels []string
		for k, name := range names {
			labels = append(labels, name+`="`+values[k]+`"`)
		}
		if random.IntN(4) == 0 {
			labels = labels[:random.IntN(len(labels)+1)]
		}
		line := pick("m", "metric_seconds") + suffix
		if len(labels) > 0 {
			line += "{" + strings.Join(labels, ",") + "}"
		}
		number := pick("0", "12", "1234567", "12345678", "1.5e+09", "NaN", "17 1395066363000")
		lines = append(lines, line+" "+number+"\n")
	}
	return lines
}

// TestCutBeforeStaleBytes cuts lines at each byte, in a buffer that still has bytes of another body
// after the end. A quote or newline of these must not be taken for one of the line.
func TestCutBeforeStaleBytes(t *testing.T) {
	l := gateLabels(t, Exported)
	const body = `m{a="0",runner_name="x",b="y"} 0
m{a="00012",runner_name="xyz",b="y12345678"} 12
m{a="00012",runner_name="xyz",b="zz"} 12
m_sum{a="5"} 17
`
	for _, stale := range []string{"\"", "} 1\n", "0", " 1\n", "\"} 1\n", "x\",\"\"} 1 \n"} {
		for n := range len(body) {
			r := new(Reader)
			for range 2 { // the cache keeps one of two buffers
				passOn(r, "m "+strings.Repeat(stale, 100), kindText, l)
				passOn(r, "# "+strings.Repeat(stale, 100), kindText, l)
			}
			if got, want := passOn(r, body[:n], kindText, l), passOn(new(Reader), body[:n], kindText, l); got != want {
				t.Errorf("after %q, cut at %d: %+v, want %+v", stale, n, got, want)
			}
		}
	}
}
