// Package fastpath answers repeated scrapes on a kept connection without net/http's server
// around each of them.
//
// net/http accepts every connection. When a request on it was authorized, the connection's
// next plain scrape takes it over: from then on its requests are read here and answered by
// the same handler, each from the beginning. A request that is not byte for byte a plain
// scrape gives the connection back to net/http for good, with all that was read. So nothing
// is interpreted here that net/http would understand in another way.
//
// It must not know what a scrape is for, who sends it, or whether it is allowed.
package fastpath
