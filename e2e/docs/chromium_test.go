package docs

import (
	"bytes"
	"context"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// chromium opens url in a browser with an empty profile. It returns the browser's output
// (with --dump-dom the loaded page) and its log.
func chromium(t testing.TB, url string, args ...string) (page, log string) {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is missing: apt-get install chromium")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	all := []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir=" + t.TempDir(), "--enable-logging=stderr",
		"--hide-scrollbars"}
	cmd := exec.CommandContext(ctx, path, append(append(all, args...), url)...)
	var out, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errors
	if err := cmd.Run(); err != nil {
		t.Fatalf("chromium: %v\n%s", err, errors.String())
	}
	return out.String(), errors.String()
}

const hostileName = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`

// statusPage returns a gate that a client with HTML in its name has scraped.
func statusPage(t *testing.T) *harness.Gate {
	t.Helper()
	runner := harness.StartRunner(t, harness.Replay(t))
	p := newSetup(t, runner.Address, "METRICS_ALLOW=*")
	gate := harness.StartGate(t, p.environ...)
	hostile, err := p.CA.Issue(testca.Options{CommonName: hostileName})
	if err != nil {
		t.Fatal(err)
	}
	response, err := p.Client(hostile).Get("https://" + gate.Address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return gate
}

// The browser shows the page without running scripts from it, loading other resources or
// logging errors.
func TestStatusPageInABrowser(t *testing.T) {
	gate := statusPage(t)
	page, log := chromium(t, "http://"+gate.Admin+"/", "--dump-dom")
	page = strings.ReplaceAll(page, "<wbr>", "") // where names may break
	for _, want := range []string{
		": runner up - metrics-gate</title>", "Last scrapes", "<span class=\"ok\">200</span>",
		"&lt;img src=x onerror=\"document.title='owned'\"&gt;&lt;script&gt;",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, never := range []string{"<img", "<script", "<title>owned"} {
		if strings.Contains(page, never) {
			t.Errorf("%q is in the page", never)
		}
	}
	if strings.Contains(log, "CONSOLE") || strings.Contains(log, "Content Security Policy") {
		t.Errorf("the browser logs:\n%s", log)
	}
	if t.Failed() {
		t.Log(page)
	}
}

// The page has a light and a dark style, and fits a small window.
func TestStatusPageHasLightAndDarkStyles(t *testing.T) {
	gate := statusPage(t)
	light := shot(t, gate, "--window-size=1000,900")
	dark := shot(t, gate, "--window-size=1000,900", "--blink-settings=preferredColorScheme=0")
	if light < 0xf0 || dark > 0x20 {
		t.Errorf("background: light %#x, dark %#x", light, dark)
	}
	// The page is made for phones.
	page, log := chromium(t, "http://"+gate.Admin+"/", "--dump-dom", "--window-size=500,900")
	if !strings.Contains(page, `name="viewport"`) || strings.Contains(log, "CONSOLE") {
		t.Error("not for phones")
	}
}

// shot takes a screenshot and returns the brightness of the background.
func shot(t *testing.T, gate *harness.Gate, args ...string) byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.png")
	chromium(t, "http://"+gate.Admin+"/", append(args, "--screenshot="+file)...)
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	picture, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	r, g, b, _ := picture.At(1, 1).RGBA()
	return byte((r + g + b) / 3 >> 8)
}
