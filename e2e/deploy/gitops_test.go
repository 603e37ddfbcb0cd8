package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/chartutil"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/yaml"
)

// application is what the manifest uses of Argo CD's type, by its documented names.
type application struct {
	object `json:",inline"`
	Spec   struct {
		Project     string `json:"project"`
		Destination struct {
			Server    string `json:"server"`
			Namespace string `json:"namespace"`
		} `json:"destination"`
		Sources []struct {
			RepoURL        string `json:"repoURL"`
			Chart          string `json:"chart"`
			TargetRevision string `json:"targetRevision"`
			Ref            string `json:"ref"`
			Helm           *struct {
				ReleaseName    string   `json:"releaseName"`
				ValueFiles     []string `json:"valueFiles"`
				FileParameters []struct {
					Name string `json:"name"`
					Path string `json:"path"`
				} `json:"fileParameters"`
			} `json:"helm"`
		} `json:"sources"`
		SyncPolicy struct {
			SyncOptions []string `json:"syncOptions"`
		} `json:"syncPolicy"`
	} `json:"spec"`
}

// TestFlux composes the values with Flux's own code and renders the chart with them.
func TestFlux(t *testing.T) {
	list := manifests(t, "flux", read(t, source("deploy/k8s/gitops/flux.yaml")))
	release, repository := one[helmv2.HelmRelease](t, list), one[sourcev1.HelmRepository](t, list)
	if ref := release.Spec.Chart.Spec.SourceRef; ref.Name != repository.Name ||
		release.Namespace != repository.Namespace {
		t.Errorf("no repository %+v", ref)
	}
	i := valuesFor(t, release.Spec.ReleaseName, "mtls")
	_, ca, _ := strings.Cut(i.setFiles[0], "=")
	values := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "prod-values", Namespace: release.Namespace},
		Data: map[string]string{
			"your-values.yaml": "gitlabUrl: https://gitlab.example.com\nrunnerToken: glrt-x\nrbac: {create: true}\n",
			"gate.yaml":        read(t, i.files[0]), "client-ca.crt": read(t, ca),
		},
	}
	composed, err := chartutil.ChartValuesFromReferences(
		t.Context(),
		logr.Discard(),
		fake.NewClientBuilder().WithObjects(values).Build(),
		release.Namespace,
		release.GetValues(),
		release.Spec.ValuesFrom...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(composed)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, folder := range charts() {
		same(
			t,
			install{release: release.Spec.ReleaseName, namespace: release.Namespace, files: []string{path}},
			i,
			folder,
		)
	}
}

// TestArgo: the Application names the release, the values and the CA's file as the command does.
func TestArgo(t *testing.T) {
	a := one[application](t, manifests(t, "argocd", read(t, source("deploy/k8s/gitops/argocd.yaml"))))
	chart, own := a.Spec.Sources[0], a.Spec.Sources[1]
	prefix := "$" + own.Ref + "/"
	i := valuesFor(t, chart.Helm.ReleaseName, "mtls")
	got := install{release: chart.Helm.ReleaseName, namespace: a.Spec.Destination.Namespace}
	for _, file := range chart.Helm.ValueFiles {
		if !strings.HasPrefix(file, prefix) {
			t.Errorf("values %s are in no source", file)
		}
		if filepath.Base(file) == "gate.yaml" { // the other one is yours
			got.files = append(got.files, i.files...)
		}
	}
	for _, p := range chart.Helm.FileParameters {
		if !strings.HasPrefix(p.Path, prefix) {
			t.Errorf("file %s is in no source", p.Path)
		}
		_, path, _ := strings.Cut(i.setFiles[0], "=")
		got.setFiles = append(got.setFiles, p.Name+"="+path)
	}
	same(t, got, i, "testdata/chart")
}

// same: two ways to give the values end in the same objects.
func same(t *testing.T, got, want install, folder string) {
	t.Helper()
	a, b := shapes(t, got.objects(t, folder)), shapes(t, want.objects(t, folder))
	if len(a) != len(b) || one[appsv1.Deployment](t, got.objects(t, folder)).Name == "" {
		t.Errorf("%d objects, not %d", len(a), len(b))
	}
	for name, text := range b {
		if a[name] != text {
			t.Errorf("%s is\n%s\nnot\n%s", name, a[name], text)
		}
	}
}
