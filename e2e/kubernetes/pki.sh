#!/bin/bash
# pki.sh DIR: a throwaway CA, certificates and keys for cluster.sh and check.sh.
set -eu
mkdir -p "$1" && cd "$1"
curve=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
openssl req -x509 "${curve[@]}" -days 2 -subj /CN=throwaway -keyout ca.key -out ca.crt -addext keyUsage=critical,keyCertSign,cRLSign 2> /dev/null
leaf() { # name, subject, names, usage
	openssl req "${curve[@]}" -subj "$2" -keyout "$1.key" -out "$1.csr" 2> /dev/null
	openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out "$1.crt" \
		-extfile <(printf 'subjectAltName=%s\nkeyUsage=digitalSignature\nextendedKeyUsage=%s\n' "$3" "$4") 2> /dev/null
	chmod 600 "$1.key"
}
leaf apiserver /CN=kube-apiserver DNS:kubernetes.default.svc,IP:10.9.0.1 serverAuth
leaf gate /CN=gate DNS:localhost serverAuth
leaf prometheus /CN=prometheus.example DNS:prometheus.example clientAuth
openssl genrsa -out sa.key 2048 2> /dev/null
openssl rsa -in sa.key -pubout -out sa.pub 2> /dev/null
openssl rand -hex 24 > admin.token
printf '%s,admin,admin,"system:masters"\n' "$(cat admin.token)" > tokens.csv
