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
		switch kind {
		case "token":
			id.Method, id.User = auth.MethodToken, name
		case "user", "group":
			id.Method = auth.MethodKubernetes
			if c.HasOIDC() {
				id.Method = auth.MethodOIDC
			}
			if kind == "user" {
				id.User = value
			}
		default:
			id.Method = auth.MethodCertificate
			if kind == "cn" {
				id.User = value
			}
		}
	}
	id.Subject = names[0]
	return id, "", ""
}

// verdictWriter keeps the status of an answer and drops the rest.
type verdictWriter struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (w *verdictWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *verdictWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *verdictWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return len(p), nil
}
