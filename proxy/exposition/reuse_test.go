package exposition

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// atOnce is a source that has all of its body in memory, where another takes its place as soon as it has been answered.
type atOnce struct {
	body []byte
}

func (s *atOnce) Read(p []byte) (int, error) {
	n := copy(p, s.body)
	if s.body = s.body[n:]; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (s *atOnce) AtHand(most int) ([]byte, bool) {
	if len(s.body) > most {
		return nil, false
	}
	p := s.body
	s.body = nil
	return p, true
}

// passAtOnce is passOn with such a source.
func passAtOnce(r *Reader, body string, k kind, l *Labels) result {
	b := []byte(body)
	r.Reset(&atOnce{body: b}, &Format{k}, l, Limits{})
	out, err := io.ReadAll(r)
	for i := range b {
		b[i] = '?'
	}
	return result{string(out), r.Stats(), fmt.Sprint(err)}
}

// TestAtOnce gets bodies at once that it has met before, almost, or never, with labels that change too.
func TestAtOnce(t *testing.T) {
	labels := []*Labels{gateLabels(t, Exported), gateLabels(t, Exported), gateLabels(t, Override)}
	bodies := map[string]kind{"": kindText, "m 1\n": kindText, "x 1\n# HELP m h\nm 1\n# HELP n h\nn 1\n": kindText, strings.Repeat("# HELP m h\nm 1\n", 10_000): kindText}
	for _, g := range append(golden(t, "good"), golden(t, "bad")...) {
		bodies[string(g.body)] = g.kind
	}
	for body, k := range bodies {
		r := new(Reader)
		for n, other := range variants(body) {
			for turn, next := range []string{other, body, body, other, other, body} {
				l := labels[max(0, turn-3)]
				if got, want := passAtOnce(r, next, k, l), passOn(new(Reader), next, k, l); got != want {
					t.Errorf("variant %d, turn %d: %q, %+v, %s; want %q, %+v, %s", n, turn, got.out, got.stats, got.err, want.out, want.stats, want.err)
				}
			}
		}
	}
}

// TestAtOnceKeepsLimits gets more than the limit at once: what it says is what it says when it reads.
func TestAtOnceKeepsLimits(t *testing.T) {
	l, body := gateLabels(t, Exported), "# HELP m h\nm 1\n# HELP n h\nn 1\n"
	r := new(Reader)
	for range 3 {
		for limit := int64(1); limit < int64(len(body)+2); limit++ {
			want := NewReader(strings.NewReader(body), &Format{}, l, Limits{Bytes: limit})
			_, wanted := io.ReadAll(want)
			r.Reset(&atOnce{body: []byte(body)}, &Format{}, l, Limits{Bytes: limit})
			if _, err := io.ReadAll(r); err != wanted || (err == nil) != (limit >= int64(len(body))) {
				t.Errorf("limit %d: %v, want %v", limit, err, wanted)
			}
		}
	}
}
