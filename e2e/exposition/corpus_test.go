package exposition_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestCorpora judges the bodies that the fuzz targets of the package have collected.
func TestCorpora(t *testing.T) {
	for target, contentType := range map[string]string{
		"FuzzText": text, "FuzzOpenMetrics": openMetrics, "FuzzProtobuf": protobuf,
	} {
		files, err := filepath.Glob(filepath.Join(testdata, "fuzz", target, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no corpus: %v", target, err)
		}
		for _, file := range files {
			judge(t, corpusBody(t, file), contentType)
		}
	}
}

// corpusBody returns the first value of a corpus file, a []byte.
func corpusBody(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(content), "\n")
	if len(lines) < 2 {
		t.Fatalf("%s: no corpus file", file)
	}
	quoted := strings.TrimSuffix(strings.TrimPrefix(lines[1], "[]byte("), ")")
	body, err := strconv.Unquote(quoted)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return []byte(body)
}
