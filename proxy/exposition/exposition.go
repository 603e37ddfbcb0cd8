package exposition

import (
	"errors"
	"fmt"
)

// Conflict says what happens to a sample that already has a label.
type Conflict int

// The conflict policies. To Prometheus a label with an empty value is no label. So Exported and
// Override give it the new value. Keep leaves it empty.
const (
	Exported Conflict = iota // rename the old label exported_NAME, as Prometheus does for target labels
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

// String returns the name that ParseConflict accepts.
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

// Label is a constant label, and what happens to a sample that already has it.
type Label struct {
	Name     string // [a-zA-Z_][a-zA-Z0-9_]*
	Value    string // any UTF-8 without NUL
	Conflict Conflict
}

// Limits bound what a Reader accepts, in bytes of input. Zero values mean the defaults.
type Limits struct {
	LineBytes    int64 // longest line of text; 1 MiB
	MessageBytes int64 // longest protobuf message, which is a metric family; 16 MiB
	Bytes        int64 // longest body; 64 MiB
}

const (
	defaultLineBytes    = 1 << 20
	defaultMessageBytes = 16 << 20
	defaultBytes        = 64 << 20

	maxUnitBytes = 1 << 30 // of a line or message, because offsets in it have 32 bits
)

// setDefaults replaces what is not set, and lowers limits to what offsets can express.
func (l *Limits) setDefaults() {
	l.LineBytes = min(orDefault(l.LineBytes, defaultLineBytes), maxUnitBytes)
	l.MessageBytes = min(orDefault(l.MessageBytes, defaultMessageBytes), maxUnitBytes)
	l.Bytes = orDefault(l.Bytes, defaultBytes)
}

func orDefault(limit, standard int64) int64 {
	if limit <= 0 {
		return standard
	}
	return limit
}

// Stats counts what a Reader has labelled since its last Reset.
type Stats struct {
	Samples   int64 // samples of text, Metric messages of protobuf
	Conflicts int64 // labels with a value that a sample already had
}

// Errors of a Reader. It also returns *SyntaxError and the errors of its source.
var (
	ErrEmpty     = errors.New("exposition of no bytes")
	ErrTruncated = errors.New("exposition breaks off")
	ErrTooLong   = errors.New("line or message too long")
	ErrTooLarge  = errors.New("exposition too large")
)

// SyntaxError is a line of a body that breaks its format. It shows nothing of the body, which may
// hold secrets.
type SyntaxError struct {
	Line int64  // line of text, or message of protobuf, from 1
	What string // what is wrong
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("exposition line %d: %s", e.Line, e.What)
}
