// Package scrape answers scrapes with the runner's metrics: requests of the same format at
// the same time share one exchange, its body is labelled on the way, and each waiter gets
// it in the encoding that it accepts. A small answer is complete before its status is sent;
// a large one streams through a window of constant size.
//
// It must not know who asks, only how to tell identities apart, and nothing of the formats
// that package exposition reads.
package scrape
