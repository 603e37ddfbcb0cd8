#!/bin/bash
# check.sh DIR GATE KUBE_APISERVER ETCD: runs the gate before a real API server and prints
# the status of requests. It wants cluster.sh and the recorder to have run, and their
# namespaces; about three minutes.
set -u
here=$(realpath "$(dirname "$0")")
cd "$1" && shift
gate=$1 apiserver=$2 etcd=$3
api=https://kubernetes.default.svc
rbac=/apis/rbac.authorization.k8s.io/v1/clusterrolebindings
admin() { curl -sS --cacert ca.crt -H "Authorization: Bearer $(cat admin.token)" -H 'Content-Type: application/json' "$@"; }
post() { admin -X POST "$api$1" -d "$2" > /dev/null; }
role() { printf '{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"%s"}' "$1"; }
account() { printf '{"kind":"ServiceAccount","namespace":"%s","name":"%s"}' "$1" "$2"; }
token() { # namespace, account, audience
	admin -X POST "$api/api/v1/namespaces/$1/serviceaccounts/$2/token" -d "{\"spec\":{\"expirationSeconds\":3600${3:+,\"audiences\":[\"$3\"]}}}" |
		jq -r .status.token
}
bearer() { echo "Authorization: Bearer $1"; }
ask() { curl -s -o /dev/null -w '%{http_code}' --cacert ca.crt "$@"; }
on() { local port=$1; shift; ask "$@" "https://localhost:$port/metrics"; }
all() { # what, arguments of curl
	printf '%-32s' "$1"; shift
	for port in 9253 9263 9273; do printf ' %s' "$(on $port "$@")"; done
	echo
}
since() { printf '%.1f' "$(echo "$(date +%s.%N) - $1" | bc)"; }

for name in visitor quitter; do post /api/v1/namespaces/monitoring/serviceaccounts "{\"metadata\":{\"name\":\"$name\"}}"; done
post $rbac "{\"metadata\":{\"name\":\"more\"},\"roleRef\":$(role runner-metrics),\"subjects\":[$(account monitoring quitter),
	{\"kind\":\"User\",\"apiGroup\":\"rbac.authorization.k8s.io\",\"name\":\"prometheus.example\"}]}"
(umask 077; token ci metrics-gate '' > gate.token; "$gate" token static > static.txt; sed -n '/^static /p' static.txt > tokens.file)
static=$(sed -n '/^mg_/p' static.txt)

mkdir -p runner && printf '# TYPE up gauge\nup 1\n' > runner/metrics
python3 - << 'RUNNER' &
import functools, http.server
class Handler(http.server.SimpleHTTPRequestHandler):
    def guess_type(self, path): return "text/plain; version=0.0.4"
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("127.0.0.1", 9252), functools.partial(Handler, directory="runner")).serve_forever()
RUNNER
pids=$!
trap 'kill $pids' EXIT

start() { # port, variables
	local port=$1 who=user:system:serviceaccount:monitoring e; shift
	e=(LISTEN_ADDRESS=127.0.0.1:"$port" ADMIN_ADDRESS=127.0.0.1:$((port + 1)) RUNNER_NAME=r TLS_CERT_FILE=gate.crt TLS_KEY_FILE=gate.key
		TLS_CLIENT_CA_FILE=ca.crt TOKENS_FILE=tokens.file FAILURE_BURST=1000 RATE_LIMIT=1000 RATE_BURST=1000
		METRICS_ALLOW="$who:prometheus-k8s,$who:visitor,$who:quitter,dns:prometheus.example,token:static" "$@")
	env -i "${e[@]/#/METRICS_GATE_}" "$gate" > "gate-$port.log" 2>&1 &
	pids="$pids $!"
	until curl -sf "http://127.0.0.1:$((port + 1))/readyz" > /dev/null; do sleep .1; done
}
review=(KUBERNETES_API_URL="$api" KUBERNETES_CA_FILE=ca.crt KUBERNETES_TOKEN_FILE=gate.token KUBERNETES_AUTH=tokenreview KUBERNETES_AUDIENCES=metrics-gate)
oidc=(OIDC_ISSUER_URL="$api" OIDC_AUDIENCE=metrics-gate OIDC_CA_FILE=ca.crt OIDC_DISCOVERY_TOKEN_FILE=gate.token)
start 9253 "${review[@]}" KUBERNETES_AUTHZ=subjectaccessreview
start 9263 "${review[@]}"
start 9273 "${oidc[@]}"
pair=(--cert prometheus.crt --key prometheus.key)

echo '                                 RBAC review oidc'
pod=$(token monitoring prometheus-k8s metrics-gate) quitter=$(token monitoring quitter metrics-gate)
all 'no credential'
all 'right token' -H "$(bearer "$pod")"
all "API server's own audience" -H "$(bearer "$(token monitoring prometheus-k8s '')")"
all 'another audience' -H "$(bearer "$(token monitoring prometheus-k8s vault)")"
all 'garbage' -H "$(bearer abc)"
all 'listed, RBAC says no' -H "$(bearer "$(token monitoring visitor metrics-gate)")"
all 'certificate' "${pair[@]}"
all 'static token, not in RBAC' -H "$(bearer "$static")"

all 'account to be deleted' -H "$(bearer "$quitter")"
unseen=$(token monitoring quitter metrics-gate)
admin -X DELETE $api/api/v1/namespaces/monitoring/serviceaccounts/quitter > /dev/null
start=$(date +%s.%N)
sleep 15
echo "its other token, never shown before, after $(since "$start") s: $(on 9263 -H "$(bearer "$unseen")")"
until [ "$(on 9263 -H "$(bearer "$quitter")")" = 401 ]; do sleep 1; done
echo "its token shown just before: 401 after $(since "$start") s; by oidc $(on 9273 -H "$(bearer "$quitter")")"

all 'right token' -H "$(bearer "$pod")"
new=$(token monitoring prometheus-k8s metrics-gate)
kill "$(cat apiserver.pid)"
while curl -s --cacert ca.crt $api/livez > /dev/null; do sleep .2; done
echo 'API server stopped'
all 'token remembered' -H "$(bearer "$pod")"
all 'new token' -H "$(bearer "$new")"
all 'certificate' "${pair[@]}"
all 'static token' -H "$(bearer "$static")"
start 9283 "${oidc[@]}"
echo "oidc started now: token $(on 9283 -H "$(bearer "$pod")"), certificate $(on 9283 "${pair[@]}")"
sleep 61
all 'a minute later, token' -H "$(bearer "$pod")"
all 'certificate' "${pair[@]}"

"$here/cluster.sh" . "$apiserver" "$etcd"
start=$(date +%s.%N)
until [ "$(on 9283 -H "$(bearer "$pod")")" = 200 ]; do sleep .2; done
echo "API server back; oidc heals after $(since "$start") s"
all 'right token' -H "$(bearer "$new")"
admin -X DELETE $api$rbac/metrics-gate > /dev/null
sleep 2
fresh=$(token monitoring prometheus-k8s metrics-gate)
all 'gate may not ask, new token' -H "$(bearer "$fresh")"
post $rbac "{\"metadata\":{\"name\":\"metrics-gate\"},\"roleRef\":$(role system:auth-delegator),\"subjects\":[$(account ci metrics-gate)]}"
sleep 2
all 'may again' -H "$(bearer "$fresh")"
