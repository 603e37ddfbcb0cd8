package auth

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The name of a file is its verdict.
func TestTokensFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/tokens/*.txt")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			set, err := parseTokens(content)
			if good := strings.HasSuffix(file, ".good.txt"); good != (err == nil) {
				t.Fatalf("verdict: %v", err)
			}
			if err != nil {
				if set != nil {
					t.Fatal("tokens and an error")
				}
				checkQuiet(t, err, string(content))
				t.Log(err)
			}
		})
	}
}

// checkQuiet fails if err shows a word of content that could be a secret.
func checkQuiet(t *testing.T, err error, content string) {
	t.Helper()
	for _, word := range strings.Fields(content) {
		if len(word) > 8 && strings.Contains(err.Error(), word) {
			t.Fatalf("error shows %q: %v", word, err)
		}
	}
}

func TestTokensFileErrorsNameTheLine(t *testing.T) {
	_, line := newToken(t, "a")
	_, err := LoadTokens(tokensFile(t, "# one\n"+line+"\n\nb sha256:xx\n"))
	if err == nil || !strings.Contains(err.Error(), "line 4: ") || !strings.HasPrefix(err.Error(), "tokens file /") {
		t.Fatalf("error %v does not name the file and line 4", err)
	}
	_, err = LoadTokens(tokensFile(t, line+"\n"+line))
	if err == nil || !strings.Contains(err.Error(), "line 2: same digest as line 1; remove one") {
		t.Fatalf("error %v does not name both lines", err)
	}
}

func TestTokensFileKind(t *testing.T) {
	_, line := newToken(t, "a")
	t.Run("directory", func(t *testing.T) {
		if _, err := LoadTokens(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Fatal(err)
		}
	})
	t.Run("too large", func(t *testing.T) {
		path := tokensFile(t, strings.Repeat("# comment\n", maxDocument/10+1))
		if _, err := LoadTokens(path); err == nil || !strings.Contains(err.Error(), "larger than") {
			t.Fatal(err)
		}
	})
	t.Run("link", func(t *testing.T) {
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(tokensFile(t, line), link); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadTokens(link); err != nil {
			t.Fatal(err)
		}
	})
}

// Each error says what to write. None shows the line, which may be a secret.
func TestTokensFileErrorsSayTheCure(t *testing.T) {
	secret, line := newToken(t, "a")
	for content, want := range map[string]string{
		"":                              "add the line of a token",
		secret + "\n":                   "this is the token itself",
		"a " + secret + "\n":            "this is the token itself",
		secret + " " + line + "\n":      "this is the token itself",
		"# the token:\n" + secret:       "line 2: this is the token itself",
		"a 930d8537\n":                  "no sha256: before the digest; write it",
		"a\n":                           "want NAME sha256:DIGEST",
		line + "\n" + line + " # again": "remove one",
	} {
		_, err := LoadTokens(tokensFile(t, content))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v, want %s", content, err, want)
		}
	}
}

// Two lines of one name are the old and the new token of a rotation: both pass as one identity.
func TestTwoTokensOfOneName(t *testing.T) {
	before, first := newToken(t, "a")
	after, second := newToken(t, "a")
	tokens, err := LoadTokens(tokensFile(t, first+"\n"+second+"\n"))
	if err != nil || tokens.Len() != 2 || len(tokens.Names()) != 1 {
		t.Fatal(err, tokens)
	}
	for _, secret := range []string{before, after} {
		if id, err := tokens.Authenticate(request("Bearer " + secret)); err != nil || id.Subject != "token:a" {
			t.Errorf("%+v %v", id, err)
		}
	}
}

// FuzzTokensFile states that an accepted file has names that an allow list can write, and that no
// error shows a word of the file.
func FuzzTokensFile(f *testing.F) {
	files, err := filepath.Glob("testdata/tokens/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(content))
	}
	f.Fuzz(func(t *testing.T, content string) {
		set, err := parseTokens([]byte(content))
		if err != nil {
			for _, word := range strings.Fields(content) {
				if len(word) > 40 && strings.Contains(err.Error(), word) {
					t.Fatalf("error shows %q", word)
				}
			}
			return
		}
		for _, id := range set.identities {
			if _, err := ParsePolicy(id.Subject); err != nil {
				t.Fatalf("token %q: %v", id.Subject, err)
			}
		}
	})
}
