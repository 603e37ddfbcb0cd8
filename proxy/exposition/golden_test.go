package exposition

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the labelled bodies to testdata/want")

// file is a golden body; its name is its verdict, its extension its format.
type file struct {
	name string
	kind kind
	body []byte
}

func golden(t testing.TB, verdict string) (all []file) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", verdict, "*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no %s bodies: %v", verdict, err)
	}
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		kind, ok := map[string]kind{".txt": kindText, ".om": kindOpenMetrics, ".pb": kindProtobuf}[filepath.Ext(name)]
		if !ok {
			t.Fatalf("%s: unknown extension", name)
		}
		all = append(all, file{filepath.Base(name), kind, body})
	}
	return all
}

func TestGoodBodies(t *testing.T) {
	l, err := Compile(Label{Name: "runner_name", Value: "gate"})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range golden(t, "good") {
		got, err := pass(string(f.body), f.kind, l)
		if err != nil {
			t.Errorf("%s: %v", f.name, err)
		}
		name := filepath.Join("testdata", "want", f.name)
		if *update {
			if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil || got != string(want) {
			t.Errorf("%s: %v\n got %.2000q\nwant %.2000q", f.name, err, got, want)
		}
	}
}

func TestBadBodies(t *testing.T) {
	for _, f := range golden(t, "bad") {
		if _, err := pass(string(f.body), f.kind, gateLabels(t, Exported)); err == nil {
			t.Errorf("%s: passes", f.name)
		}
	}
}
