package docs

// standIns returns bash scripts that replace programs in the sandbox: metrics-gate, which
// starts in the background, and programs that would change the machine or a cluster.
// These check that the files and units in their arguments exist.
func standIns() map[string]string {
	return map[string]string{
		"metrics-gate": gateStandIn, "make": makeStandIn, "systemctl": systemctlStandIn,
		"kubectl": kubectlStandIn, "helm": helmStandIn, "docker": dockerStandIn,
	}
}

// gateStandIn stops a running gate, starts the gate or the demo, and returns when it is
// ready. It passes every other command to the real program.
const gateStandIn = `
: "${METRICS_GATE_LISTEN_ADDRESS:=127.0.0.1:$SANDBOX_PORT}"
: "${METRICS_GATE_ADMIN_ADDRESS:=127.0.0.1:$SANDBOX_ADMIN}"
: "${METRICS_GATE_UPSTREAM_URL:=http://127.0.0.1:$SANDBOX_RUNNER}"
export METRICS_GATE_LISTEN_ADDRESS METRICS_GATE_ADMIN_ADDRESS METRICS_GATE_UPSTREAM_URL
background() {
  if [ -e "$SANDBOX/pid" ]; then
    kill "$(cat "$SANDBOX/pid")" && tail --pid="$(cat "$SANDBOX/pid")" -f /dev/null
  fi
  setsid "$REAL_GATE" "$@" > "$SANDBOX/out" 2> "$SANDBOX/log" < /dev/null &
  echo $! > "$SANDBOX/pid"
  for _ in $(seq 100); do
    curl --fail --silent "http://$METRICS_GATE_ADMIN_ADDRESS/readyz" > /dev/null && return 0
    sleep 0.1
  done
  cat "$SANDBOX/log" >&2
  return 1
}
case ${1:-serve} in
  serve) background ;;
  demo) unset METRICS_GATE_UPSTREAM_URL && background demo && sleep 0.2 && cat "$SANDBOX/out" ;;
  *) exec "$REAL_GATE" "$@" ;;
esac
`

// makeStandIn checks that the target exists and builds nothing.
const makeStandIn = `
case $1 in
  run | demo) exec metrics-gate demo ;;
esac
grep -q "^$1:" "$ROOT/Makefile"
`

// systemctlStandIn checks that the units exist.
const systemctlStandIn = `
for word in "$@"; do
  case $word in
    *.service | *.socket)
      [ -e "$ROOT/deploy/systemd/$word" ] || { echo "systemctl: no unit $word" >&2; exit 1; } ;;
  esac
done
`

// kubectlStandIn runs the real kustomize, and checks that apply has a manifest.
const kubectlStandIn = `
if [ "$1" = kustomize ]; then
  PATH=${PATH#*:} exec kubectl "$@"
fi
if [ "$1 $2 $3" = "apply -f -" ]; then
  grep -q '^kind: '
fi
`

// helmStandIn checks that values files, renderers and plugins exist.
const helmStandIn = `
previous=
for word in "$@"; do
  case $previous in
    -f) [ -s "$word" ] || { echo "helm: no values $word" >&2; exit 1; } ;;
    --post-renderer) [[ $word != */* || -x $word ]] || { echo "helm: no renderer $word" >&2; exit 1; } ;;
    install) [[ $word == -* || -e $word/plugin.yaml ]] || { echo "helm: no plugin $word" >&2; exit 1; } ;;
  esac
  previous=$word
done
`

// dockerStandIn checks that there is a Dockerfile.
const dockerStandIn = `
if [ "$1" = build ]; then
  [ -s Dockerfile ]
fi
`
