package exposition_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testdata is that of the package under test.
const testdata = "../../proxy/exposition/testdata"

func TestFixtures(t *testing.T) {
	for name, contentType := range map[string]string{
		"runner.txt":         text,
		"300-runners.txt.gz": text,
		"caddy.openmetrics":  openMetrics,
		"runner.proto":       protobuf,
		"prometheus.proto":   protobuf,
	} {
		t.Run(name, func(t *testing.T) {
			if !judge(t, read(t, filepath.Join(testdata, "fixtures", name)), contentType) {
				t.Error("refused")
			}
		})
	}
}

// TestGolden judges every golden body by its folder: a good body passes, a bad one does not.
func TestGolden(t *testing.T) {
	for _, verdict := range []string{"good", "bad"} {
		files, err := filepath.Glob(filepath.Join(testdata, verdict, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no %s bodies: %v", verdict, err)
		}
		for _, file := range files {
			t.Run(verdict+"/"+filepath.Base(file), func(t *testing.T) {
				if strings.HasSuffix(file, ".want") {
					return
				}
				contentType := typeOf(t, file)
				body := read(t, file)
				if passed := judge(t, body, contentType); passed != (verdict == "good") {
					t.Errorf("passed: %v", passed)
				}
				if _, err := parse(body, contentType, false); verdict == "good" && err != nil {
					t.Errorf("Prometheus refuses it: %v", err)
				}
			})
		}
	}
}

// typeOf returns the content type that a golden file's extension stands for.
func typeOf(t testing.TB, file string) string {
	t.Helper()
	switch filepath.Ext(file) {
	case ".txt":
		return text
	case ".om":
		return openMetrics
	case ".pb":
		return protobuf
	}
	t.Fatalf("%s: unknown extension", file)
	return ""
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(file) != ".gz" {
		return body
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return body
}
