package manifest

import (
	_ "embed"
	"strconv"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// Rules are the recording and alerting rules for gates configured like this one.
// deploy/monitoring/rules.yaml is what the defaults print. LABEL stands for the
// injected label, STALE for the seconds after which an issuer's keys are worrying.
func Rules(c *config.Config) string {
	return strings.NewReplacer("LABEL", c.Label.Name, "STALE", strconv.Itoa(int(staleKeys(c).Seconds()))).Replace(rules)
}

func alerts(c *config.Config, _ options) (string, error) { return Rules(c), nil }

// staleKeys is well before the age at which keys stop counting.
func staleKeys(c *config.Config) time.Duration {
	stale := 3 * time.Hour
	for i := range c.OIDC {
		stale = min(stale, c.OIDC[i].MaxAge/2)
	}
	return stale
}

// rules is the template of Rules.
//
//go:embed rules.yaml
var rules string
