package profile

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// profileDefault is how many seconds a profile or trace takes by default.
const profileDefault = 30

// errQuery is the error of every malformed query. The client learns no detail.
var errQuery = errors.New("malformed query")

// profileQuery is the part of a query that reaches the runner's pprof.
type profileQuery struct {
	seconds int64 // 0: none
	debug   string
	gc      string
}

// parseProfileQuery reads seconds (a positive decimal number, rounded up), debug (0, 1, 2)
// and gc (0, 1) as they stand, undecoded. Other keys are dropped; one of
// these given twice, or with another value, is an error.
func parseProfileQuery(raw string) (q profileQuery, err error) {
	seen := make(map[string]bool, 3)
	for part := range strings.SplitSeq(raw, "&") {
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "seconds":
			q.seconds, err = parseSeconds(value)
		case "debug":
			q.debug = value
			err = oneOf(value, "0", "1", "2")
		case "gc":
			q.gc = value
			err = oneOf(value, "0", "1")
		default:
			continue
		}
		if err != nil || seen[key] {
			return profileQuery{}, errQuery
		}
		seen[key] = true
	}
	return q, nil
}

// parseSeconds reads digits with an optional fraction and rounds up.
func parseSeconds(s string) (int64, error) {
	if strings.Trim(s, "0123456789.") != "" {
		return 0, errQuery // neither sign, exponent, infinity nor hexadecimal
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f <= 0 {
		return 0, errQuery
	}
	return int64(math.Ceil(min(f, math.MaxInt32))), nil
}

func oneOf(value string, allowed ...string) error {
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	return errQuery
}

// limit makes seconds explicit where the runner would choose them, and lowers
// them to most. Difference profiles cannot have a debug form.
func (q *profileQuery) limit(name string, most int64) error {
	switch name {
	case "profile", "trace":
		if q.seconds == 0 {
			q.seconds = profileDefault
		}
		q.debug, q.gc = "", "" // mean nothing here
	case "", "cmdline":
		*q = profileQuery{}
	default:
		if q.seconds > 0 && q.debug != "" && q.debug != "0" {
			return errQuery
		}
	}
	q.seconds = min(q.seconds, most)
	return nil
}

// String is the rebuilt query.
func (q profileQuery) String() string {
	var parts []string
	if q.seconds > 0 {
		parts = append(parts, "seconds="+strconv.FormatInt(q.seconds, 10))
	}
	if q.debug != "" {
		parts = append(parts, "debug="+q.debug)
	}
	if q.gc != "" {
		parts = append(parts, "gc="+q.gc)
	}
	return strings.Join(parts, "&")
}

// parseAddresses reads hexadecimal program counters joined by "+", such as
// "0x4010f0+0x401100", with 0x or without, and rebuilds them with it. An empty list asks
// whether there are symbols at all.
func parseAddresses(raw string) (string, error) {
	if raw == "" {
		return "", nil
	}
	rebuilt := make([]byte, 0, len(raw))
	for part := range strings.SplitSeq(raw, "+") {
		digits := strings.TrimPrefix(strings.ToLower(part), "0x")
		address, err := strconv.ParseUint(digits, 16, 64)
		if err != nil {
			return "", errQuery
		}
		if len(rebuilt) > 0 {
			rebuilt = append(rebuilt, '+')
		}
		rebuilt = strconv.AppendUint(append(rebuilt, "0x"...), address, 16)
	}
	return string(rebuilt), nil
}
