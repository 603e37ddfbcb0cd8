package exposition

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestWholeTakesAllOrNothing compares Whole and Read together with Read alone.
func TestWholeTakesAllOrNothing(t *testing.T) {
	l := gateLabels(t, Exported)
	large := strings.Repeat("metric{a=\"b\"} 1\n", 10000)
	for name, c := range map[string]struct {
		body string
		most int
		ok   bool
		err  error
	}{
		"small":        {"m 1\n", 1 << 20, true, nil},
		"just so":      {"m 1\n", 0, true, nil},
		"too much":     {"m 1\n", 4, false, nil},
		"large":        {large, 1 << 30, false, nil},
		"empty":        {"", 1 << 20, false, ErrEmpty},
		"cut":          {"m 1\nm 2", 1 << 20, false, ErrTruncated},
		"comment only": {"# x\n", 1 << 20, true, nil},
	} {
		want, failed := pass(c.body, kindText, l)
		if c.most == 0 {
			c.most = len(want)
		}
		r := NewReader(strings.NewReader(c.body), new(Format), l, Limits{})
		for range 3 { // the later ones from the cache
			r.Reset(iotest.HalfReader(strings.NewReader(c.body)), new(Format), l, Limits{})
			whole, ok := r.Whole(c.most)
			if ok != c.ok || ok && string(whole) != want {
				t.Errorf("%s: %t, %q", name, ok, whole)
			}
			if again, ok := r.Whole(c.most); ok {
				t.Errorf("%s: handed on twice: %q", name, again)
			}
			rest, err := io.ReadAll(r)
			if ok && len(rest) > 0 || !ok && failed == nil && string(rest) != want || err != c.err {
				t.Errorf("%s: rest of %d bytes, %v", name, len(rest), err)
			}
		}
	}
}

// TestWholeHoldsUntilReset reads on after Whole: its bytes do not change, with the cache neither.
func TestWholeHoldsUntilReset(t *testing.T) {
	l := gateLabels(t, Exported)
	bodies := []string{"# HELP m x\nm 1\n# HELP n x\nn 1\n", "# HELP m x\nm 22\n# HELP n x\nn 1\n"}
	r := new(Reader)
	for i := range 6 {
		body := bodies[i%2]
		want, err := pass(body, kindText, l)
		if err != nil {
			t.Fatal(err)
		}
		r.Reset(strings.NewReader(body), new(Format), l, Limits{})
		whole, ok := r.Whole(1 << 20)
		if n, err := r.Read(make([]byte, 100)); n != 0 || err != io.EOF {
			t.Errorf("%d, %v after all of it", n, err)
		}
		if !ok || string(whole) != want {
			t.Errorf("scrape %d: %q, want %q", i, whole, want)
		}
	}
}

// TestNextGivesMemoryAway takes bodies by turns with Whole. What was taken does not change later,
// whatever memory was given for it.
func TestNextGivesMemoryAway(t *testing.T) {
	l := gateLabels(t, Exported)
	small, large := "# HELP m x\nm 1\n# HELP n x\nn 1\n", strings.Repeat("metric{a=\"b\"} 1\n", 10000)
	labelled, _ := pass(small, kindText, l)
	r := new(Reader)
	for i, body := range []string{small, large, "", large + "m 2", large, small} {
		want, failed := pass(body, kindText, l)
		r.Reset(iotest.HalfReader(strings.NewReader(body)), new(Format), l, Limits{})
		var taken [][]byte
		var err error
		for err == nil {
			var p []byte
			p, err = r.Next(make([]byte, 10*i, 200<<10*(i%2)+100))
			taken = append(taken, p)
		}
		if p, again := r.Next(nil); len(p) > 0 || again != err {
			t.Errorf("body %d: %q and %v after the end, %v", i, p, again, err)
		}
		r.Reset(strings.NewReader(small), new(Format), l, Limits{})
		if p, ok := r.Whole(1 << 20); !ok || string(p) != labelled {
			t.Errorf("body %d: then %q", i, p)
		}
		got := string(bytes.Join(taken, nil))
		if failed == nil && (err != io.EOF || got != want) || failed != nil && err != failed {
			t.Errorf("body %d: %d bytes and %v, want %d and %v", i, len(got), err, len(want), failed)
		}
	}
}
