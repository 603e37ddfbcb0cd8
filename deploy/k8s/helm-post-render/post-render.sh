#!/bin/sh
# Helm 3:  helm upgrade --install RELEASE gitlab/gitlab-runner -f your-values.yaml \
#            -f values.yaml --post-renderer ./post-render.sh
# Helm 4 takes a plugin: helm plugin install DIRECTORY, then --post-renderer metrics-gate.
# Reads the chart's output, writes it with the gate. The gate's objects go to the namespace of
# the runner's Deployment; the release may have objects in others (runners.jobNamespace).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$here/../components" "$here/../site" "$here" "$work/"
cd "$work/$(basename "$here")"
cat > release.yaml
kubectl kustomize .
