#!/bin/sh
# Helm 3:  helm upgrade --install RELEASE gitlab/gitlab-runner -f your-values.yaml \
#            -f values.yaml --post-renderer ./post-render.sh
# Helm 4 takes a plugin: helm plugin install DIRECTORY, then --post-renderer metrics-gate.
# Reads the chart's output, writes it with the gate.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$here/../components" "$here" "$work/"
cd "$work/$(basename "$here")"
cat > release.yaml
# What is added must be in the release's namespace too, or the Deployment does not find its ConfigMap.
namespace=$(sed -n 's/^  namespace: *"\{0,1\}\([a-z0-9-]*\)"\{0,1\} *$/\1/p' release.yaml | sort -u)
case $namespace in
*[!a-z0-9-]*) echo "post-render.sh: the release has several namespaces:" $namespace >&2 && exit 1 ;;
?*) echo "namespace: $namespace" >> kustomization.yaml ;;
esac
kubectl kustomize .
