#!/bin/bash
# build.sh DIR: builds kube-apiserver in DIR. Its module is not meant to be required by
# others: the parts that it replaces by folders have to be named one by one.
set -eu
minor=34 patch=4
mkdir -p "$1" && cd "$1"
export GOFLAGS=-mod=mod
cat > go.mod <<MOD
module example.invalid/apiserver

go 1.26

godebug default=go1.24

require k8s.io/kubernetes v1.$minor.$patch
MOD
source=$(go mod download -json k8s.io/kubernetes@v1.$minor.$patch | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
sed -n "s,^\s*\(k8s.io/[a-z-]*\) => \./staging/.*,replace \1 => \1 v0.$minor.$patch,p" "$source/go.mod" >> go.mod
printf 'package apiserver\n\nimport _ "k8s.io/kubernetes/cmd/kube-apiserver/app"\n' > apiserver.go
version=k8s.io/component-base/version
nice -n 19 go build -p 1 -o kube-apiserver \
	-ldflags "-s -w -X $version.gitVersion=v1.$minor.$patch -X $version.gitMajor=1 -X $version.gitMinor=$minor" \
	k8s.io/kubernetes/cmd/kube-apiserver
