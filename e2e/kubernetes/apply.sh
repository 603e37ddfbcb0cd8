#!/bin/bash
# apply.sh DIR CRDS [CHART HELM]: applies everything in deploy/k8s to the API server of
# cluster.sh, whose files are in DIR, on the server's side and strictly, in namespaces that enforce
# the restricted Pod Security Standard. CRDS is a folder with the CRDs of prometheus-operator,
# cert-manager and trust-manager. CHART and HELM are the runner's chart and a helm.
set -eu
work=$(realpath "$1") crds=$(realpath "$2") chart=${3:+$(realpath "$3")} helm=${4:+$(realpath "$4")}
k8s=$(realpath "$(dirname "$0")/../../deploy/k8s")
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
cp -R "$k8s" "$built/k8s"
export KUBECONFIG="$built/config"
kubectl config set-cluster test --server https://kubernetes.default.svc --certificate-authority "$work/ca.crt" > "$built/out"
kubectl config set-credentials admin --token "$(cat "$work/admin.token")" > "$built/out"
kubectl config set-context test --cluster test --user admin --namespace gitlab-runner > "$built/out"
kubectl config use-context test > "$built/out"

apply() { kubectl apply --server-side --force-conflicts --validate=strict -f - 2>&1; }

# say NAME prints how many objects of the standard input were applied; anything else is a failure.
say() {
	if ! apply > "$built/answer" || grep -v ' serverside-applied$' "$built/answer"; then
		printf '%s: refused\n' "$1" >&2
		cat "$built/answer" >&2
		exit 1
	fi
	printf '%-56s %s objects\n' "$1" "$(wc -l < "$built/answer")"
}

# pod DEPLOYMENT: a Deployment's pods are judged when they are made, and nobody makes them here.
pod() {
	kubectl get deployment "$1" -o json | jq '{apiVersion: "v1", kind: "Pod", metadata: {name: "p"},
		spec: .spec.template.spec}' > "$built/pod.json"
	say '  its pod, restricted' < "$built/pod.json"
	kubectl delete --force pod/p "deployment/$1" > "$built/out" 2>&1
}

cat "$crds"/*.yaml | say CRDs
# A CRD has no conditions at first.
until kubectl wait --for condition=Established crd --all --timeout 1m > "$built/out" 2>&1; do sleep 1; done
for namespace in gitlab-runner monitoring cert-manager; do
	printf 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n  labels: {%s: restricted}\n---\n' \
		"$namespace" pod-security.kubernetes.io/enforce
	for account in default gitlab-runner; do
		printf 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: %s, namespace: %s}\n---\n' "$account" "$namespace"
	done
done | say 'namespaces and accounts'

kubectl kustomize "$built/k8s/cert-manager" | say cert-manager
for example in "$built"/k8s/examples/*/; do
	[ "$(basename "$example")" = runner ] && continue
	kubectl kustomize "$example" | say "examples/$(basename "$example")"
	pod gitlab-runner
done
for file in "$built"/k8s/prometheus-operator/*-*.yaml; do
	sed -i "/^resources:$/{n;s/.*/  - $(basename "$file")/}" "$built/k8s/prometheus-operator/kustomization.yaml"
	kubectl kustomize "$built/k8s/prometheus-operator" | say "prometheus-operator/$(basename "$file")"
done
# The Runner is of the operator's CRD, which no module carries; the rest of its folder is here.
kubectl kustomize "$built/k8s/operator" | awk -v RS='---\n' '!/kind: Runner\n/ { print "---\n" $0 }' |
	say 'operator, but for the Runner'

# release NAME VALUES...: what Helm would install.
release() {
	"$helm" template prod "$chart" -n gitlab-runner --api-versions monitoring.coreos.com/v1 --set rbac.create=true \
		--set gitlabUrl=https://gitlab.example.com --set runnerToken=glrt-x "${@:2}" | say "$1"
	pod prod-gitlab-runner
}
if [ -n "$chart" ]; then
	release 'helm, certificates' -f "$k8s/helm/values.yaml" --set-file "metricsGate.clientCA=$work/ca.crt"
	release 'helm, tokens' -f "$k8s/helm/values-bearer.yaml" --set-file "metricsGate.tokens=$work/tokens.csv"
	release 'helm, OAuth2' -f "$k8s/helm/values-oauth2.yaml"
	release 'helm, post-rendered' -f "$k8s/helm-post-render/values.yaml" \
		--post-renderer "$k8s/helm-post-render/post-render.sh"
fi

# The judge does judge.
if jq '.spec.hostNetwork = true' "$built/pod.json" | apply > "$built/out"; then
	echo 'a pod in the host network passes' >&2 && exit 1
fi
grep -o 'violates PodSecurity "restricted:[a-z]*"' "$built/out"
if printf 'apiVersion: monitoring.coreos.com/v1\nkind: PodMonitor\nmetadata: {name: x}\nspec: {selektor: {}}\n' |
	apply > "$built/out"; then
	echo 'a misspelt field passes' >&2 && exit 1
fi
grep -o 'field not declared in schema\|unknown field "[.a-z]*"' "$built/out" | head -n 1
