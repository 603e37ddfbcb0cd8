package docs

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// dashboard is the part of Grafana's schema (version 39) that the tests here read. e2e/deploy
// decodes all of it, strictly.
type dashboard struct {
	UID, Title, Description, Timezone, Refresh string
	Tags                                       []string
	SchemaVersion, Version, GraphTooltip       int
	Editable                                   bool
	Time                                       struct{ From, To string }
	Annotations, Templating                    struct{ List []variable }
	Links                                      []struct{}
	Panels                                     []panel
}

type source struct{ Type, UID string }

type variable struct {
	Name, Label, Type, Regex, AllValue, Definition string
	Datasource                                     *source
	Query, Current                                 any
	Refresh, Sort, Hide                            int
	Multi, IncludeAll, SkipURLSync                 bool
	Options                                        []struct{}
}

type panel struct {
	ID                       int
	Title, Description, Type string
	Datasource               *source
	Collapsed                bool
	Panels                   []panel
	GridPos                  struct{ X, Y, W, H int }
	FieldConfig              struct {
		Defaults struct {
			Unit       string
			Min        *float64
			Color      struct{ Mode string }
			Custom     map[string]any
			Mappings   []any
			Thresholds struct {
				Mode  string
				Steps []struct {
					Color string
					Value *float64
				}
			}
		}
		Overrides []struct{}
	}
	Options map[string]any
	Targets []struct {
		RefID, Expr, LegendFormat string
		Datasource                source
		Instant, Range            bool
	}
}

func loadDashboard(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	decoder := json.NewDecoder(strings.NewReader(read(t, monitoringFile("dashboard.json"))))
	if err := decoder.Decode(&d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDashboardMatchesTheSchema(t *testing.T) {
	d := loadDashboard(t)
	if d.UID == "" || d.Title == "" || d.SchemaVersion < 36 || len(d.Panels) < 10 {
		t.Fatalf("%+v", d)
	}
	ids := map[int]bool{}
	for i, p := range d.Panels {
		if !slices.Contains([]string{"row", "stat", "timeseries", "table"}, p.Type) || p.Title == "" || ids[p.ID] ||
			p.ID == 0 {
			t.Errorf("panel %d: %+v", i, p)
		}
		ids[p.ID] = true
		g := p.GridPos
		if g.X < 0 || g.Y < 0 || g.W < 1 || g.H < 1 || g.X+g.W > 24 {
			t.Errorf("%s: %+v is not within the grid", p.Title, g)
		}
		for _, other := range d.Panels[:i] {
			o := other.GridPos
			if g.X < o.X+o.W && o.X < g.X+g.W && g.Y < o.Y+o.H && o.Y < g.Y+g.H {
				t.Errorf("%s lies over %s", p.Title, other.Title)
			}
		}
		if (p.Type == "row") != (len(p.Targets) == 0) {
			t.Errorf("%s: %d targets", p.Title, len(p.Targets))
		}
	}
	names := map[string]bool{}
	for _, v := range d.Templating.List {
		names[v.Name] = true
	}
	for _, used := range regexp.MustCompile(`\$\{?(\w+)\}?`).FindAllStringSubmatch(read(t,
		monitoringFile("dashboard.json")), -1) {
		if !names[used[1]] && !strings.HasPrefix(used[1], "__") {
			t.Errorf("variable %s is not declared", used[0])
		}
	}
}

// Every expression parses and names metrics that the gate or a runner exposes.
func TestDashboardQueriesExistingMetrics(t *testing.T) {
	there := exposed(t)
	variables := strings.NewReplacer("$__rate_interval", "1m", "$job", ".*", "$instance", ".*", "$runner_name", ".*")
	for _, p := range loadDashboard(t).Panels {
		for _, target := range p.Targets {
			expr, err := parser.NewParser(parser.Options{}).ParseExpr(variables.Replace(target.Expr))
			if err != nil {
				t.Errorf("%s: %v", p.Title, err)
				continue
			}
			parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
				if selector, ok := node.(*parser.VectorSelector); ok && !there[selector.Name] && selector.Name != "up" {
					t.Errorf("%s: %s does not exist", p.Title, selector.Name)
				}
				return nil
			})
		}
	}
}

// exposed returns the metric names of a runner and of a gate with every feature on.
func exposed(t *testing.T) map[string]bool {
	t.Helper()
	runner := harness.StartRunner(t, harness.Replay(t))
	p := newSetup(t, runner.Address, "OIDC_ISSUER_URL=https://127.0.0.1:9", "OIDC_AUDIENCE=gate")
	gate := harness.StartGate(t, p.environ...)
	response, err := http.Get("http://" + gate.Admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	own, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for line := range strings.Lines(string(own) + string(harness.Fixture(t, "runner-19.3.txt"))) {
		names[regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*`).FindString(line)] = true
	}
	return names
}
