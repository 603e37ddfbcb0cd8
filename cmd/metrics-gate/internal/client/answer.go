package client

import (
	"bytes"
	"net/http"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// Answer says what has answered a request for metrics.
type Answer int

// Answers.
const (
	AnswerOther  Answer = iota // no metrics-gate
	AnswerGate                 // a gate's public listener
	AnswerAdmin                // a gate's admin listener
	AnswerRunner               // a runner's own listener
)

// WhoAnswers tells by the headers that every answer of a gate has, and by the body. The response may
// be nil.
func WhoAnswers(response *http.Response, body []byte) Answer {
	if response == nil {
		return AnswerOther
	}
	h := response.Header
	gate := h.Get("X-Content-Type-Options") == "nosniff" && h.Get("Cache-Control") == "no-store"
	own := bytes.Contains(body, []byte("metrics_gate_build_info"))
	switch {
	case gate && own && response.TLS == nil && response.Request.Header.Get("Authorization") == "":
		return AnswerAdmin
	case gate:
		return AnswerGate
	case response.StatusCode == http.StatusOK && bytes.Contains(body, []byte("gitlab_runner_")):
		return AnswerRunner
	}
	return AnswerOther
}

// What describes the listener, and says what to ask instead.
func (a Answer) What() (what, do string) {
	switch a {
	case AnswerGate:
		return "a gate answers", ""
	case AnswerAdmin:
		return "a gate's admin listener answers", "give the port of its public listener, " + config.Prefix +
			"LISTEN_ADDRESS"
	case AnswerRunner:
		return "the runner itself answers, without a gate", "give the port of the gate; the runner's must not be " +
			"reachable from other machines"
	}
	return "this is no metrics-gate", "see what listens there, and correct the port"
}
