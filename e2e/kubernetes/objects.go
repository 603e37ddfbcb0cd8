package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// object is JSON.
type object map[string]any

// tokens are bearer tokens of service accounts.
type tokens struct {
	gate     string // the gate's own, for the API server
	pod      string // Prometheus's, for the audience metrics-gate, bound to its pod
	api      string // Prometheus's, for the API server
	leaver   string // of an account that will be deleted, for metrics-gate
	expired  string // pod with its times put back
	tampered string // pod with another signature
}

// call does what only an administrator may and decodes the answer.
func (c *cluster) call(method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.admin)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s %s: status %d: %s", method, path, response.StatusCode, content)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(content, out)
}

// populate makes a small cluster's objects and the tokens.
func (c *cluster) populate(keyFile string) (t tokens, err error) {
	named := func(name string) object { return object{"metadata": object{"name": name}} }
	const rbac = "/apis/rbac.authorization.k8s.io/v1/"
	for _, o := range []struct {
		path string
		body object
	}{
		{"/api/v1/namespaces", named("monitoring")},
		{"/api/v1/namespaces", named("ci")},
		{"/api/v1/namespaces/monitoring/serviceaccounts", named("prometheus-k8s")},
		{"/api/v1/namespaces/monitoring/serviceaccounts", named("leaver")},
		{"/api/v1/namespaces/ci/serviceaccounts", named("metrics-gate")},
		{"/api/v1/nodes", named("worker-1")},
		{"/api/v1/namespaces/monitoring/pods", object{"metadata": object{"name": "prometheus-k8s-0"}, "spec": object{
			"serviceAccountName": "prometheus-k8s", "nodeName": "worker-1",
			"containers": []object{{"name": "prometheus", "image": "prometheus"}}}}},
		{rbac + "clusterroles", object{"metadata": object{"name": "runner-metrics"},
			"rules": []object{{"nonResourceURLs": []string{"/metrics"}, "verbs": []string{"get"}}}}},
		{rbac + "clusterrolebindings", binding("runner-metrics", "runner-metrics", "monitoring", "prometheus-k8s")},
	} {
		if err := c.call(http.MethodPost, o.path, o.body, nil); err != nil {
			return t, err
		}
	}
	pod := object{"apiVersion": "v1", "kind": "Pod", "name": "prometheus-k8s-0"}
	gate := []string{"metrics-gate"}
	for _, w := range []struct {
		token    *string
		ns, name string
		spec     object
	}{
		{&t.gate, "ci", "metrics-gate", object{}},
		{&t.pod, "monitoring", "prometheus-k8s", object{"audiences": gate, "boundObjectRef": pod}},
		{&t.api, "monitoring", "prometheus-k8s", object{"boundObjectRef": pod}},
		{&t.leaver, "monitoring", "leaver", object{"audiences": gate}},
	} {
		w.spec["expirationSeconds"] = 3600
		var answer struct{ Status struct{ Token string } }
		path := "/api/v1/namespaces/" + w.ns + "/serviceaccounts/" + w.name + "/token"
		if err := c.call(http.MethodPost, path, object{"spec": w.spec}, &answer); err != nil {
			return t, err
		}
		*w.token = answer.Status.Token
	}
	t.tampered = tamper(t.pod)
	t.expired, err = expire(t.pod, keyFile)
	return t, err
}

// bindDelegator lets the gate ask, and waits until it may.
func (c *cluster) bindDelegator(gate string) error {
	err := c.call(http.MethodPost, "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
		binding("metrics-gate", "system:auth-delegator", "ci", "metrics-gate"), nil)
	if err != nil {
		return err
	}
	for range 50 {
		response, err := c.ask(question{path: tokenReviews, bearer: gate, body: tokenReview("abc")})
		if err != nil {
			return err
		}
		if response.status == http.StatusCreated {
			return nil
		}
		time.Sleep(100 * time.Millisecond) //permit:time.Sleep between questions to a real API server, 50 at most
	}
	return fmt.Errorf("the gate may still not ask")
}

func binding(name, role, namespace, account string) object {
	return object{"metadata": object{"name": name},
		"roleRef":  object{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
		"subjects": []object{{"kind": "ServiceAccount", "name": account, "namespace": namespace}}}
}
