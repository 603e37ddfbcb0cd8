// Package docs tests what operators use, with their own programs: rules fire in a real
// Prometheus, printed configurations pass the real validators, a real browser opens the
// status page, and every command block of the documents runs.
package docs
