package check

import (
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/configtest"
)

// Programs read check --json: its fields keep their names.
func TestFieldsOfCheckJSON(t *testing.T) {
	for name, test := range map[string]struct {
		environ, args []string
		code          int
		want          string
	}{
		"good": {[]string{"METRICS_ALLOW=dns:prometheus.demo,user:nobody"}, []string{"--as", "dns:prometheus.demo"}, 0,
			`authentication[]
authorization[].allow[]
authorization[].routes
authorization[].variable
configuration[].default
configuration[].value
configuration[].variable
decision.as[]
decision.path
decision.rule
decision.status
decision.variable
decision.why
expiry[].days
expiry[].not_after
expiry[].role
expiry[].subject
ok
settings
warnings[].advice
warnings[].level
warnings[].what
`},
		"bad": {[]string{"RATE_LIMIT=x", "METRICS_ALOW=y"}, nil, 1, `errors[].advice
errors[].thing
errors[].value
errors[].wrong
ok
settings
`},
	} {
		t.Run(name, func(t *testing.T) {
			var environ []string
			for _, entry := range test.environ {
				environ = append(environ, config.Prefix+entry)
			}
			code, stdout, stderr := checked(t, environ, append(test.args, "--json")...)
			if code != test.code || stderr != "" {
				t.Errorf("status %d: %s", code, stderr)
			}
			if got := configtest.Fields(t, []byte(stdout)); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
		})
	}
}
