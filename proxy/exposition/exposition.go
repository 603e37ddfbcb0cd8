// Package exposition adds constant labels to every sample of a metrics
// exposition, as a stream, in every format that Prometheus negotiates: text
// 0.0.4 and 1.0.0, OpenMetrics 0.0.1 and 1.0.0, and delimited protobuf.
//
// Nothing else of a body changes: what is not a label of its own is copied
// byte for byte. What a Prometheus parser would refuse is refused here, and
// what is dubious is refused too; a body is never repaired and never cut short
// with success.
package exposition

import (
	"errors"
	"fmt"
)

// Conflict says what happens to a sample that already bears a label.
type Conflict int

// The conflict policies. A label with an empty value is no label: Exported and
// Override give it the new value, Keep leaves even that.
const (
	Exported Conflict = iota // rename the old one exported_NAME, as Prometheus resolves target labels
	Keep                     // leave the sample as it is
	Override                 // replace the old value
)

// ParseConflict returns the policy named "exported", "keep" or "override".
func ParseConflict(name string) (Conflict, error) {
	for _, c := range [...]Conflict{Exported, Keep, Override} {
		if name == c.String() {
			return c, nil
		}
	}
	return 0, fmt.Errorf("conflict policy %q: want exported, keep or override", name)
}

// String returns the name that ParseConflict takes.
func (c Conflict) String() string {
	switch c {
	case Exported:
		return "exported"
	case Keep:
		return "keep"
	case Override:
		return "override"
	}
	return fmt.Sprintf("Conflict(%d)", int(c))
}

// Label is one constant label and what to do where a sample already has it.
type Label struct {
	Name     string // [a-zA-Z_][a-zA-Z0-9_]*
	Value    string // any UTF-8
	Conflict Conflict
}

// Limits bound what a Reader takes in. Zero values mean the defaults.
type Limits struct {
	LineBytes int64 // longest line, or protobuf message, in bytes; 1 MiB
	Bytes     int64 // longest body, in bytes of input; 64 MiB
}

// Stats counts what has passed a Reader since its last Reset.
type Stats struct {
	Samples   int64 // samples of text, Metric messages of protobuf
	Conflicts int64 // labels that a sample already bore, with a value
}

// Errors of a Reader, beside those of its source and *SyntaxError.
var (
	ErrEmpty     = errors.New("exposition of no bytes")
	ErrTruncated = errors.New("exposition breaks off")
	ErrTooLong   = errors.New("line or message too long")
	ErrTooLarge  = errors.New("exposition too large")
)

// SyntaxError is a place where a body breaks its format. It shows nothing of
// the body.
type SyntaxError struct {
	Line int64  // line of text, or message of protobuf, from 1
	What string // what is wrong
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("exposition line %d: %s", e.Line, e.What)
}
