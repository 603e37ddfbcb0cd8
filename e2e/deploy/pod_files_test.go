package deploy

import (
	"path"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// checkFiles: each file that a variable names is in a volume that is mounted and that the gate may read.
func (g gated) checkFiles(t *testing.T) {
	t.Helper()
	if g.pod.Spec.SecurityContext == nil || g.pod.Spec.SecurityContext.FSGroup == nil {
		t.Error("no fsGroup: a non-root gate cannot read its key")
	}
	files := g.mounted(t)
	for name, value := range g.environ() {
		if strings.HasSuffix(name, "_FILE") && !slices.Contains(files, value) {
			t.Errorf("%s=%s is not among %q", name, value, files)
		}
	}
	if a := g.pod.Spec.AutomountServiceAccountToken; a == nil || *a {
		t.Error("the runner's token is mounted into every container")
	}
	if !slices.ContainsFunc(g.runner.VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == apiAccess }) {
		t.Error("the runner has lost its token")
	}
}

// mounted lists the files that the gate's mounts deliver.
func (g gated) mounted(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, m := range g.gate.VolumeMounts {
		i := slices.IndexFunc(g.pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
		if i < 0 {
			t.Errorf("mount %s has no volume", m.Name)
			continue
		}
		if !m.ReadOnly || m.SubPath != "" || m.MountPath == apiAccess {
			t.Errorf("mount %+v: writable, fixed by subPath, or the runner's token", m)
		}
		for _, name := range volumeFiles(t, g.pod.Spec.Volumes[i]) {
			files = append(files, path.Join(m.MountPath, name))
		}
	}
	return files
}

func volumeFiles(t *testing.T, v corev1.Volume) []string {
	t.Helper()
	items := func(list []corev1.KeyToPath) (names []string) {
		for _, k := range list {
			names = append(names, k.Path)
		}
		return names
	}
	mode := func(m *int32) {
		if m == nil || *m&0o007 != 0 {
			t.Errorf("volume %s: others may read it", v.Name)
		}
	}
	switch {
	case v.Secret != nil:
		mode(v.Secret.DefaultMode)
		if len(v.Secret.Items) == 0 { // a kubernetes.io/tls Secret
			return []string{"tls.crt", "tls.key"}
		}
		return items(v.Secret.Items)
	case v.ConfigMap != nil:
		return items(v.ConfigMap.Items)
	case v.Projected == nil:
		t.Fatalf("volume %s: what is it?", v.Name)
	}
	mode(v.Projected.DefaultMode)
	var names []string
	for _, s := range v.Projected.Sources {
		switch {
		case s.Secret != nil:
			names = append(names, items(s.Secret.Items)...)
		case s.ConfigMap != nil:
			names = append(names, items(s.ConfigMap.Items)...)
		case s.ServiceAccountToken != nil:
			if e := s.ServiceAccountToken.ExpirationSeconds; e == nil || *e < 600 {
				t.Errorf("volume %s: tokens of less than 600 s are refused", v.Name)
			}
			names = append(names, s.ServiceAccountToken.Path)
		}
	}
	return names
}
