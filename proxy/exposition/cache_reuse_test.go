//go:build !exposition_plain

package exposition

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// reused returns how many bytes of the labelled body are copied from the cache.
func reused(t *testing.T, before, body string) int {
	t.Helper()
	r, l := new(Reader), gateLabels(t, Exported)
	passOn(r, before, kindText, l)
	r.Reset(strings.NewReader(body), new(Format), l, Limits{})
	for i := range r.cache.out {
		r.cache.out[i] = '\v' // occurs in no body here
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(out, []byte{'\v'})
}

// TestReuse counts the bytes that come from the cache when samples and families change.
func TestReuse(t *testing.T) {
	family := func(name string, values ...string) string {
		s := fmt.Sprintf("# HELP %s Help.\n# TYPE %s gauge\n", name, name)
		for i, v := range values {
			s += fmt.Sprintf("%s{a=\"%d\"} %s\n", name, i, v)
		}
		return s
	}
	a, b, c := family("fam_a", "1", "2"), family("fam_b", "3", "4", "5"), family("fam_c", "6")
	before, short := a+b+c, family("fam_b", "3")
	// The labelled bytes of a family, without values that changed.
	size := func(s string, less int) int {
		return len(passOn(new(Reader), s, kindText, gateLabels(t, Exported)).out) - less
	}
	const value = len("1\n")
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"same":           {a + b + c, size(a+b+c, 6*value)},
		"values":         {family("fam_a", "7", "8") + b + c, size(a+b+c, 6*value)},
		"longer values":  {family("fam_a", "17", "1.8e+06") + b + c, size(a+b+c, 6*value)},
		"timestamp":      {family("fam_a", "1 1395066363000", "2") + b + c, size(a+b+c, 6*value)},
		"not plain":      {family("fam_a", "NaN", "2") + b + c, size(b+c, 4*value)},
		"family gone":    {a + c, size(a+c, 3*value)},
		"new family":     {a + family("fam_x", "1") + b + c, size(a+b+c, 6*value)},
		"sample gone":    {a + short + c, size(a+short+c, 4*value)},
		"sample added":   {a + b + "fam_b{a=\"9\"} 1\n" + c, size(a+b+c, 6*value)},
		"nothing alike":  {family("other", "1"), 0},
		"only a heading": {"# HELP fam_a Help.\n", 0},
	} {
		if got := reused(t, before, c.body); got != c.want {
			t.Errorf("%s: %d bytes reused, want %d", name, got, c.want)
		}
	}
}

// TestMovingScrapes reads scrapes in which values move, one after the other, as a gate does.
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
					t.Errorf("%v, scrape %d: %d bytes, %+v, want %d, %+v",
						&Format{k}, n, len(got.out), got.stats, len(want.out), want.stats)
				}
				if n := len(r.cache.newRefs); k == kindText && n != int(r.Stats().Samples) {
					t.Errorf("%d references for %d samples", n, r.Stats().Samples)
				}
			}
		}
	}
}

// TestLargeBodyIsNotCached reads bodies that do not fit into the input buffer, or whose labelled form
// is handed out in several chunks.
func TestLargeBodyIsNotCached(t *testing.T) {
	samples := strings.Repeat("# HELP m h\nm 1\n", 50)
	small := string(fixture(t, "runner.txt"))
	r, l := new(Reader), gateLabels(t, Exported)
	want := passOn(new(Reader), small, kindText, l)
	for name, large := range map[string]string{
		"both":         strings.Repeat(samples, 200),
		"body":         strings.Repeat("# "+strings.Repeat("x", 98)+"\n", 700) + samples,
		"labelled":     samples + strings.Repeat("m 1\n", 15_000),
		"one sample":   "m{a=\"" + strings.Repeat("x", 100_000) + "\"} 1\n" + samples,
		"long comment": samples + "# " + strings.Repeat("x", 100_000) + "\n" + samples,
	} {
		if n := reused(t, large, large); n != 0 {
			t.Errorf("%s: %d bytes reused", name, n)
		}
		for _, body := range []string{large, moved(large, func(byte) string { return "2" }), large} {
			if got, want := passOn(r, body, kindText, l), passPlain([]byte(body), kindText, l); got != want {
				t.Errorf("%s: %d bytes, %+v, %s, want %d, %+v",
					name, len(got.out), got.stats, got.err, len(want.out), want.stats)
			}
		}
		if got := passOn(r, small, kindText, l); got != want {
			t.Errorf("%s: a small body after it: %+v", name, got.stats)
		}
	}
}

// TestLookahead removes a family: those behind it are found if it had at most cacheLookahead samples.
func TestLookahead(t *testing.T) {
	const rest = "# HELP z h\nz 1\n"
	for samples, found := range map[int]bool{
		cacheLookahead - 1: true, cacheLookahead: false, 2 * cacheLookahead: false,
	} {
		body := "# HELP m h\n" + strings.Repeat("m 1\n", samples) + rest
		if got := reused(t, body, rest) > 0; got != found {
			t.Errorf("%d samples: found %v", samples, got)
		}
	}
}
