package deploy

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	helmvalues "helm.sh/helm/v3/pkg/cli/values"
	"helm.sh/helm/v3/pkg/engine"
)

// charts are the charts that values are rendered with: the shape in testdata, and the real
// chart when the environment's CHART is its folder.
func charts() map[string]string {
	found := map[string]string{"shape": "testdata/chart"}
	if path := os.Getenv("CHART"); path != "" {
		found["real"] = path
	}
	return found
}

// install is a `helm template` of the runner's chart.
type install struct {
	release, namespace string
	files              []string // values, later ones win
	set                []string // KEY=VALUE
	setFiles           []string // KEY=PATH
}

// yourValues are what a user brings along.
var yourValues = []string{"gitlabUrl=https://gitlab.example.com", "runnerToken=glrt-x", "rbac.create=true"}

// render renders a chart's folder and returns the manifests as one text.
func (i install) render(t *testing.T, folder string) (string, error) {
	t.Helper()
	chart, err := loader.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	options := helmvalues.Options{
		ValueFiles: i.files,
		Values:     append(slices.Clone(yourValues), i.set...),
		FileValues: i.setFiles,
	}
	merged, err := options.MergeValues(nil)
	if err != nil {
		t.Fatal(err)
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.APIVersions = append(capabilities.APIVersions, "monitoring.coreos.com/v1")
	values, err := chartutil.ToRenderValues(chart, merged,
		chartutil.ReleaseOptions{Name: i.release, Namespace: i.namespace, Revision: 1, IsInstall: true}, capabilities)
	if err != nil {
		t.Fatal(err)
	}
	files, err := engine.Render(chart, values)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if filepath.Ext(name) == ".yaml" {
			text.WriteString("---\n" + files[name] + "\n")
		}
	}
	return text.String(), nil
}

// objects renders and decodes; what has no namespace goes to the release's.
func (i install) objects(t *testing.T, folder string) []any {
	t.Helper()
	text, err := i.render(t, folder)
	if err != nil {
		t.Fatalf("%+v: %v", i, err)
	}
	list := manifests(t, i.release, text)
	for _, o := range list {
		if m := meta(o); m.Namespace == "" && namespaced(o) {
			m.Namespace = i.namespace
		}
	}
	return list
}

// valuesFor are the values of deploy/k8s/helm for a release, by the way Prometheus
// authenticates, made as the file's head says.
func valuesFor(t *testing.T, release, way string) install {
	t.Helper()
	dir := t.TempDir()
	i := install{release: release, namespace: "gitlab-runner"}
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	name := map[string]string{"mtls": "", "bearer": "-bearer", "oauth2": "-oauth2"}[way]
	text := read(t, source("deploy/k8s/helm/values"+name+".yaml"))
	i.files = []string{
		file("gate.yaml", strings.ReplaceAll(text, "prod-metrics-gate", release+"-metrics-gate")),
	}
	switch way {
	case "mtls":
		i.setFiles = []string{"metricsGate.clientCA=" + file("client-ca.crt", "PEM\n")}
	case "bearer":
		i.setFiles = []string{"metricsGate.tokens=" + file("tokens", "prometheus sha256:\n")}
	}
	return i
}
