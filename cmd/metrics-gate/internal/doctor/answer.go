package doctor

import (
	"bytes"
	"net/http"
)

// answer says who has answered a visit.
type answer int

const (
	answerOther  answer = iota // no metrics-gate
	answerGate                 // a gate's public listener
	answerAdmin                // a gate's admin listener
	answerRunner               // a runner's own listener
)

// answer tells by the headers that every answer of a gate has, and by the body.
func (v *visit) answer() answer {
	if v.response == nil {
		return answerOther
	}
	h := v.response.Header
	gate := h.Get("X-Content-Type-Options") == "nosniff" && h.Get("Cache-Control") == "no-store"
	own := bytes.Contains(v.body, []byte("metrics_gate_build_info"))
	switch {
	case gate && own && v.response.TLS == nil && v.response.Request.Header.Get("Authorization") == "":
		return answerAdmin
	case gate:
		return answerGate
	case v.response.StatusCode == http.StatusOK && bytes.Contains(v.body, []byte("gitlab_runner_")):
		return answerRunner
	}
	return answerOther
}

// what is the listener that answered, for a finding, and what to ask instead.
func (a answer) what() (what, do string) {
	switch a {
	case answerAdmin:
		return "a gate's admin listener answers", "give the port of its public listener, METRICS_GATE_LISTEN_ADDRESS"
	case answerRunner:
		return "the runner itself answers, without a gate", "give the port of the gate; the runner's must not be " +
			"reachable from other machines"
	}
	return "this is no metrics-gate", "see what listens there, and correct the port"
}
