package upstream

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/metrics-gate/metrics-gate/proxy/sockerr"
)

// Reason classes what went wrong with an exchange. Its String is the value of the metric
// label and of the log attribute "reason".
type Reason uint8

// The reasons. Reasons is how many there are.
const (
	ReasonOther     Reason = iota
	ReasonRefused          // nothing listens at the address
	ReasonTimeout          // no complete answer in time
	ReasonReset            // closed or reset before or within the head
	ReasonProtocol         // not HTTP/1.x, or a head that is too large or ambiguous
	ReasonStatus           // a status other than 200, redirects and 101 included
	ReasonEncoding         // a content encoding that was not asked for
	ReasonFormat           // a content type that cannot be labelled
	ReasonSyntax           // the body breaks its format
	ReasonTruncated        // the body breaks off
	ReasonTooLarge         // the body is above its limit
	ReasonTooLong          // a line or message is above its limit
	ReasonEmpty            // a body of no bytes
	ReasonCanceled         // nobody waits for the answer any more
	Reasons
)

// String returns the name of r, such as "too_large".
func (r Reason) String() string { return r.entry().name }

// Advice says what an operator can do about the runner at address (host:port), or is empty. It
// names variables of the gate.
func (r Reason) Advice(address string) string {
	return strings.ReplaceAll(r.entry().advice, addressMark, address)
}

// Status is the HTTP status that the client gets.
func (r Reason) Status() int {
	if r == ReasonTimeout {
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

type reasonEntry struct{ name, advice string }

// addressMark stands in the table for where the runner is configured.
const addressMark = "ADDRESS"

// entry is the one table of reasons.
func (r Reason) entry() reasonEntry {
	const notARunner = "see what listens at " + addressMark + ", and set METRICS_GATE_UPSTREAM_URL"
	return [Reasons]reasonEntry{
		ReasonOther: {"other", ""},
		ReasonRefused: {
			"refused",
			`start the runner with listen_address = "` + addressMark + `" in config.toml, or set ` +
				"METRICS_GATE_UPSTREAM_URL to its address",
		},
		ReasonTimeout: {
			"timeout", "find out why the runner is slow, or raise METRICS_GATE_UPSTREAM_TIMEOUT and scrape_timeout",
		},
		ReasonReset:    {"reset", "see whether the runner restarts"},
		ReasonProtocol: {"protocol", notARunner},
		ReasonStatus:   {"status", notARunner},
		ReasonEncoding: {"encoding", notARunner},
		ReasonFormat:   {"format", notARunner},
		ReasonSyntax: {
			"syntax", "compare the runner's version with those that the gate supports, and report the line",
		},
		ReasonTruncated: {"truncated", "see whether the runner restarts or is out of memory"},
		ReasonTooLarge:  {"too_large", "raise METRICS_GATE_UPSTREAM_MAX_BYTES"},
		ReasonTooLong: {"too_long",
			"raise METRICS_GATE_UPSTREAM_MAX_LINE_BYTES or, for protobuf, METRICS_GATE_UPSTREAM_MAX_MESSAGE_BYTES"},
		ReasonEmpty:    {"empty", notARunner},
		ReasonCanceled: {"canceled", ""},
	}[r]
}

// Error is an error of an exchange whose reason is known.
type Error struct {
	Reason Reason
	Err    error // the cause; never nil
}

// Errorf returns an *Error with the reason r, and a cause as fmt.Errorf makes it.
func Errorf(r Reason, format string, args ...any) error {
	return &Error{Reason: r, Err: fmt.Errorf(format, args...)}
}

// Error implements error.
func (e *Error) Error() string { return "upstream: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ReasonOf classes err, which must not be nil: by the *Error in it, or by what package net
// and its peers return.
func ReasonOf(err error) Reason {
	var known *Error
	var timeout net.Error
	switch {
	case errors.As(err, &known):
		return known.Reason
	case errors.Is(err, io.ErrUnexpectedEOF):
		return ReasonTruncated
	case errors.As(err, &timeout) && timeout.Timeout():
		return ReasonTimeout
	case sockerr.KindOf(err) == sockerr.Refused:
		return ReasonRefused
	case sockerr.KindOf(err) == sockerr.Closed, errors.Is(err, io.EOF):
		return ReasonReset
	}
	return ReasonOther
}
