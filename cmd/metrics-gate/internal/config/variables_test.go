package config

import (
	"strings"
	"testing"
)

// Every variable that names a file says when the file is read again, and no other does.
func TestFilesSayWhenTheyAreRead(t *testing.T) {
	for _, v := range Declared() {
		switch isFile := strings.HasSuffix(v.Name, "_FILE"); {
		case isFile && v.Read != "reload" && v.Read != "use", !isFile && v.Read != "":
			t.Errorf("%s: read is %q", v.Name, v.Read)
		case isFile != (v.Type == "file"), v.Type == "":
			t.Errorf("%s: type is %q", v.Name, v.Type)
		}
	}
}
