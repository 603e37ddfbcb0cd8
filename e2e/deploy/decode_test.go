package deploy

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	monitoringv1alpha1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// kinds are the types that manifests are decoded into, strictly.
var kinds = map[string]func() any{
	"v1/Namespace":                      func() any { return new(corev1.Namespace) },
	"v1/ConfigMap":                      func() any { return new(corev1.ConfigMap) },
	"v1/Service":                        func() any { return new(corev1.Service) },
	"v1/Secret":                         func() any { return new(corev1.Secret) },
	"v1/ServiceAccount":                 func() any { return new(corev1.ServiceAccount) },
	"rbac.authorization.k8s.io/v1/Role": func() any { return new(rbacv1.Role) },
	"rbac.authorization.k8s.io/v1/RoleBinding":    func() any { return new(rbacv1.RoleBinding) },
	"apps/v1/Deployment":                          func() any { return new(appsv1.Deployment) },
	"networking.k8s.io/v1/NetworkPolicy":          func() any { return new(networkingv1.NetworkPolicy) },
	"monitoring.coreos.com/v1/PodMonitor":         func() any { return new(monitoringv1.PodMonitor) },
	"monitoring.coreos.com/v1/ServiceMonitor":     func() any { return new(monitoringv1.ServiceMonitor) },
	"monitoring.coreos.com/v1/PrometheusRule":     func() any { return new(monitoringv1.PrometheusRule) },
	"monitoring.coreos.com/v1/Prometheus":         func() any { return new(monitoringv1.Prometheus) },
	"monitoring.coreos.com/v1alpha1/ScrapeConfig": func() any { return new(monitoringv1alpha1.ScrapeConfig) },
	"cert-manager.io/v1/Certificate":              func() any { return new(certificate) },
	"cert-manager.io/v1/ClusterIssuer":            func() any { return new(clusterIssuer) },
	"trust.cert-manager.io/v1alpha1/Bundle":       func() any { return new(bundle) },
	"apps.gitlab.com/v1beta2/Runner":              func() any { return new(runner) },
	"argoproj.io/v1alpha1/Application":            func() any { return new(application) },
	"helm.toolkit.fluxcd.io/v2/HelmRelease":       func() any { return new(helmv2.HelmRelease) },
	"source.toolkit.fluxcd.io/v1/HelmRepository":  func() any { return new(sourcev1.HelmRepository) },
}

// Of cert-manager, trust-manager and the runner's operator no types are to be had as a
// small module: these are the fields that the manifests use, by their documented names.
type (
	object struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`
	}
	issuerRef   struct{ Name, Kind string }
	certificate struct {
		object `json:",inline"`
		Spec   struct {
			IsCA        bool            `json:"isCA"`
			CommonName  string          `json:"commonName"`
			SecretName  string          `json:"secretName"`
			DNSNames    []string        `json:"dnsNames"`
			URIs        []string        `json:"uris"`
			Usages      []string        `json:"usages"`
			Duration    metav1.Duration `json:"duration"`
			RenewBefore metav1.Duration `json:"renewBefore"`
			PrivateKey  struct {
				Algorithm      string `json:"algorithm"`
				Size           int    `json:"size"`
				RotationPolicy string `json:"rotationPolicy"`
			} `json:"privateKey"`
			IssuerRef issuerRef `json:"issuerRef"`
		} `json:"spec"`
	}
	clusterIssuer struct {
		object `json:",inline"`
		Spec   struct {
			SelfSigned *struct{} `json:"selfSigned"`
			CA         *struct {
				SecretName string `json:"secretName"`
			} `json:"ca"`
		} `json:"spec"`
	}
	bundle struct {
		object `json:",inline"`
		Spec   struct {
			Sources []struct {
				Secret corev1.SecretKeySelector `json:"secret"`
			} `json:"sources"`
			Target struct {
				ConfigMap struct {
					Key string `json:"key"`
				} `json:"configMap"`
				NamespaceSelector metav1.LabelSelector `json:"namespaceSelector"`
			} `json:"target"`
		} `json:"spec"`
	}
	runner struct {
		object `json:",inline"`
		Spec   struct {
			GitlabURL  string `json:"gitlabUrl"`
			Token      string `json:"token"`
			BuildImage string `json:"buildImage"`
			ListenAddr string `json:"listenAddr"`
			PodSpec    []struct {
				Name      string `json:"name"`
				Patch     string `json:"patch"`
				PatchType string `json:"patchType"`
			} `json:"podSpec"`
		} `json:"spec"`
	}
)

var (
	separator = regexp.MustCompile(`(?m)^---\s*$`)
	commented = regexp.MustCompile(`(?m)^\s*(#.*)?\n?`)
)

// meta is an object's metadata, to read and to change.
func meta(o any) *metav1.ObjectMeta {
	accessor, ok := o.(metav1.ObjectMetaAccessor)
	if !ok {
		panic(fmt.Sprintf("%T has no metadata", o))
	}
	m, ok := accessor.GetObjectMeta().(*metav1.ObjectMeta)
	if !ok {
		panic(fmt.Sprintf("%T has no ObjectMeta", o))
	}
	return m
}

// namespaced says whether a kind of object lives in a namespace.
func namespaced(o any) bool {
	switch o.(type) {
	case *clusterIssuer, *bundle, *corev1.Namespace:
		return false
	}
	return true
}

// manifests decodes every document of text, strictly: an unknown or repeated field is a failure.
func manifests(t *testing.T, name, text string) []any {
	t.Helper()
	var list []any
	for _, doc := range separator.Split(text, -1) {
		if commented.ReplaceAllString(doc, "") == "" {
			continue
		}
		o, err := decode(doc)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		list = append(list, o)
	}
	if len(list) == 0 {
		t.Fatalf("%s: no manifests", name)
	}
	return list
}

func decode(doc string) (any, error) {
	var meta metav1.TypeMeta
	if err := yaml.Unmarshal([]byte(doc), &meta); err != nil {
		return nil, err
	}
	kind := meta.APIVersion + "/" + meta.Kind
	if kinds[kind] == nil {
		return nil, fmt.Errorf("%s: no type to decode it into", kind)
	}
	o := kinds[kind]()
	if err := yaml.UnmarshalStrict([]byte(doc), o); err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	return o, nil
}

// only returns the objects of one type.
func only[T any](list []any) []*T {
	var found []*T
	for _, o := range list {
		if x, ok := o.(*T); ok {
			found = append(found, x)
		}
	}
	return found
}

// one returns the single object of a type.
func one[T any](t *testing.T, list []any) *T {
	t.Helper()
	found := only[T](list)
	if len(found) != 1 {
		t.Fatalf("%d of %T, want 1", len(found), *new(T))
	}
	return found[0]
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
