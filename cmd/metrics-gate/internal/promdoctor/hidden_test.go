package promdoctor

import (
	"fmt"
	"strings"
	"testing"
)

// The query of a target may hold a token.
func TestExamineHidesQueries(t *testing.T) {
	const secret = "https://build-01:9253/gate/metrics?token=pa55"
	down := strings.Replace(up(secret, `"job":"b"`), `"health":"up"`, `"health":"down","lastError":"Get \"`+secret+
		`\": dial tcp: connection refused"`, 1)
	runner := up("https://build-01:9252/metrics?token=pa55", "")
	elsewhere := up("https://build-01:9999/metrics?token=pa55", "")
	g := Gate{Hosts: []string{"build-01"}, Port: "9253", RunnerPort: "9252", LabelName: "runner_name"}
	for _, list := range []string{down + "," + runner, elsewhere, up(secret, "") + "," + up(secret, "")} {
		data := map[string]string{"targets": `{"activeTargets":[` + list + `]}`, "query": noSeries, "rules": alerts}
		found := Examine(t.Context(), server(t, data), g, "test")
		if text := fmt.Sprint(found); strings.Contains(text, "pa55") || !strings.Contains(text, "metrics?…") {
			t.Error(text)
		}
	}
}
