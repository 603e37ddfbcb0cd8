package scrape

import (
	"bytes"
	"cmp"
	"sync/atomic"
	"time"
)

const (
	versionMetric = "gitlab_runner_version_info"
	versionEvery  = time.Minute // between two looks, which cost microseconds
	versionLine   = 1 << 10     // the longest line or message that is looked at, in bytes
)

// versionClock says when to look for the runner's version.
type versionClock struct{ next atomic.Int64 } // Unix time in nanoseconds

// due reports whether to look now, to one caller in versionEvery.
func (c *versionClock) due(now time.Time) bool {
	next := c.next.Load()
	return now.UnixNano() >= next && c.next.CompareAndSwap(next, now.Add(versionEvery).UnixNano())
}

// versionFinder looks for the runner's version in the pieces of a labelled body.
type versionFinder struct {
	tail []byte // the end of the last piece, which may hold the beginning of the sample
}

// look looks at the next piece, and returns the version; empty: not found yet.
func (v *versionFinder) look(piece []byte) string {
	seam := append(v.tail, piece[:min(len(piece), versionLine)]...)
	v.tail = append([]byte(nil), piece[max(0, len(piece)-versionLine):]...)
	return cmp.Or(versionIn(seam), versionIn(piece))
}

// versionIn returns the label "version" of the runner's version metric; empty if p has none.
func versionIn(p []byte) string {
	for {
		i := bytes.Index(p, []byte(versionMetric))
		if i < 0 {
			return ""
		}
		p = p[i+len(versionMetric):]
		sample := p[:min(len(p), versionLine)]
		if len(sample) > 0 && sample[0] == '{' { // text: a sample, not its HELP or TYPE
			line, _, whole := bytes.Cut(sample, []byte("\n"))
			if version := textVersion(line); whole && version != "" {
				return version
			}
		} else if version := protobufVersion(sample); version != "" {
			return version
		}
	}
}

// textVersion finds the label in what follows the name of a sample.
func textVersion(labels []byte) string {
	for _, before := range []string{"{", ","} {
		if _, after, ok := bytes.Cut(labels, []byte(before+`version="`)); ok {
			version, _, _ := bytes.Cut(after, []byte(`"`))
			return string(version)
		}
	}
	return ""
}

// protobufVersion finds the label in what follows the name in a MetricFamily: a LabelPair is
// its name (field 1) and value (field 2), each with its length in a byte.
func protobufVersion(message []byte) string {
	_, after, ok := bytes.Cut(message, []byte("\x0a\x07version\x12"))
	if !ok || len(after) == 0 || after[0] >= 0x80 || len(after) <= int(after[0]) {
		return ""
	}
	return string(after[1 : 1+after[0]])
}
