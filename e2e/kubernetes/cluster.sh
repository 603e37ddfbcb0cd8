#!/bin/bash
# cluster.sh DIR KUBE_APISERVER ETCD: an API server at https://kubernetes.default.svc, with
# the files of pki.sh in DIR. It changes the network's loopback and /etc/hosts, so run it,
# and all that asks it, in namespaces of their own: unshare --net --mount bash
set -eu
cd "$1"
ip -br addr show lo | grep -q 10.9.0.1 || { ip link set lo up; ip addr add 10.9.0.1/32 dev lo; }
printf '127.0.0.1 localhost kubernetes.default.svc\n' > hosts
mountpoint -q /etc/hosts || mount --bind hosts /etc/hosts
if ! curl -s http://127.0.0.1:2379/health > /dev/null; then
	nohup "$3" --data-dir etcd.data --unsafe-no-fsync > etcd.log 2>&1 &
	echo $! > etcd.pid
fi
# jwks_uri becomes the advertised address, as in a cluster: another host than the issuer's.
nohup "$2" --etcd-servers=http://127.0.0.1:2379 --secure-port=443 --advertise-address=10.9.0.1 \
	--endpoint-reconciler-type=none --service-cluster-ip-range=10.10.0.0/24 \
	--tls-cert-file=apiserver.crt --tls-private-key-file=apiserver.key --cert-dir=certs \
	--token-auth-file=tokens.csv --authorization-mode=RBAC \
	--service-account-issuer=https://kubernetes.default.svc \
	--service-account-signing-key-file=sa.key --service-account-key-file=sa.pub >> apiserver.log 2>&1 &
echo $! > apiserver.pid
for _ in $(seq 120); do
	curl -s --cacert ca.crt -H "Authorization: Bearer $(cat admin.token)" https://kubernetes.default.svc/readyz | grep -qx ok && exit 0
	sleep 1
done
tail apiserver.log >&2
exit 1
