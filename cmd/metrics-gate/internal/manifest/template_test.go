package manifest

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/configtest"
)

// The marks of a template, filled in: texts of several lines at the depth of their mark, no empty
// lines, and no mark looked for in a text.
func TestFill(t *testing.T) {
	for template, want := range map[string]string{
		"a: [[one]]\n":                  "a: 1\n",
		"a:\n  [[two]]\nb\n":            "a:\n  x:\n    y\nb\n",
		"a\n  [[none]]\n\nb\n":          "a\nb\n",
		"[[marked]] [[item]]\n":         "[[one]] i\n",
		"{{ .One }} # [[none]]stays\n":  "{{ .One }} # stays\n",
		"[[unknown]]: a typo is seen\n": "[[unknown]]: a typo is seen\n",
	} {
		all := texts{"one": "1", "two": "x:\n  y", "none": "", "marked": "[[one]]"}
		if got := all.fill(template, texts{"item": "i"}); got != want {
			t.Errorf("%q: %q, want %q", template, got, want)
		}
	}
}

// Every mark of every template is of something that is given to it.
func TestMarks(t *testing.T) {
	c := configtest.Load(t)
	v := newView(c, options{RunnerNamespaces: words{"a"}})
	h := chart{files: []file{{value: "tokens", name: "tokens"}}}
	names, repeated := v.texts(), v.lists()
	maps.Copy(names, h.texts(c, v))
	maps.Copy(repeated, h.lists(v))
	for _, items := range repeated {
		for _, item := range items {
			maps.Copy(names, item)
		}
	}
	files, err := templates.ReadDir("templates")
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	known := append(slices.Collect(maps.Keys(names)), "between", "end")
	for list := range repeated {
		known = append(known, "for "+list)
	}
	for _, file := range files {
		text, err := templates.ReadFile("templates/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		marks := regexp.MustCompile(`\[\[(.*?)\]\]`).FindAllStringSubmatch(string(text), -1)
		for _, mark := range marks {
			if !slices.Contains(known, mark[1]) {
				t.Errorf("%s: %s is of nothing", file.Name(), mark[0])
			}
		}
		if opened := strings.Count(string(text), "[[for "); len(marks) == 0 ||
			opened != strings.Count(string(text), "[[end]]\n") {
			t.Errorf("%s: %d [[for, but other [[end]]", file.Name(), opened)
		}
	}
}

// What is printed has no mark left, whatever the way in which Prometheus authenticates.
func TestNoMarkIsLeft(t *testing.T) {
	for _, allow := range []string{"dns:prometheus.demo", "token:prometheus", "user:prometheus",
		"user:system:serviceaccount:a:b"} {
		for _, insecure := range []bool{false, true} {
			c := configtest.Load(t, oidc()...)
			c.Allow.Metrics = policy(t, allow)
			if insecure {
				c.TLS = config.TLS{InsecureHTTP: true}
			}
			for kind := range printers() {
				if kind == "helm-values" && scraper(c) == byServiceAccount {
					continue // refused, see TestHelmValuesRefuse
				}
				text := printKind(t, c, kind, "--runner-namespace=a,b", "--labels=a=b")
				if mark := regexp.MustCompile(`\[\[.*`).FindString(text); mark != "" {
					t.Errorf("%s for %s: %s is left", kind, allow, mark)
				}
			}
		}
	}
}

// A comment names the runner's port as it is configured.
func TestRunnerPort(t *testing.T) {
	c := configtest.Load(t, config.Prefix+"UPSTREAM_URL=127.0.0.1:9262")
	for _, kind := range []string{"networkpolicy", "kubernetes_sd"} {
		text, err := printers()[kind].print(c, options{})
		if err != nil || strings.Contains(text, "9252") || !strings.Contains(text, "9262") {
			t.Errorf("%s: %v\n%s", kind, err, text)
		}
	}
}
