package proxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
)

// reason classes what went wrong with an upstream exchange.
type reason uint8

const (
	reasonOther     reason = iota
	reasonRefused          // nothing listens there
	reasonTimeout          // no complete answer in time
	reasonReset            // closed or reset before or within the head
	reasonProtocol         // no answer in HTTP/1.x, its head too large or ambiguous
	reasonStatus           // another status than 200, redirects and 1xx included
	reasonEncoding         // a content encoding that was not asked for
	reasonFormat           // a content type that cannot be labelled
	reasonSyntax           // the body breaks its format
	reasonTruncated        // the body breaks off
	reasonTooLarge         // the body passes its limit
	reasonTooLong          // a line or message passes its limit
	reasonEmpty            // a body of no bytes
	reasonCanceled         // all who waited for it left
	reasons                // how many there are
)

func (r reason) String() string {
	return [reasons]string{"other", "refused", "timeout", "reset", "protocol", "status", "encoding", "format",
		"syntax", "truncated", "too_large", "too_long", "empty", "canceled"}[r]
}

// status is what the client gets.
func (r reason) status() int {
	if r == reasonTimeout {
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

// fault is an error of an upstream exchange whose reason is known.
type fault struct {
	reason reason
	err    error
}

func faultf(r reason, format string, args ...any) error {
	return &fault{reason: r, err: fmt.Errorf(format, args...)}
}

func (f *fault) Error() string { return "upstream: " + f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// reasonOf classes err.
func reasonOf(err error) reason {
	var known *fault
	var timeout net.Error
	switch {
	case errors.As(err, &known):
		return known.reason
	case errors.Is(err, io.ErrUnexpectedEOF):
		return reasonTruncated
	case errors.As(err, &timeout) && timeout.Timeout():
		return reasonTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return reasonRefused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF):
		return reasonReset
	}
	return reasonOther
}
