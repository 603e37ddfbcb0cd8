package exposition

import (
	"fmt"
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

// TestScrapesInTurn holds a Reader that goes from scrape to scrape to a new one for each. Now and
// then a scrape breaks off or has a NUL in it, of which nothing may stay in the cache.
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
				lawCacheHolds(t, r)
				if got := passOn(r, body, k, l); got != want {
					t.Fatalf("%v, seed %d, scrape %d: %+v\nwant %+v\nbody %s", &Format{k}, seed, n, got, want, body)
				}
				if !slices.Equal(r.cache.newRefs, first.cache.newRefs) {
					t.Fatalf("%v, seed %d, scrape %d: references %v, want %v", &Format{k}, seed, n,
						r.cache.newRefs, first.cache.newRefs)
				}
			}
		}
		if good < 60*60/2 {
			t.Errorf("%v: %d of %d scrapes are sound", &Format{k}, good, 60*60)
		}
	}
}
