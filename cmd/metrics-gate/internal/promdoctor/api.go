package promdoctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
)

// maxAnswer bounds an answer of the HTTP API, in bytes.
const maxAnswer = 64 << 20

// target is an element of activeTargets in /api/v1/targets.
type target struct {
	DiscoveredLabels   map[string]string `json:"discoveredLabels"`
	Labels             map[string]string `json:"labels"`
	ScrapePool         string            `json:"scrapePool"`
	ScrapeURL          string            `json:"scrapeUrl"`
	LastError          string            `json:"lastError"`
	LastScrape         time.Time         `json:"lastScrape"`
	LastScrapeDuration float64           `json:"lastScrapeDuration"` // seconds
	Health             string            `json:"health"`             // up, down or unknown
	ScrapeInterval     string            `json:"scrapeInterval"`
	ScrapeTimeout      string            `json:"scrapeTimeout"`
}

// targets is the data of /api/v1/targets.
type targets struct {
	Active  []target `json:"activeTargets"`
	Dropped []target `json:"droppedTargets"` // with DiscoveredLabels alone
}

// hideQueries leaves out what may be secret in the URLs of the targets.
func (l *targets) hideQueries() {
	for i := range l.Active {
		t := &l.Active[i]
		shown := cli.HideURL(t.ScrapeURL)
		t.LastError = strings.ReplaceAll(t.LastError, t.ScrapeURL, shown)
		t.ScrapeURL = shown
	}
}

// rules is the data of /api/v1/rules.
type rules struct {
	Groups []struct {
		Rules []rule `json:"rules"`
	} `json:"groups"`
}

// rule is an alerting rule.
type rule struct {
	Name      string `json:"name"`
	Health    string `json:"health"` // ok, err or unknown
	LastError string `json:"lastError"`
}

// vector is the data of /api/v1/query for an instant vector.
type vector struct {
	Result []struct {
		Metric map[string]string `json:"metric"`
		Value  [2]any            `json:"value"` // time, and the value as a string
	} `json:"result"`
}

// statusError is an answer that is no success of the HTTP API.
type statusError struct{ Code int }

// Error gives the status.
func (e *statusError) Error() string { return fmt.Sprintf("%d %s", e.Code, http.StatusText(e.Code)) }

// errNotAPI means that the answer is not of Prometheus' HTTP API.
var errNotAPI = errors.New("not an answer of Prometheus' HTTP API")

// api is Prometheus' HTTP API.
type api struct {
	client    *http.Client
	base      string // without a slash at its end
	userAgent string
}

// get decodes the data of /api/v1/path. Its errors are *statusError, errNotAPI and those of net/http.
func (a *api) get(ctx context.Context, path string, query url.Values, data any) error {
	u := a.base + "/api/v1/" + path
	if len(query) > 0 {
		u += "?" + query.Encode()
	}
	response, body, err := client.Fetch(ctx, a.client, client.Request{URL: u, UserAgent: a.userAgent, Limit: maxAnswer})
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return &statusError{response.StatusCode}
	}
	var answer struct {
		Status string          `json:"status"`
		Data   json.RawMessage `json:"data"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Status != "success" || json.Unmarshal(answer.Data, data) != nil {
		return errNotAPI
	}
	return nil
}

// query runs an instant query.
func (a *api) query(ctx context.Context, expression string) (*vector, error) {
	var v vector
	return &v, a.get(ctx, "query", url.Values{"query": {expression}}, &v)
}

// selector selects the series that have all of labels and satisfy more, a list of matchers.
func selector(labels map[string]string, more string) string {
	var b strings.Builder
	b.WriteString("{" + more)
	for name, value := range labels {
		fmt.Fprintf(&b, ",%s=%q", name, value)
	}
	b.WriteString("}")
	return b.String()
}
