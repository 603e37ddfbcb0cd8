package deploy

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// running is a pod without a kubelet: its network, its volumes and its gate are as rendered.
// The runner is a stand-in at the rendered address.
type running struct {
	gated
	netns
	root    string
	scraped string // what leads to the gate's port from outside
}

// run does what the kubelet and cert-manager do with the Deployment of list.
func run(t *testing.T, pki *harness.PKI, list []any, node *netns, network int) running {
	t.Helper()
	g := gatedPod(t, one[appsv1.Deployment](t, list), list)
	r := running{gated: g, netns: newNetns(t, g.Name), root: t.TempDir()}
	connect(t, node, &r.netns, network, fmt.Sprint("pod", network))
	r.mount(t, pki, list)
	for _, e := range g.runner.Env {
		if e.Name == "LISTEN_ADDRESS" {
			harness.StartRunnerOn(t, r.listen(t, e.Value), harness.Replay(t))
		}
	}
	cmd := r.command("serve")
	var log testwait.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := r.in(t, cmd.Start); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = cmd.Process.Kill(), cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	probe := g.gate.ReadinessProbe.HTTPGet
	harness.Eventually(t, g.Name+" is ready", func() bool {
		return site{}.curl(
			t,
			*node,
			0,
			fmt.Sprintf("http://%s:%s%s", r.address, probe.Port.String(), probe.Path),
		) == "200"
	})
	r.scraped = r.forward(t, node, r.address+":9253")
	return r
}

// mount fills the pod's root: the binary, and the volumes of the gate with the pod's group.
func (r running) mount(t *testing.T, pki *harness.PKI, list []any) {
	t.Helper()
	content, err := os.ReadFile(harness.Binary(t))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(r.root, "metrics-gate"), string(content), 0o755)
	secrets := map[string]map[string][]byte{}
	for _, s := range only[corev1.Secret](list) {
		secrets[s.Name] = s.Data
	}
	for _, c := range only[certificate](list) {
		pki.Issue(
			t,
			c.Name,
			testca.Options{DNSNames: c.Spec.DNSNames, NotAfter: time.Now().Add(c.Spec.Duration.Duration)},
		)
		secrets[c.Spec.SecretName] = map[string][]byte{
			"tls.crt": []byte(
				read(t, pki.File(c.Name+".pem")),
			), "tls.key": []byte(read(t, pki.File(c.Name+"-key.pem"))),
		}
	}
	for _, m := range r.gate.VolumeMounts {
		for _, v := range r.pod.Spec.Volumes {
			if v.Name != m.Name {
				continue
			}
			for key, content := range secrets[v.Secret.SecretName] {
				path := filepath.Join(r.root, m.MountPath, key)
				write(t, path, string(content), os.FileMode(*v.Secret.DefaultMode))
				if err := os.Chown(path, 0, int(*r.pod.Spec.SecurityContext.FSGroup)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	// The test's own folders are open to nobody else.
	for dir := r.root; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// command is a command in the gate's container, as kubectl exec runs it.
func (r running) command(args ...string) *exec.Cmd {
	cmd := exec.Command("/metrics-gate", args...)
	cmd.Dir = "/"
	user := r.gate.SecurityContext
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: r.root, Credential: &syscall.Credential{
		Uid: uint32(*user.RunAsUser), Gid: uint32(*user.RunAsGroup),
		Groups: []uint32{uint32(*r.pod.Spec.SecurityContext.FSGroup)},
	}}
	for name, value := range r.environ() {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// forward is an address of this machine that leads from the node to an address of the pod.
func (r running) forward(t *testing.T, node *netns, address string) string {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			outside, err := ln.Accept()
			if err != nil {
				return
			}
			var inside net.Conn
			err = node.in(t, func() (err error) {
				inside, err = net.Dial("tcp4", address)
				return err
			})
			if err != nil {
				_ = outside.Close()
				continue
			}
			copyAll := func(to, from net.Conn) { _, _ = io.Copy(to, from); _ = to.Close() }
			go copyAll(inside, outside)
			go copyAll(outside, inside)
		}
	}()
	return ln.Addr().String()
}

// scrapeJob is the job that prometheus-operator makes of a PodMonitor.
func scrapeJob(t *testing.T, m *monitoringv1.PodMonitor, pki *harness.PKI, pods []running) string {
	t.Helper()
	e := m.Spec.PodMetricsEndpoints[0]
	path := e.Path
	if path == "" {
		path = "/metrics"
	}
	var targets []string
	for _, p := range pods {
		if selects(t, &m.Spec.Selector, p.pod.Labels) {
			targets = append(targets, fmt.Sprintf("%q", p.scraped))
		}
	}
	credentials := ""
	if e.TLSConfig.Cert.Secret != nil {
		credentials = fmt.Sprintf(", cert_file: %[1]s/client.pem, key_file: %[1]s/client-key.pem", pki.Dir)
	}
	job := fmt.Sprintf(`- job_name: %s/%s
  scheme: %s
  metrics_path: %s
  tls_config: {server_name: %s, ca_file: %s/ca.pem%s}
  static_configs: [{targets: [%s]}]
`, m.Namespace, m.Name, *e.Scheme, path, *e.TLSConfig.ServerName, pki.Dir, credentials, strings.Join(targets, ", "))
	if e.Authorization != nil {
		job += fmt.Sprintf("  authorization: {credentials_file: %s/token}\n", pki.Dir)
	}
	return job
}

// documentedReleases runs the commands of docs/kubernetes.md that install a release by values,
// with a kubectl that has the CA, and a helm that says what it is asked for.
func documentedReleases(t *testing.T, pki *harness.PKI, way string, names ...string) (all [][]any) {
	t.Helper()
	text := read(t, source("docs/kubernetes.md"))
	_, helm, _ := strings.Cut(text, "\n## The Helm chart\n")
	values := map[string]string{"mtls": "helm/values.yaml", "bearer": "helm/values-bearer.yaml"}[way]
	script := "umask 077\nkubectl() { case \"$*\" in *'get secret'*) cat ca.pem;; esac; }\n" +
		"helm() { printf '%s\\n' \"$@\" > asked; }\n"
	for _, block := range fenced.FindAllStringSubmatch(helm, -1) {
		if strings.Contains(block[1], values) {
			script += block[1]
		}
	}
	for _, name := range names {
		dir := t.TempDir()
		if err := os.Symlink(source("deploy"), filepath.Join(dir, "deploy")); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "ca.pem"), read(t, pki.File("ca.pem")), 0o600)
		write(t, filepath.Join(dir, "your-values.yaml"), "{}\n", 0o600)
		write(t, filepath.Join(dir, "tokens"), read(t, pki.File("tokens")), 0o600)
		cmd := exec.Command("sh", "-euc", strings.ReplaceAll(script, "RELEASE", name))
		cmd.Dir = dir
		if r := finish(t, cmd); r.code != 0 {
			t.Fatalf("exit %d: %s", r.code, r.stderr)
		}
		asked := strings.Split(read(t, filepath.Join(dir, "asked")), "\n")
		i := install{release: asked[2]}
		for n, word := range asked[:len(asked)-1] {
			switch next := asked[n+1]; word {
			case "-n":
				i.namespace = next
			case "-f":
				i.files = append(i.files, filepath.Join(dir, next))
			case "--set-file":
				key, file, _ := strings.Cut(next, "=")
				i.setFiles = append(i.setFiles, key+"="+filepath.Join(dir, file))
			}
		}
		all = append(all, i.objects(t, "testdata/chart"))
	}
	return all
}

// TestNamespaceByTheDocuments: two releases, installed by the documents' commands, run in pods'
// networks as rendered. The documented doctor finds nothing to do, and a real Prometheus scrapes
// both as their monitors say, the runners and the gates.
func TestNamespaceByTheDocuments(t *testing.T) {
	for _, way := range []string{"mtls", "bearer"} {
		t.Run(way, func(t *testing.T) {
			pki, node, names := clusterPKI(t), newNetns(t, "node"), []string{"build", "deploy"}
			var pods []running
			releases := documentedReleases(t, pki, way, names...)
			for i, list := range releases {
				pods = append(pods, run(t, pki, list, &node, i+1))
			}
			config := "global: {scrape_interval: 500ms, scrape_timeout: 500ms}\nscrape_configs:\n"
			for _, m := range only[monitoringv1.PodMonitor](slices.Concat(releases...)) {
				config += scrapeJob(t, m, pki, pods)
			}
			prometheus := harness.StartPrometheus(t, config)
			prometheus.Eventually(t, "sum(up)", "4")
			for i, name := range names {
				of := fmt.Sprintf("{instance=%q,runner_name=%q}", pods[i].scraped, name)
				prometheus.Eventually(t, "gitlab_runner_version_info"+of, "1")
				prometheus.Eventually(t, "metrics_gate_upstream_up"+of, "1")
				pods[i].healthy(t)
			}
		})
	}
}

// clusterPKI is a CA with what cert-manager and the documents' commands give to Prometheus: a
// client certificate and a token, with its line for the gates.
func clusterPKI(t *testing.T) *harness.PKI {
	t.Helper()
	pki := harness.NewPKI(t)
	ca, err := testca.NewCA(testca.Options{CommonName: "cluster", NotAfter: time.Now().AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	pki.CA = ca
	pki.Write(t, "ca.pem", ca.CertPEM())
	for _, c := range only[certificate](build(t, source("deploy/k8s/cert-manager"))) {
		if c.Name == "prometheus-client" {
			pki.Issue(t, "client", testca.Options{URIs: c.Spec.URIs})
		}
	}
	secret, line, err := auth.NewToken("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	pki.Write(t, "token", []byte(secret))
	pki.Write(t, "tokens", []byte(line+"\n"))
	return pki
}

// healthy: the documented command finds nothing to do in the gate's container.
func (r running) healthy(t *testing.T) {
	t.Helper()
	args := regexp.MustCompile(`-c metrics-gate -- metrics-gate (.*)`).FindStringSubmatch(commands(t))
	var got result
	if err := r.in(t, func() error { got = finish(t, r.command(strings.Fields(args[1])...)); return nil }); err != nil {
		t.Fatal(err)
	}
	if got.code != 0 || strings.Contains(got.stdout, "\nwarn") || strings.Contains(got.stdout, "\nfail") {
		t.Errorf("doctor exits %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}
