package settings

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// The values are those that systemd 252 gives a service with such an EnvironmentFile.
func TestParseReadsTheSyntaxOfSystemd(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"plain", "A=b\nC=d e\n", "A=b|C=d e"},
		{"no newline at the end", "A=b", "A=b"},
		{"blanks", "  A = b \t\r\n\n", "A=b"},
		{"empty", "A=\nB=\"\"\n", "A=|B="},
		{"comments", "# A=1\n; B=2\nC=3 # 4\n", "C=3 # 4"},
		{"a comment that goes on", "# a \\\nA=1\nB=2\n", "B=2"},
		{"dollar", "A=$HOME ${X}\n", "A=$HOME ${X}"},
		{"double quotes", `A="b \" \\ \$ \n c"` + "\n", `A=b " \ $ \n c`},
		{"single quotes", `A='b \n "c'` + "\n", `A=b \n "c`},
		{"quotes within", `A=b"c"d` + "\n", `A=b"c"d`},
		{"parts", `A="b" 'c' d` + "\n", `A=bcd`},
		{"escapes", `A=b\ \"c\\` + "\n", `A=b "c\`},
		{"an escaped blank at the end", "A=b\\ \n", "A=b "},
		{"lines joined", "A=b\\\nc\nD=\"e\\\nf\"\n", "A=bc|D=ef"},
		{"a quoted newline", "A=\"b\nc\"\n", "A=b\nc"},
		{"what systemd ignores", "export X=1\n1Y=2\nZ\nA=b\n", "A=b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			list, wrong := parse(test.text, true)
			if got := strings.Join(list, "|"); got != test.want || wrong != nil {
				t.Errorf("got %q %v, want %q", got, wrong, test.want)
			}
		})
	}
}

func TestParseNamesALostVariable(t *testing.T) {
	for _, text := range []string{
		"export METRICS_GATE_RUNNER_NAME=secret", "METRICS_GATE_RUNNER_NAME", "\ufeffMETRICS_GATE_RUNNER_NAME=x",
	} {
		list, wrong := parse("A=b\n"+text+"\n", true)
		if wrong == nil || list != nil || strings.Contains(wrong.Wrong, "secret") {
			t.Errorf("%q: %q %v", text, list, wrong)
		}
	}
}

// A quote that is not closed takes the rest of the file, and all variables in it.
func TestParseNamesAnOpenQuote(t *testing.T) {
	for _, text := range []string{"A=b\nC=\"secret\nD=e\n", "A=b\nC='secret\nD=e\n", "A=\"x\"\nC=\"secret"} {
		list, wrong := parse(text, true)
		if list != nil || wrong == nil || wrong.Wrong != "line 2: the quote of C is not closed" {
			t.Errorf("%q: %q %v", text, list, wrong)
		}
	}
}

func TestFileWithBOM(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gate.env")
	if err := os.WriteFile(path, []byte("\ufeffMETRICS_GATE_RUNNER_NAME=x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path); runtime.GOOS != "windows" && (err == nil || !strings.Contains(err.Error(), "BOM")) {
		t.Error(err)
	}
}

func TestParseKeepsBackslashesOfWindows(t *testing.T) {
	list, _ := parse("# C:\\\r\nA=C:\\gate\\tls.crt\r\nB=\"C:\\a b\\\"\r\nC=uri:x?y=z\r\n", false)
	if want := []string{`A=C:\gate\tls.crt`, `B=C:\a b\`, `C=uri:x?y=z`}; !slices.Equal(list, want) {
		t.Errorf("%q", list)
	}
}
