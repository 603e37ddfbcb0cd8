package safefile_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

func readWhole(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/whole.good.pem")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A name that ends in .bad.pem is a bundle to refuse.
func TestBundleFilesAreTakenWholeOrRefused(t *testing.T) {
	files, err := filepath.Glob("testdata/*.pem")
	if err != nil || len(files) < 3 {
		t.Fatalf("only %d files: %v", len(files), err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		certificates, err := safefile.Certificates(path, data)
		if strings.HasSuffix(path, ".bad.pem") {
			var failure *safefile.Error
			if !errors.As(err, &failure) || failure.Path != path || !errors.Is(err, safefile.ErrBroken) {
				t.Errorf("%s: got %d certificates and %v", path, len(certificates), err)
			}
			continue
		}
		if err != nil || len(certificates) != 2 {
			t.Errorf("%s: got %d certificates and %v", path, len(certificates), err)
		}
	}
}

func TestNoCutOfABundleIsASmallerBundle(t *testing.T) {
	whole := readWhole(t)
	const end, begin = "-----END CERTIFICATE-----", "-----BEGIN "
	first := bytes.Index(whole, []byte(end)) + len(end)
	for cut := range len(whole) - 1 {
		if cut >= first && cut <= first+len(begin) {
			continue // nothing of the second certificate is left that could be recognized
		}
		if certificates, err := safefile.Certificates("cut", whole[:cut]); err == nil {
			t.Errorf("cut at %d of %d bytes: %d certificates taken", cut, len(whole), len(certificates))
		}
	}
}

func TestBundleFaults(t *testing.T) {
	whole := readWhole(t)
	block, _ := pem.Decode(whole)
	padded := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: append(slices.Clone(block.Bytes), 0)})
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY"})
	beginLine, endLine := []byte("-----BEGIN CERTIFICATE-----\n"), []byte("-----END CERTIFICATE-----\n")
	pkcs12 := []byte{0x30, 0x05, 0x02, 0x01, 0x03, 0x30, 0x00} // version 3 and an empty content
	trusted := bytes.ReplaceAll(whole, []byte(" CERTIFICATE-"), []byte(" TRUSTED CERTIFICATE-"))
	for name, tc := range map[string]struct {
		data []byte
		want string // part of the error; empty: two certificates
	}{
		"text around blocks":       {slices.Concat([]byte("# ours\n"), whole, []byte("\n# end\n")), ""},
		"UTF-8 byte order mark":    {append([]byte("\xef\xbb\xbf"), whole...), ""},
		"Windows line ends":        {bytes.ReplaceAll(whole, []byte("\n"), []byte("\r\n")), ""},
		"UTF-16":                   {[]byte("\xff\xfe-\x00-\x00"), "UTF-16 byte order mark (BOM)"},
		"nothing":                  {nil, "empty"},
		"blanks":                   {[]byte(" \n"), "empty"},
		"prose":                    {[]byte("no certificate here"), "no PEM block"},
		"DER":                      {block.Bytes, "is not PEM but a certificate in DER"},
		"PKCS #12":                 {pkcs12, "is not PEM but PKCS #12"},
		"begin line lost":          {bytes.Replace(whole, beginLine, nil, 1), "1 of 2 PEM blocks"},
		"end line lost":            {bytes.Replace(whole, endLine, nil, 1), "2 PEM blocks"},
		"base64 damaged":           {bytes.Replace(whole, []byte("\nMII"), []byte("\nM!I"), 1), "1 of 2 PEM blocks"},
		"junk inside a block":      {append(padded, whole...), "certificate 1"},
		"private key":              {slices.Concat(whole, key), "block 3 is PRIVATE KEY"},
		"OpenSSL's own block type": {trusted, "block 1 is TRUSTED"},
	} {
		certificates, err := safefile.Certificates("bundle.pem", tc.data)
		if tc.want == "" {
			if err != nil || len(certificates) != 2 {
				t.Errorf("%s: got %d certificates and %v", name, len(certificates), err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), "bundle.pem: ") || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

func TestTrimBOM(t *testing.T) {
	for text, want := range map[string]string{"a": "a", "\xef\xbb\xbfa": "a", "": "", "\xef\xbb\xbf": ""} {
		if got, err := safefile.TrimBOM([]byte(text)); err != nil || string(got) != want {
			t.Errorf("%q: %q %v", text, got, err)
		}
	}
	for _, text := range []string{"\xff\xfea\x00", "\xfe\xff\x00a"} {
		if got, err := safefile.TrimBOM([]byte(text)); !errors.Is(err, safefile.ErrUTF16) {
			t.Errorf("%q: %q %v", text, got, err)
		}
	}
}
