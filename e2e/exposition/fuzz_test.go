package exposition_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// The fuzz targets hold the gate to the laws of judge on any body. Their seeds are the golden bodies
// and the captured ones.

func FuzzText(f *testing.F)        { fuzz(f, text, ".txt") }
func FuzzOpenMetrics(f *testing.F) { fuzz(f, openMetrics, ".om", ".openmetrics") }
func FuzzProtobuf(f *testing.F)    { fuzz(f, protobuf, ".pb", ".proto") }

func fuzz(f *testing.F, contentType string, extensions ...string) {
	seeds := 0
	for _, dir := range []string{"good", "bad", "fixtures"} {
		for _, extension := range extensions {
			files, err := filepath.Glob(filepath.Join(testdata, dir, "*"+extension))
			if err != nil {
				f.Fatal(err)
			}
			for _, file := range files {
				seeds++
				f.Add(read(f, file))
			}
		}
	}
	if seeds == 0 {
		f.Fatalf("no seeds: %s", strings.Join(extensions, " "))
	}
	f.Fuzz(func(t *testing.T, body []byte) { judge(t, body, contentType) })
}
