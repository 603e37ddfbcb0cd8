package deploy

import (
	"path"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// fileSource is where a file of a volume comes from.
type fileSource struct {
	ref
	path     string // within the volume; empty for every key of the object
	optional bool
}

// sources are the Secrets and ConfigMaps of a volume, an entry a file.
func sources(ns string, v corev1.Volume) (list []fileSource) {
	add := func(kind, name string, optional *bool, items []corev1.KeyToPath) {
		s := fileSource{ref: ref{kind: kind, namespace: ns, name: name}, optional: optional != nil && *optional}
		if len(items) == 0 {
			list = append(list, s)
		}
		for _, item := range items {
			s.key, s.path = item.Key, item.Path
			list = append(list, s)
		}
	}
	if v.Secret != nil {
		add("Secret", v.Secret.SecretName, v.Secret.Optional, v.Secret.Items)
	}
	if v.ConfigMap != nil {
		add("ConfigMap", v.ConfigMap.Name, v.ConfigMap.Optional, v.ConfigMap.Items)
	}
	if v.Projected != nil {
		for _, s := range v.Projected.Sources {
			if s.Secret != nil {
				add("Secret", s.Secret.Name, s.Secret.Optional, s.Secret.Items)
			}
			if s.ConfigMap != nil {
				add("ConfigMap", s.ConfigMap.Name, s.ConfigMap.Optional, s.ConfigMap.Items)
			}
		}
	}
	return list
}

// checkFiles: each file that a variable names comes from an object of the cluster, through a
// volume that is mounted and that the gate may read.
func (g gated) checkFiles(t *testing.T, c *cluster) {
	t.Helper()
	if g.pod.Spec.SecurityContext == nil || g.pod.Spec.SecurityContext.FSGroup == nil {
		t.Error("no fsGroup: a non-root gate cannot read its key")
	}
	files := g.mounted(t, c)
	for name, value := range g.environ() {
		if strings.HasSuffix(name, "_FILE") && !slices.Contains(files, value) {
			t.Errorf("%s=%s is not among %q", name, value, files)
		}
	}
	if a := g.pod.Spec.AutomountServiceAccountToken; a == nil || *a {
		t.Error("the runner's token is mounted into every container")
	}
	if !slices.ContainsFunc(
		g.runner.VolumeMounts,
		func(m corev1.VolumeMount) bool { return m.MountPath == apiAccess },
	) {
		t.Error("the runner has lost its token")
	}
}

// mounted lists the files that the gate's mounts deliver in this cluster.
func (g gated) mounted(t *testing.T, c *cluster) []string {
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
		checkModes(t, g.pod.Spec.Volumes[i])
		for _, name := range c.files(g.Namespace, g.pod.Spec.Volumes[i]) {
			files = append(files, path.Join(m.MountPath, name))
		}
	}
	return files
}

// files are what a volume holds in this cluster.
func (c *cluster) files(ns string, v corev1.Volume) (names []string) {
	for _, s := range sources(ns, v) {
		switch {
		case s.path != "" && c.has[s.ref]:
			names = append(names, s.path)
		case s.path == "":
			for r := range c.has {
				if r.key != "" && r.kind == s.kind && r.namespace == ns && r.name == s.name {
					names = append(names, r.key)
				}
			}
		}
	}
	if v.Projected != nil {
		for _, s := range v.Projected.Sources {
			if s.ServiceAccountToken != nil {
				names = append(names, s.ServiceAccountToken.Path)
			}
		}
	}
	return names
}

// checkModes: others may not read the files, and tokens live as long as the kubelet demands.
func checkModes(t *testing.T, v corev1.Volume) {
	t.Helper()
	mode := func(m *int32) {
		if m == nil || *m&0o007 != 0 {
			t.Errorf("volume %s: others may read it", v.Name)
		}
	}
	if v.Secret != nil {
		mode(v.Secret.DefaultMode)
	}
	if v.Projected == nil {
		return
	}
	mode(v.Projected.DefaultMode)
	for _, s := range v.Projected.Sources {
		if s.ServiceAccountToken == nil {
			continue
		}
		if e := s.ServiceAccountToken.ExpirationSeconds; e == nil || *e < 600 {
			t.Errorf("volume %s: tokens of less than 600 s are refused", v.Name)
		}
	}
}
