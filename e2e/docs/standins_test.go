package docs

// standIns returns bash scripts that replace the programs that would build, or change a
// machine or a cluster. They check that the files and units in their arguments exist.
func standIns() map[string]string {
	return map[string]string{
		"make": makeStandIn, "systemctl": systemctlStandIn,
		"kubectl": kubectlStandIn, "helm": helmStandIn, "docker": dockerStandIn,
		"scp": scpStandIn, "ssh": sshStandIn, "apt-get": aptStandIn, "ansible-playbook": ansibleStandIn,
	}
}

// makeStandIn checks that the target exists. What it builds is the gate under test.
const makeStandIn = `
case $1 in
  run | demo) exec metrics-gate demo ;;
  build) mkdir -p bin && ln -sf "$(command -v metrics-gate)" bin/ ;;
esac
grep -q "^$1:" "/srv/metrics-gate/Makefile"
`

// systemctlStandIn checks that the units exist.
const systemctlStandIn = `
for word in "$@"; do
  case $word in
    *.service | *.socket)
      [ -e "/srv/metrics-gate/deploy/systemd/$word" ] || { echo "systemctl: no unit $word" >&2; exit 1; } ;;
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

// scpStandIn copies files to this machine, which stands for every host.
const scpStandIn = `
to=${!#}
cp "${@:1:$#-1}" "${to#*:}"
`

// sshStandIn runs the command here. A gate of the package has these settings from its unit.
const sshStandIn = `
export METRICS_GATE_TLS_CERT_FILE=/etc/metrics-gate/tls.crt METRICS_GATE_TLS_KEY_FILE=/etc/metrics-gate/tls.key
export METRICS_GATE_TLS_CLIENT_CA_FILE=/etc/metrics-gate/client-ca.crt METRICS_GATE_METRICS_ALLOW=cn:prometheus
shift
exec "$@"
`

// aptStandIn checks that the package exists.
const aptStandIn = `[ -e "${!#}" ]
`

// ansibleStandIn checks a playbook by the real program, and runs its tasks about files here, as
// the first host.
const ansibleStandIn = `
set -e
PATH=${PATH#*:}
ansible-playbook --syntax-check "$@"
ansible-playbook --connection local --limit build-01.example.com --tags files "$@"
`
