package pid1

import (
	"strings"
	"testing"
)

// container starts a runner and its gate with a network, processes and a user of their own, as a
// pod has them. It writes the process id of the gate, as the machine sees it, to container.pid.
const container = `
	printf '%s\n' '#!/bin/bash -e' 'ip link set lo up' \
		'` + role + `=runner LISTEN_ADDRESS=127.0.0.1:9252 /share/stand-in &' \
		'exec setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs --bounding-set=-all metrics-gate' > pod
	chmod 755 pod
	printf 'METRICS_GATE_%s\n' TLS_CERT_FILE=/srv/pod/tls.crt TLS_KEY_FILE=/srv/pod/tls.key \
		TLS_CLIENT_CA_FILE=/srv/pod/ca.crt METRICS_ALLOW=dns:prometheus.example.com RUNNER_NAME=pod > pod.env
	mkdir /srv/pod
	install -m 644 server.pem /srv/pod/tls.crt
	install -m 440 -g 65532 server-key.pem /srv/pod/tls.key
	install -m 644 clients.pem /srv/pod/ca.crt
	systemd-run --unit=pod -p EnvironmentFile=/share/pod.env unshare --net --pid --fork --mount-proc /share/pod
	timeout 10 sh -c 'until pgrep -x metrics-gate; do sleep 0.1; done' > container.pid
	timeout 10 sh -c 'until nsenter -n -t $(cat container.pid) curl -s localhost:9254/readyz; do sleep 0.1; done'
`

// In a container doctor works as kubectl exec and docker exec start it, with the variables of the
// container, and without them. From outside it says where to run it.
func TestDoctorInAContainer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.run(t, "dpkg -i metrics-gate_*.deb")
	s.run(t, container)
	const enter = "nsenter --target $(cat container.pid) --all " +
		"setpriv --reuid 65532 --regid 65532 --clear-groups env HOME=/ "
	green(t, s.run(t, enter+"env $(cat pod.env) metrics-gate doctor"), "the environment")
	inner := strings.TrimSpace(s.run(t, enter+"pidof metrics-gate"))
	green(t, s.run(t, enter+"metrics-gate doctor"), "process "+inner)
	out, err := s.try("metrics-gate doctor --pid $(cat container.pid)")
	if err == nil || !strings.Contains(out, "runs in a container") || !strings.Contains(out, "kubectl exec") {
		t.Errorf("outside of it: %v %s", err, out)
	}
}
