package exposition

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxLabelBytes bounds the escaped text of all labels of a set together, in bytes.
const maxLabelBytes = 1 << 16

// prefix is put before the name of a conflicting label until the name is free.
const prefix = "exported_"

var (
	errLabelName = errors.New("want letters, digits and _, no digit first")
	errReserved  = errors.New("reserved")
)

// Labels is a compiled set of constant labels. It is immutable and may be
// shared by any number of Readers.
type Labels struct {
	list   []compiled // in the order given
	rank   []int      // indices of list by length of name, then name: the order in which conflicts are resolved
	sorted []int      // indices of list by name
	more   []byte     // `,a="x",b="y"`: after other labels
	bare   []byte     // `{a="x",b="y"}`: after a bare name
}

// compiled is a label in the forms that the formats need.
type compiled struct {
	Label
	exported string // Name with one prefix
	escaped  string // Value as text has it between quotes
	text     string // name="escaped"
	pair     []byte // the field Metric.label with its tag and length
}

// Compile checks and prepares labels. A name must have the form [a-zA-Z_][a-zA-Z0-9_]*, be given
// once, and not be __name__, le or quantile, which tell series apart. A value must be UTF-8
// without NUL. All labels together have at most 64 KiB as text. The error of a bad name wraps
// what is wrong, without the name.
func Compile(labels ...Label) (*Labels, error) {
	l := &Labels{}
	for i, label := range labels {
		if err := label.validate(); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(labels[:i], func(o Label) bool { return o.Name == label.Name }) {
			return nil, fmt.Errorf("label %q: given twice", label.Name)
		}
		c := compile(label)
		l.list = append(l.list, c)
		l.rank = append(l.rank, i)
		l.more = append(append(l.more, ','), c.text...)
	}
	if len(l.more) > maxLabelBytes {
		return nil, fmt.Errorf("labels: %d bytes together, more than %d", len(l.more), maxLabelBytes)
	}
	if len(l.more) > 0 {
		l.bare = slices.Concat([]byte{'{'}, l.more[1:], []byte{'}'})
	}
	l.sorted = slices.Clone(l.rank)
	slices.SortFunc(l.sorted, func(a, b int) int { return cmp.Compare(l.list[a].Name, l.list[b].Name) })
	slices.SortFunc(l.rank, func(a, b int) int {
		x, y := labels[a].Name, labels[b].Name
		return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
	})
	return l, nil
}

// has reports whether a label is called name.
func (l *Labels) has(name string) bool {
	for i := range l.list {
		if l.list[i].Name == name {
			return true
		}
	}
	return false
}

func (l Label) validate() error {
	switch {
	case !isLabelName(l.Name):
		return fmt.Errorf("label name %q: %w", l.Name, errLabelName)
	case l.Name == "__name__" || l.Name == "le" || l.Name == "quantile":
		return fmt.Errorf("label name %q: %w", l.Name, errReserved)
	case !utf8.ValidString(l.Value):
		return fmt.Errorf("label %s: value %q is not UTF-8", l.Name, l.Value)
	case strings.IndexByte(l.Value, 0) >= 0:
		return fmt.Errorf("label %s: value %q contains NUL", l.Name, l.Value)
	case l.Conflict < Exported || l.Conflict > Override:
		return fmt.Errorf("label %s: unknown conflict policy %d", l.Name, l.Conflict)
	}
	return nil
}

func compile(l Label) compiled {
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(l.Value)
	var pair []byte
	pair = appendField(pair, tagPairName, l.Name, nil)
	pair = appendField(pair, tagPairValue, l.Value, nil)
	return compiled{
		Label:    l,
		exported: prefix + l.Name,
		escaped:  escaped,
		text:     l.Name + `="` + escaped + `"`,
		pair:     appendField(nil, tagMetricLabel, "", pair),
	}
}

// appendField appends a length-delimited protobuf field of two parts.
func appendField(b []byte, tag byte, head string, tail []byte) []byte {
	b = binary.AppendUvarint(append(b, tag), uint64(len(head)+len(tail)))
	return append(append(b, head...), tail...)
}

func isLabelName(s string) bool {
	for i := range len(s) {
		if class[s[i]]&labelByte == 0 || i == 0 && class[s[i]]&digitByte != 0 {
			return false
		}
	}
	return s != ""
}
