//go:build unix

package auth

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

func TestTokensFileMode(t *testing.T) {
	_, line := newToken(t, "a")
	for mode, good := range map[os.FileMode]bool{0o400: true, 0o440: true, 0o640: true, 0o604: false, 0o644: false,
		0o622: false, 0o602: false, 0o666: false} {
		path := tokensFile(t, line)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := LoadTokens(path)
		var option *OptionError
		if (err == nil) != good ||
			err != nil && (!errors.As(err, &option) || option.Value != path || option.Advice == "") {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}

// Whoever can write one of these files decides who gets in, and reading a pipe can hang.
func TestFilesOfTheWrongKind(t *testing.T) {
	f := newAPIFake(t)
	key := newECKey(t, "k1")
	issuer := func(change func(*OIDCOptions, string)) func(string) error {
		return func(path string) error {
			o := OIDCOptions{Issuer: "https://idp.example", Audiences: []string{"gate"}}
			change(&o, path)
			_, err := NewOIDC(o)
			return err
		}
	}
	cluster := func(change func(*KubernetesOptions, string)) func(string) error {
		return func(path string) error {
			o := f.options(t)
			change(&o, path)
			_, err := NewTokenReview(o)
			return err
		}
	}
	ca, set := string(mustRead(t, f.ca.file(t))), string(jwkSet(t, key))
	for option, file := range map[Option]struct {
		content string
		load    func(path string) error
	}{
		OptionTokensFile:         {"# none\n", func(path string) error { _, err := LoadTokens(path); return err }},
		OptionCAFile:             {ca, issuer(func(o *OIDCOptions, path string) { o.CAFile = path })},
		OptionJWKSFile:           {set, issuer(func(o *OIDCOptions, path string) { o.JWKSFile = path })},
		OptionDiscoveryTokenFile: {"abc", issuer(func(o *OIDCOptions, path string) { o.DiscoveryTokenFile = path })},
		OptionAPICAFile:          {ca, cluster(func(o *KubernetesOptions, path string) { o.CAFile = path })},
		OptionAPITokenFile:       {"abc", cluster(func(o *KubernetesOptions, path string) { o.TokenFile = path })},
	} {
		path := oidcFile(t, "file", file.content)
		if err := file.load(path); err != nil {
			t.Errorf("%s: %v", option, err)
		}
		if err := os.Chmod(path, 0o622); err != nil {
			t.Fatal(err)
		}
		if err := file.load(path); !errors.Is(err, safefile.ErrWritable) || !blames(err, option, path) {
			t.Errorf("%s that others can write: %v", option, err)
		}
		pipe := filepath.Join(t.TempDir(), "pipe")
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := file.load(pipe); !errors.Is(err, safefile.ErrNotRegular) || !blames(err, option, pipe) {
			t.Errorf("%s that is a pipe: %v", option, err)
		}
	}
}
