package cli

import (
	"errors"
	"net/url"
	"testing"
)

// Nothing of a URL is shown that may be secret; scheme, host and path are.
func TestHideURL(t *testing.T) {
	for raw, want := range map[string]string{
		"https://h:1/metrics": "https://h:1/metrics", "h:1/heap": "h:1/heap", "h": "h", "": "",
		"https://h/heap?token=pa55": "https://h/heap?…", "h/heap?token=pa55": "h/heap?…",
		"https://h/a@b?token=pa55":  "https://h/a@b?…",
		"https://user:pa55@h/heap":  "…@h/heap",
		"https://h/heap#pa55":       "https://h/heap?…",
		"https://mg_pa55/heap":      "https://mg_…",
		"http://me:pa/55@h/metrics": "…@h/metrics",
		"https://me:12/pa55@h/heap": "…@h/heap", "https://me:/pa55@h": "…@h",
		"https://me:x@h/?q=a@pa55": "…", "me:x@h?q=a@pa55": "…", "https://me:x?pa55@h": "…",
		"https://h:1/heap?q=a@pa55": "https://h:1/heap?…",
	} {
		if got := HideURL(raw); got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
}

func TestHideErrorURL(t *testing.T) {
	refused := errors.New("refused")
	err := HideErrorURL(&url.Error{Op: "Get", URL: "https://h/heap?token=pa55", Err: refused})
	if !errors.Is(err, refused) || err.Error() != `Get "https://h/heap?…": refused` {
		t.Error(err)
	}
	if got := HideErrorURL(refused); got != refused {
		t.Error(got)
	}
}
