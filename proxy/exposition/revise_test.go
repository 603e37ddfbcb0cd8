package exposition

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// scrape is a body of families that come, go and change: a runner's, in small.
type scrape struct {
	random      *rand.Rand
	openMetrics bool
	families    [][]string // the lines of each
}

// next changes a few places: most often values, now and then samples and whole families.
func (s *scrape) next() {
	for range s.random.IntN(4) {
		k := s.random.IntN(len(s.families) + 1)
		switch {
		case len(s.families) == 0 || s.random.IntN(12) == 0:
			s.families = slices.Insert(s.families, k, s.family())
			continue
		case k == len(s.families):
			continue
		case s.random.IntN(15) == 0:
			s.families = slices.Delete(s.families, k, k+1)
			continue
		}
		lines := slices.Clone(s.families[k])
		n := s.random.IntN(len(lines))
		switch {
		case s.random.IntN(8) == 0:
			lines = slices.Insert(lines, n+1, s.sample(fmt.Sprint("new", s.random.IntN(100))))
		case s.random.IntN(8) == 0 && n > 1:
			lines = slices.Delete(lines, n, n+1)
		case n > 0 && len(lines[n]) > 0 && lines[n][0] != '#':
			lines[n] = lines[n][:strings.LastIndexByte(lines[n], '}')+1] + " " + s.value()
		}
		s.families[k] = lines
	}
}

func (s *scrape) family() []string {
	name := fmt.Sprint("family_", s.random.IntN(1000))
	lines := []string{"# HELP " + name + " Help.", "# TYPE " + name + " gauge"}
	for range s.random.IntN(6) {
		lines = append(lines, s.sample(name))
	}
	return lines
}

func (s *scrape) sample(name string) string {
	labels := fmt.Sprintf(`a="%d"`, s.random.IntN(30))
	if s.random.IntN(3) == 0 {
		labels += `,runner_name="` + []string{"", "x", "other"}[s.random.IntN(3)] + `"`
	}
	return name + "{" + labels + "} " + s.value()
}

func (s *scrape) value() string {
	values := []string{"0", "1", "17", "12345678", "1.5", "-3", "1e+06", "2.75e-05", "NaN", "+Inf", "9 1395066363000"}
	if n := s.random.IntN(3 * len(values)); n < len(values)-1 || n == len(values)-1 && !s.openMetrics {
		return values[n]
	}
	return fmt.Sprint(s.random.IntN(2000))
}

func (s *scrape) body() string {
	var b strings.Builder
	for _, lines := range s.families {
		for _, line := range lines {
			b.WriteString(line + "\n")
		}
	}
	if s.openMetrics {
		b.WriteString(eof)
		if s.random.IntN(2) == 0 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// TestScrapesInTurn holds a Reader that goes from scrape to scrape to one that meets each of them
// first. Now and then a scrape breaks off or has nonsense in it, of which nothing may stay.
func TestScrapesInTurn(t *testing.T) {
	for _, k := range []kind{kindText, kindOpenMetrics} {
		good := 0
		for seed := range uint64(60) {
			s := &scrape{random: rand.New(rand.NewPCG(seed, uint64(k))), openMetrics: k == kindOpenMetrics}
			l := gateLabels(t, []Conflict{Exported, Keep, Override}[seed%3])
			r := new(Reader)
			for n := range 60 {
				s.next()
				body := s.body()
				switch at := s.random.IntN(len(body) + 1); s.random.IntN(10) {
				case 0:
					body = body[:at]
				case 1:
					body = body[:at] + "\x00" + body[at:]
				}
				first := new(Reader)
				want := passOn(first, body, k, l)
				if want.err == "<nil>" {
					good++
				}
				lawRemembered(t, r)
				if got := passOn(r, body, k, l); got != want {
					t.Fatalf("%v, seed %d, scrape %d: %+v\nwant %+v\nbody %s", &Format{k}, seed, n, got, want, body)
				}
				if !slices.Equal(r.memory.fresh, first.memory.fresh) || !slices.Equal(r.memory.rows, first.memory.rows) {
					t.Fatalf("%v, seed %d, scrape %d: families %v, want %v, rows %v, want %v", &Format{k}, seed, n,
						r.memory.fresh, first.memory.fresh, r.memory.rows, first.memory.rows)
				}
			}
		}
		if good < 60*60/2 {
			t.Errorf("%v: %d of %d scrapes are sound", &Format{k}, good, 60*60)
		}
	}
}

// TestBrokenScrapeLeavesNoValues breaks a scrape off behind a value that has been put into what was made of
// the one before: that is not what was made of it any more.
func TestBrokenScrapeLeavesNoValues(t *testing.T) {
	const before, broken = "# HELP m h\nm 1\n# HELP n h\nn 1\n# HELP o h\no 1\n", "# HELP m h\nm 2\n# HELP n h\nn 1\n# HELP o h\no ?\n"
	r, l := new(Reader), gateLabels(t, Exported)
	want := passOn(r, before, kindText, l)
	if got := passOn(r, broken, kindText, l); got.err == "<nil>" {
		t.Fatal("no error")
	}
	if got := passOn(r, before, kindText, l); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestScrapeStaysInPlace changes values to others of the same length: what was made of the first scrape
// is the answer to all that follow, in the same bytes of memory.
func TestScrapeStaysInPlace(t *testing.T) {
	l := gateLabels(t, Exported)
	for k, body := range bodies(t) {
		one := string(body)
		other := moved(one, func(b byte) string { return string(b ^ 1) })
		if k == kindProtobuf {
			other = one
		}
		r := new(Reader)
		passOn(r, one, k, l)
		first := &r.out[0]
		for n, next := range []string{other, other, one, other} {
			if passOn(r, next, k, l); &r.out[0] != first {
				t.Errorf("%v, scrape %d: elsewhere", &Format{k}, n)
			}
		}
	}
}

// TestDiffer holds differ to a loop, at all lengths and places.
func TestDiffer(t *testing.T) {
	a := bytes.Repeat([]byte("0123456789"), 10)
	for n := range a {
		if got := differ(a[:n], a); got != n {
			t.Errorf("a beginning of %d bytes: %d", n, got)
		}
		for _, at := range []int{n, len(a) - 1} {
			b := bytes.Clone(a)
			b[at] ^= 1
			if got := differ(a, b); got != at {
				t.Errorf("differ at %d: %d", at, got)
			}
			if got, want := differ(b[:n], a), min(n, at); got != want {
				t.Errorf("%d bytes, differ at %d: %d", n, at, got)
			}
		}
	}
}

// TestLineGrowsTooLong lets a value grow until its line is longer than the limit, in each sample of a scrape.
func TestLineGrowsTooLong(t *testing.T) {
	l := gateLabels(t, Exported)
	lines := []string{"# HELP m h", "mm ", "mmm ", "# HELP n h", "nn "}
	for longest := int64(10); longest < 16; longest++ {
		for k, line := range lines {
			for digits := 1; digits < 16 && line[0] != '#'; digits++ {
				read := func(r *Reader, value string) string {
					all := slices.Clone(lines)
					for n := range all {
						if n == k {
							all[n] += value
						} else if all[n][0] != '#' {
							all[n] += "1"
						}
					}
					r.Reset(strings.NewReader(strings.Join(all, "\n")+"\n"), &Format{}, l, Limits{LineBytes: longest})
					out, err := io.ReadAll(r)
					return fmt.Sprint(string(out), err)
				}
				r, value := new(Reader), strings.Repeat("7", digits)
				read(r, "1")
				if got, want := read(r, value), read(new(Reader), value); got != want {
					t.Errorf("%s%s, limit %d: %q, want %q", line, value, longest, got, want)
				}
			}
		}
	}
}

// TestFamilyHasRowsFromItsFirstSample takes over a family only some samples of which have rows: those that
// come anew get none, or a part of it would count for another.
func TestFamilyHasRowsFromItsFirstSample(t *testing.T) {
	l, family := gateLabels(t, Exported), "# HELP f h\n"+strings.Repeat("f 1\n", 20)
	r := new(Reader)
	for n, body := range []string{
		"# HELP e h\n" + strings.Repeat("e 1\n", memoryRows-10) + family,
		"# HELP g h\ng 1\n" + family + "f 1\nf 1\n",
		"# HELP g h\ng 1\n" + family + "f 1\nx 1\n",
		strings.Repeat("# HELP h h\nh 1\n", memoryRows-5) + "# HELP g h\ng 1\n" + family + "# HELP i h\ni 1\n# HELP k h\nk 12\n",
		strings.Repeat("# HELP h h\nh 1\n", memoryRows-5) + "# HELP j h\nj 1\n" + "# HELP g h\ng 1\n" + family + "# HELP i h\ni 1\n# HELP k h\nk 1\n",
	} {
		if got, want := passOn(r, body, kindText, l), passOn(new(Reader), body, kindText, l); got != want {
			t.Errorf("body %d: %+v, %s, want %+v, %s", n, got.stats, got.err, want.stats, want.err)
		}
		lawRemembered(t, r)
	}
}
