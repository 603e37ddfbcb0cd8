package configtest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Fields lists the fields of a JSON document by their paths, sorted and once each, one a
// line. The elements of an array have the path of the array with [].
func Fields(t testing.TB, document []byte) string {
	t.Helper()
	var value any
	if err := json.Unmarshal(document, &value); err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	seen := map[string]bool{}
	collect(value, "", seen)
	return strings.Join(slices.Sorted(maps.Keys(seen)), "\n") + "\n"
}

func collect(value any, path string, seen map[string]bool) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			collect(inner, strings.TrimPrefix(path+"."+name, "."), seen)
		}
	case []any:
		for _, inner := range value {
			collect(inner, path+"[]", seen)
		}
	default:
		seen[path] = true
	}
}
