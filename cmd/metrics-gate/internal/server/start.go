package server

import (
	"runtime"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// logStart says on one line what is on.
func (s *Server) logStart() {
	c := s.config
	admin := "off"
	if s.adminListener != nil {
		admin = s.adminListener.Addr().String()
	}
	runner, _ := c.RunnerName() // New has read it
	s.log.Info("started",
		"version", s.version, "runner", runner, "listen", s.listener.Addr().String(), "tls", !c.TLS.InsecureHTTP,
		"admin", admin, "upstream", cli.HideSecrets(c.Upstream.URL.String()), "label", c.Label.Name,
		"conflict", c.Label.Conflict.String(), "authentication", strings.Join(c.MethodNames(), ","),
		"metrics_allow", c.Allow.Metrics.String(), "pprof_allow", c.Allow.Pprof.String(),
		"processors", runtime.GOMAXPROCS(0))
	for _, f := range c.Lint() {
		if f.Level != cli.LevelOK {
			s.log.Warn("the allow lists may not do what was meant", "err", f.What, "advice", f.Do)
		}
	}
	if c.TLS.InsecureHTTP {
		s.log.Warn("plain HTTP: whoever is on the way can read tokens and metrics", "listen",
			s.listener.Addr().String())
	}
}
