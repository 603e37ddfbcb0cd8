package deploy

import (
	"slices"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	monitoringv1alpha1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// resolve fails for each reference of the cluster's objects that leads nowhere.
func (c *cluster) resolve(t *testing.T) {
	t.Helper()
	checked := 0
	for _, o := range c.objects {
		for _, r := range c.references(o) {
			checked++
			if !c.has[r] {
				t.Errorf("%T %s/%s: no %s", o, meta(o).Namespace, meta(o).Name, r)
			}
		}
	}
	if checked < 5 {
		t.Errorf("%d references: the manifests are not read", checked)
	}
}

// references are what an object needs to be there.
func (c *cluster) references(o any) []ref {
	ns := meta(o).Namespace
	switch o := o.(type) {
	case *appsv1.Deployment:
		return podReferences(ns, &o.Spec.Template.Spec)
	case *certificate:
		return []ref{{kind: "clusterIssuer", name: o.Spec.IssuerRef.Name}}
	case *clusterIssuer:
		if o.Spec.CA != nil {
			return []ref{{"Secret", "cert-manager", o.Spec.CA.SecretName, "tls.crt"}}
		}
	case *bundle:
		var list []ref
		for _, s := range o.Spec.Sources {
			list = append(list, ref{"Secret", "cert-manager", s.Secret.Name, s.Secret.Key})
		}
		return list
	case *runner:
		return []ref{
			{"Secret", ns, o.Spec.Token, "runner-registration-token"}, {"Secret", ns, o.Spec.Token, "runner-token"},
		}
	case *networkingv1.NetworkPolicy:
		return policyReferences(o)
	}
	return c.monitorReferences(o)
}

func (c *cluster) monitorReferences(o any) (list []ref) {
	ns := meta(o).Namespace
	switch o := o.(type) {
	case *monitoringv1.PodMonitor:
		for _, e := range o.Spec.PodMetricsEndpoints {
			list = append(list, scrapeReferences(ns, e.TLSConfig, e.Authorization, e.OAuth2)...)
		}
		list = append(list, namespaceReferences(o.Spec.NamespaceSelector.MatchNames)...)
		if o.Spec.ScrapeClassName != nil && !c.classes()[*o.Spec.ScrapeClassName] {
			list = append(list, ref{kind: "scrape class", namespace: ns, name: *o.Spec.ScrapeClassName})
		}
	case *monitoringv1.ServiceMonitor:
		for _, e := range o.Spec.Endpoints {
			list = append(list, scrapeReferences(ns, &e.TLSConfig.SafeTLSConfig, e.Authorization, e.OAuth2)...)
		}
		list = append(list, namespaceReferences(o.Spec.NamespaceSelector.MatchNames)...)
	case *monitoringv1alpha1.ScrapeConfig:
		list = scrapeReferences(ns, o.Spec.TLSConfig, o.Spec.Authorization, o.Spec.OAuth2)
	case *monitoringv1.Prometheus:
		list = podReferences(ns, &corev1.PodSpec{Volumes: o.Spec.Volumes})
	}
	return list
}

func namespaceReferences(names []string) (list []ref) {
	for _, name := range names {
		list = append(list, ref{kind: "Namespace", name: name})
	}
	return list
}

func policyReferences(np *networkingv1.NetworkPolicy) (list []ref) {
	for _, rule := range np.Spec.Ingress {
		for _, from := range rule.From {
			list = append(
				list,
				ref{kind: "Namespace", name: from.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"]},
			)
		}
	}
	return list
}

// scrapeReferences are the keys that a scrape reads, from the monitor's own namespace.
func scrapeReferences(
	ns string,
	tls *monitoringv1.SafeTLSConfig,
	bearer *monitoringv1.SafeAuthorization,
	oauth2 *monitoringv1.OAuth2,
) []ref {
	var list []ref
	secret := func(s *corev1.SecretKeySelector) {
		if s != nil {
			list = append(list, ref{"Secret", ns, s.Name, s.Key})
		}
	}
	configMap := func(s *corev1.ConfigMapKeySelector) {
		if s != nil {
			list = append(list, ref{"ConfigMap", ns, s.Name, s.Key})
		}
	}
	if tls != nil {
		for _, s := range []monitoringv1.SecretOrConfigMap{tls.CA, tls.Cert} {
			secret(s.Secret)
			configMap(s.ConfigMap)
		}
		secret(tls.KeySecret)
	}
	if bearer != nil {
		secret(bearer.Credentials)
	}
	if oauth2 != nil {
		secret(oauth2.ClientID.Secret)
		configMap(oauth2.ClientID.ConfigMap)
		secret(&oauth2.ClientSecret)
	}
	return list
}

// podReferences are what a pod needs to start. Optional sources count when a setting of the
// gate names one of their files.
func podReferences(ns string, spec *corev1.PodSpec) (list []ref) {
	if spec.ServiceAccountName != "" {
		list = append(list, ref{kind: "ServiceAccount", namespace: ns, name: spec.ServiceAccountName})
	}
	for _, v := range spec.Volumes {
		for _, s := range sources(ns, v) {
			if !s.optional {
				list = append(list, s.ref)
			}
		}
	}
	for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
		for _, from := range c.EnvFrom {
			list = append(list, ref{kind: "ConfigMap", namespace: ns, name: from.ConfigMapRef.Name})
		}
	}
	return list
}
