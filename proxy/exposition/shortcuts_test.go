package exposition

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// passPlain labels body with a new Reader without shortcuts.
func passPlain(body []byte, k kind, l *Labels) result {
	return passOn(&Reader{plain: true}, string(body), k, l)
}

// TestShortcutsChangeNothing holds the cache, the template and the plans to the plain way: for all
// golden and captured bodies, and for these with a few bytes changed, what comes out, the counts and
// the error are the same. One Reader reads them all, each body after one that is like it.
func TestShortcutsChangeNothing(t *testing.T) {
	all := append(golden(t, "good"), golden(t, "bad")...)
	for k, body := range bodies(t) {
		all = append(all, file{fmt.Sprint(&Format{k}), k, body})
	}
	all = append(all, file{"300 runners", kindText, threeHundred(t)})
	all = append(all, file{"runner", kindProtobuf, fixture(t, "runner.proto")})
	random := rand.New(rand.NewPCG(3, 4))
	for _, c := range []Conflict{Exported, Keep, Override} {
		l, r := gateLabels(t, c), new(Reader)
		for _, f := range all {
			mutants := 40
			if len(f.body) > 1<<20 {
				mutants = 2
			}
			for n := range mutants {
				body := mutant(random, f.body, n)
				if got, want := passOn(r, string(body), f.kind, l), passPlain(body, f.kind, l); got != want {
					t.Fatalf("%s, %v: %d bytes, %+v, %s, want %d bytes, %+v, %s\n%.2000q",
						f.name, c, len(got.out), got.stats, got.err, len(want.out), want.stats, want.err, body)
				}
			}
		}
	}
}

// mutant returns body, then body with another byte, one byte less, or a line twice.
func mutant(random *rand.Rand, body []byte, n int) []byte {
	body = bytes.Clone(body)
	if n < 2 || len(body) == 0 {
		return body
	}
	at := random.IntN(len(body))
	switch n % 4 {
	case 0:
		body[at] = "0 9a_{}\"\\,\n\x00\xff#"[random.IntN(14)]
	case 1:
		body = append(body[:at], body[at+1:]...)
	case 2:
		body[at] ^= 1
	default:
		line := body[at:]
		line = bytes.Clone(line[:bytes.IndexByte(line, '\n')+1])
		body = append(body[:at], append(line, body[at:]...)...)
	}
	return body
}
