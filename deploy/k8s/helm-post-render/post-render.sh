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
kubectl kustomize .
