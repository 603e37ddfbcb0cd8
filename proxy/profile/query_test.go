package profile

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// FuzzProfileQuery states the law: whatever a client writes, the runner reads a query
// with known keys, once each, and within the limit.
func FuzzProfileQuery(f *testing.F) {
	for _, seed := range []string{"seconds=5", "debug=1&gc=1", "seconds=1&seconds=2",
		"seconds=1e9", "a=b;seconds=3", "seconds=%31", "seconds=0.1",
	} {
		f.Add(seed, "profile")
		f.Add(seed, "heap")
		f.Add(seed, "")
	}
	f.Fuzz(func(t *testing.T, raw, name string) {
		q, err := parseProfileQuery(raw)
		if err == nil {
			err = q.limit(name, 30)
		}
		if err != nil {
			return
		}
		values, err := url.ParseQuery(q.String())
		if err != nil {
			t.Fatalf("%q becomes %q: %v", raw, q, err)
		}
		for key, list := range values {
			n, err := strconv.Atoi(list[0])
			most := map[string]int{"seconds": 30, "debug": 2, "gc": 1}
			if limit, ok := most[key]; !ok || len(list) != 1 || err != nil || n < 0 || n > limit {
				t.Errorf("%q becomes %q", raw, q)
			}
		}
		if name == "profile" && values.Get("seconds") == "" {
			t.Errorf("%q leaves the seconds to the runner", raw)
		}
	})
}

// FuzzAddresses states the law: what is rebuilt is hexadecimal, and stays as it is.
func FuzzAddresses(f *testing.F) {
	for _, seed := range []string{"", "0x1", "0x84b60f+0x1", "1+2", "0x", "+", "0x1+", "-0x1", "seconds=3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		rebuilt, err := parseAddresses(raw)
		if err != nil {
			return
		}
		if again, err := parseAddresses(rebuilt); err != nil || again != rebuilt {
			t.Errorf("%q: %q, then %q, %v", raw, rebuilt, again, err)
		}
		parts := strings.Split(rebuilt, "+")
		if rebuilt != "" && slices.ContainsFunc(parts, func(s string) bool {
			_, err := strconv.ParseUint(s, 0, 64) // as net/http/pprof reads them
			return err != nil || !strings.HasPrefix(s, "0x")
		}) {
			t.Errorf("%q: %q", raw, rebuilt)
		}
	})
}
