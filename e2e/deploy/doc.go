// Package deploy tests what operators apply, deploy/ and its documents, with the tools
// that will read it: kubectl, promtool, systemd, nft, dpkg, rpm and the types of the
// Kubernetes API. It needs root; a missing tool is a failure that names its package.
package deploy
