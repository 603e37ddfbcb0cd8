// Package profile serves the runner's pprof: the path from a fixed list, the query rebuilt
// and limited, one CPU profile or trace at a time, the answer streamed.
//
// It must not know who asks, only how to name them in the log.
package profile
