package upstream

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
)

// reason classes what went wrong with an upstream exchange.
type Reason uint8

const (
	ReasonOther     Reason = iota
	ReasonRefused          // nothing listens there
	ReasonTimeout          // no complete answer in time
	ReasonReset            // closed or reset before or within the head
	ReasonProtocol         // no answer in HTTP/1.x, its head too large or ambiguous
	ReasonStatus           // another status than 200, redirects and 1xx included
	ReasonEncoding         // a content encoding that was not asked for
	ReasonFormat           // a content type that cannot be labelled
	ReasonSyntax           // the body breaks its format
	ReasonTruncated        // the body breaks off
	ReasonTooLarge         // the body passes its limit
	ReasonTooLong          // a line or message passes its limit
	ReasonEmpty            // a body of no bytes
	ReasonCanceled         // all who waited for it left
	Reasons                // how many there are
)

func (r Reason) String() string {
	return [Reasons]string{"other", "refused", "timeout", "reset", "protocol", "status", "encoding", "format",
		"syntax", "truncated", "too_large", "too_long", "empty", "canceled"}[r]
}

// status is what the client gets.
func (r Reason) Status() int {
	if r == ReasonTimeout {
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

// fault is an error of an upstream exchange whose reason is known.
type Error struct {
	Reason Reason
	Err    error
}

func Errorf(r Reason, format string, args ...any) error {
	return &Error{Reason: r, Err: fmt.Errorf(format, args...)}
}

func (f *Error) Error() string { return "upstream: " + f.Err.Error() }
func (f *Error) Unwrap() error { return f.Err }

// reasonOf classes err.
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
	case errors.Is(err, syscall.ECONNREFUSED):
		return ReasonRefused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF):
		return ReasonReset
	}
	return ReasonOther
}
