package check

import (
	"net/http"
	"strings"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// identityOf makes the identity that has all the names; off says why nobody can have
// one of them, and do what to change.
func identityOf(c *config.Config, names []string) (id auth.Identity, off, do string) {
	tokens := config.TokenNames(c.Allow.TokensFile)
	for _, name := range names {
		if why, change := c.NeverMatches(name, tokens); why != "" {
			return id, why + ": nobody is " + name, change
		}
		kind, value, _ := strings.Cut(name, ":")
		switch kind {
		case "group":
			id.Groups = append(id.Groups, value)
		default:
			id.Names = append(id.Names, name)
		}
		if _, on := c.MethodsOf(kind); len(on) > 0 {
			id.Method = on[0].Name
		}
		switch kind {
		case auth.KindToken:
			id.User = name
		case auth.KindUser, auth.KindCN:
			id.User = value
		}
	}
	id.Subject = names[0]
	return id, "", ""
}

// statusRecorder keeps the status of an answer and drops the rest.
type statusRecorder struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (w *statusRecorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *statusRecorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *statusRecorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return len(p), nil
}
