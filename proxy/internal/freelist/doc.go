// Package freelist keeps large values for reuse, in a number that is bounded, and drops them
// after a time without use. A sync.Pool would grow with a burst, and lose everything to the
// garbage collector between two scrapes.
//
// It must not know what the values are.
package freelist
