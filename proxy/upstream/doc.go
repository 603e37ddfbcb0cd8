// Package upstream is the client of the runner: HTTP/1.1 over a few kept connections, one
// exchange at a time on each, from a request that is made from nothing to the body of a
// plain 200. Each error has a Reason, which says what the client gets, what the metric
// counts, and what an operator can do.
//
// It must not know who asks, what is in a body, or how an answer goes on to a client.
package upstream
