package deploy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

var chartVersion = regexp.MustCompile(`chart: gitlab-runner-\S+`)

// shapes are objects as text, without what changes with the runner's version or its secrets.
func shapes(t *testing.T, list []any) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, o := range list {
		switch o := o.(type) {
		case *appsv1.Deployment:
			delete(o.Spec.Template.Annotations, "checksum/configmap")
			delete(o.Spec.Template.Annotations, "checksum/secrets")
			runner := &o.Spec.Template.Spec.Containers[0]
			runner.Image, _, _ = strings.Cut(runner.Image, ":")
			runner.Env = slices.DeleteFunc(runner.Env, func(e corev1.EnvVar) bool {
				return e.Name == "SESSION_SERVER_ADDRESS"
			})
		case *corev1.ConfigMap:
			delete(o.Data, "config.toml") // the chart's own files
			for name := range o.Data {
				if !strings.HasPrefix(name, "METRICS_GATE_") {
					delete(o.Data, name)
				}
			}
		case *corev1.Secret:
			delete(o.Data, "runner-token")
			delete(o.Data, "runner-registration-token")
		case *rbacv1.Role, *rbacv1.RoleBinding:
			continue
		}
		text, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		found[fmt.Sprintf("%T %s", o, meta(o).Name)] = chartVersion.ReplaceAllString(
			string(text),
			"chart: gitlab-runner",
		)
	}
	return found
}
