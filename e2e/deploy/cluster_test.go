package deploy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ref names an object, or a key of a Secret or ConfigMap.
type ref struct{ kind, namespace, name, key string }

func (r ref) String() string {
	return strings.TrimRight(fmt.Sprintf("%s %s/%s %s", r.kind, r.namespace, r.name, r.key), " ")
}

// cluster is what a set of manifests makes of a cluster, the controllers' work included.
type cluster struct {
	has     map[ref]bool // objects, and keys of Secrets and ConfigMaps
	objects []any
}

// newCluster applies the manifests to a cluster in which the commands of docs/kubernetes.md ran.
func newCluster(t *testing.T, lists ...[]any) *cluster {
	t.Helper()
	c := &cluster{has: map[ref]bool{}}
	for _, namespace := range []string{"gitlab-runner", "monitoring", "cert-manager"} {
		c.has[ref{kind: "Namespace", name: namespace}] = true
	}
	c.documented(t)
	for _, n := range only[corev1.Namespace](slices.Concat(lists...)) {
		c.add("Namespace", "", n.Name)
	}
	for _, o := range slices.Concat(lists...) {
		if _, is := o.(*corev1.Namespace); !is {
			c.apply(t, o)
		}
	}
	for _, o := range c.objects { // Bundles go to namespaces that are there by now
		if b, ok := o.(*bundle); ok {
			c.distribute(t, b)
		}
	}
	for _, namespace := range c.namespaces() {
		c.add("ConfigMap", namespace, "kube-root-ca.crt", "ca.crt")
	}
	return c
}

// namespaces are objects for newCluster; the empty name is none.
func namespaces(names ...string) (list []any) {
	for _, name := range names {
		if name != "" {
			list = append(list, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
		}
	}
	return list
}

func (c *cluster) add(kind, namespace, name string, keys ...string) {
	c.has[ref{kind, namespace, name, ""}] = true
	for _, key := range keys {
		c.has[ref{kind, namespace, name, key}] = true
	}
}

// apply adds an object; one of the same kind and name is a collision.
func (c *cluster) apply(t *testing.T, o any) {
	t.Helper()
	m := meta(o)
	kind := fmt.Sprintf("%T", o)
	kind = kind[strings.LastIndexByte(kind, '.')+1:]
	if namespaced(o) && !c.has[ref{kind: "Namespace", name: m.Namespace}] {
		t.Errorf("%s %s: no namespace %q", kind, m.Name, m.Namespace)
	}
	if c.has[ref{kind, m.Namespace, m.Name, ""}] {
		t.Errorf("%s %s/%s is there twice", kind, m.Namespace, m.Name)
	}
	var keys []string
	switch o := o.(type) {
	case *corev1.ConfigMap:
		keys = append(slices.Collect(maps.Keys(o.Data)), slices.Collect(maps.Keys(o.BinaryData))...)
	case *corev1.Secret:
		keys = slices.Collect(maps.Keys(o.Data))
	case *certificate:
		if c.has[ref{"Secret", o.Namespace, o.Spec.SecretName, ""}] {
			t.Errorf("Certificate %s/%s: Secret %s is another's", o.Namespace, o.Name, o.Spec.SecretName)
		}
		c.add("Secret", o.Namespace, o.Spec.SecretName, "tls.crt", "tls.key", "ca.crt")
	}
	c.add(kind, m.Namespace, m.Name, keys...)
	c.objects = append(c.objects, o)
}

func (c *cluster) namespaces() (names []string) {
	for r := range c.has {
		if r.kind == "Namespace" {
			names = append(names, r.name)
		}
	}
	return names
}

// distribute does trust-manager's work.
func (c *cluster) distribute(t *testing.T, b *bundle) {
	t.Helper()
	reached := 0
	for _, namespace := range c.namespaces() {
		if selects(t, &b.Spec.Target.NamespaceSelector, map[string]string{"kubernetes.io/metadata.name": namespace}) {
			c.add("ConfigMap", namespace, b.Name, b.Spec.Target.ConfigMap.Key)
			reached++
		}
	}
	if reached == 0 {
		t.Errorf("Bundle %s reaches no namespace", b.Name)
	}
}

var (
	fenced  = regexp.MustCompile("(?ms)^ *```(?:sh|shell|console)\n(.*?)^ *```")
	created = regexp.MustCompile(
		`kubectl (?:-n (\S+) )?create (namespace|serviceaccount|secret generic|configmap) (\S+)(.*)`,
	)
	fromKey = regexp.MustCompile(`--from-(?:file|literal)=([^=\s]+)`)
)

// documented adds what the commands of docs/kubernetes.md create.
func (c *cluster) documented(t *testing.T) {
	t.Helper()
	for _, m := range created.FindAllStringSubmatch(commands(t), -1) {
		kinds := map[string]string{
			"namespace":      "Namespace",
			"serviceaccount": "ServiceAccount",
			"secret generic": "Secret",
			"configmap":      "ConfigMap",
		}
		var keys []string
		for _, key := range fromKey.FindAllStringSubmatch(m[4], -1) {
			keys = append(keys, key[1][strings.LastIndexByte(key[1], '/')+1:])
		}
		c.add(kinds[m[2]], m[1], m[3], keys...)
	}
}

// commands is what stands in the command blocks of docs/kubernetes.md, a command a line.
func commands(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	pages := read(t, source("docs/kubernetes.md")) + read(t, source("docs/kubernetes-prometheus.md"))
	for _, block := range fenced.FindAllStringSubmatch(pages, -1) {
		text.WriteString(strings.ReplaceAll(block[1], "\\\n", " ") + "\n")
	}
	return text.String()
}

// classes are the scrape classes of the cluster's Prometheus.
func (c *cluster) classes() map[string]bool {
	found := map[string]bool{}
	for _, p := range only[monitoringv1.Prometheus](c.objects) {
		for _, class := range p.Spec.ScrapeClasses {
			found[class.Name] = true
		}
	}
	return found
}
