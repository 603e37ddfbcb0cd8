package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
)

// moves matches the families whose values change between two scrapes of a busy runner.
var moves = regexp.MustCompile(`^(go_(gc|goroutines|memstats|sched|threads)|process_|promhttp_|` +
	`gitlab_runner_(api_request|job_|jobs|request|worker))`)

// runnerBody returns a text body with exactly series samples, the same on every call. The
// values that change differ in their last digit between turn 0 and turn 1.
func runnerBody(series, turn int) []byte {
	list := families()
	once, each := 0, 0
	for _, f := range list {
		if f.perRunner {
			each += f.samples()
		} else {
			once += f.samples()
		}
	}
	w := &bodyWriter{left: series, runners: max(1, (series-once+each-1)/each), seed: 19, turn: turn}
	w.Grow(series * 140)
	for _, f := range list {
		if w.left > 0 {
			w.family(f)
		}
	}
	return w.Bytes()
}

// bodyWriter writes families until left is 0.
type bodyWriter struct {
	bytes.Buffer
	left, runners int
	seed          uint32
	turn, move    int // move is turn within a family whose values change
}

func (w *bodyWriter) family(f family) {
	if w.move = 0; moves.MatchString(f.name) {
		w.move = w.turn
	}
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
	if !f.perRunner {
		w.groups(f, "")
		return
	}
	for i := range w.runners {
		labels := fmt.Sprintf(`runner="t%08d"`, i)
		if f.named {
			labels += fmt.Sprintf(`,runner_name="linux-%02d"`, i)
		}
		w.groups(f, labels+`,system_id="r_x2Ab9Zq"`)
	}
}

// groups writes one group of samples for each label set of f, with the runner's own labels.
func (w *bodyWriter) groups(f family, own string) {
	sets := f.sets
	if len(sets) == 0 {
		sets = []string{""}
	}
	for _, set := range sets {
		labels := join(set, own)
		if f.kind != "histogram" {
			w.sample(f.name, labels, int(w.next()%100000))
			continue
		}
		total := 0
		for _, bound := range f.bounds {
			total += int(w.next() % 50)
			w.sample(f.name+"_bucket", join(labels, `le="`+bound+`"`), total)
		}
		w.sample(f.name+"_sum", labels, total*3)
		w.sample(f.name+"_count", labels, total)
	}
}

func (w *bodyWriter) sample(name, labels string, value int) {
	if w.left == 0 {
		return
	}
	w.left--
	w.WriteString(name)
	if labels != "" {
		w.WriteByte('{')
		w.WriteString(labels)
		w.WriteByte('}')
	}
	w.WriteByte(' ')
	w.Write(strconv.AppendInt(w.AvailableBuffer(), int64(value^w.move), 10))
	w.WriteByte('\n')
}

// next returns the next pseudo-random number. With these values gzip compresses about as
// well as with real counters.
func (w *bodyWriter) next() uint32 {
	w.seed = w.seed*1664525 + 1013904223
	return w.seed >> 8
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "," + b
}
