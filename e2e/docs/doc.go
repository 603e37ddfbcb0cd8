// Package joy tests what operators touch, with the programs that operators have: rules
// fire in a real Prometheus, printed configurations pass the real validators, the
// status page is opened in a real browser, and every command block of the documents runs.
package docs
