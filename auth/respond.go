package auth

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// writeRefusal answers a request with status and its text, and nothing that would tell an
// attacker more.
func writeRefusal(w http.ResponseWriter, status int, retryAfter time.Duration) {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		header.Set("Retry-After", retrySeconds(retryAfter))
	}
	body := http.StatusText(status) + "\n"
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // a peer that has gone needs no answer
}

// retrySeconds returns d in seconds, rounded up, at least one.
func retrySeconds(d time.Duration) string {
	seconds := int64(d / time.Second)
	if d%time.Second > 0 {
		seconds++
	}
	return strconv.FormatInt(max(seconds, 1), 10)
}

const (
	clipBytes = 512 // of one log value
	clipNames = 8   // of one list in a log value
)

// clip returns s, or its beginning when it is too long for a log line.
func clip(s string) string {
	if len(s) <= clipBytes {
		return s
	}
	end := clipBytes
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

func clipList(list []string) string {
	if len(list) <= clipNames {
		return strings.Join(list, ", ")
	}
	return strings.Join(list[:clipNames], ", ") + ", …"
}

// Patterns returns the patterns that would match i, the narrower first, as an allow list takes them.
func (i Identity) Patterns() []string {
	var patterns []string
	for _, name := range i.Names {
		patterns = append(patterns, patternOf(name))
	}
	for _, group := range i.policyGroups() {
		patterns = append(patterns, patternOf(KindGroup+":"+group))
	}
	return patterns
}

// matchingPatterns is Patterns on one line of a log.
func matchingPatterns(id Identity) string {
	patterns := id.Patterns()
	if len(patterns) == 0 {
		return "* (it has no name that another pattern could match)"
	}
	return clipList(patterns)
}

// patternOf returns name as an allow list takes it, or says that it cannot.
func patternOf(name string) string {
	if checkPattern(element{text: name, quoted: true}) != nil {
		return strconv.Quote(name) + " (which no pattern can write)"
	}
	return quoteRule(name)
}
