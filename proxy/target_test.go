package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestLiteral(t *testing.T) {
	for target, want := range map[string]bool{
		"/":                      true,
		"/metrics":               true,
		"/metrics?":              true,
		"/metrics?name[]=a%20b":  true,
		"/metrics?a=..//;\\":     true,
		"/debug/pprof/":          true,
		"/debug/pprof/heap?gc=1": true,
		"/metrics/":              true,
		"/...":                   true,
		"/a.b/.c":                true,
		"":                       false,
		"*":                      false,
		"metrics":                false,
		"http://x/metrics":       false,
		"//metrics":              false,
		"//x/metrics":            false,
		"/debug//pprof/":         false,
		"/metrics//":             false,
		"/%6detrics":             false,
		"/metrics%":              false,
		"/debug%2fpprof/":        false,
		"/./metrics":             false,
		"/../metrics":            false,
		"/metrics/.":             false,
		"/metrics/..":            false,
		"/debug/pprof/../../x":   false,
		"/metrics;x=1":           false,
		"/metrics#":              false,
		"/metrics?a#b":           false,
		"/metrics\\":             false,
		"/met rics":              false,
		"/metrics?a b":           false,
		"/metrics\x00":           false,
		"/metrics?\x7f":          false,
		"/métrics":               false,
		"/metrics?é":             false,
		"/metrics\t":             false,
		"localhost:9253":         false,
	} {
		if got := literal(target); got != want {
			t.Errorf("%q: %v, want %v", target, got, want)
		}
	}
}

// FuzzTarget states the law: what passes means the same however it is read.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"/metrics", "/a?b=c", "/%2e", "//x", "/a;b", "/a/../b", "http://x/", "/a#b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		if !literal(target) {
			return
		}
		plain, query, _ := strings.Cut(target, "?")
		u, err := url.ParseRequestURI(target)
		if err != nil {
			t.Fatalf("%q passes and is none: %v", target, err)
		}
		if u.Path != plain || u.RawPath != "" && u.RawPath != plain ||
			u.RawQuery != query || u.Host != "" || u.Scheme != "" || u.Fragment != "" {
			t.Errorf("%q is read as %+v", target, u)
		}
		if clean := path.Clean(plain); clean != plain && clean+"/" != plain {
			t.Errorf("%q is cleaned to %q", plain, clean)
		}
	})
}

// rawServer serves h and returns a function that sends raw bytes to it and reads
// all the answers, until the server closes or has answered n times.
func rawServer(
	t *testing.T,
	h http.Handler,
) func(request string, n int) (statuses []int, headers []http.Header, open bool) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.DisableGeneralOptionsHandler = true
	s.Start()
	t.Cleanup(s.Close)
	return func(request string, n int) (statuses []int, headers []http.Header, open bool) {
		c, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, request)
		in := bufio.NewReader(c)
		for range n {
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				return statuses, headers, false
			}
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			statuses, headers = append(statuses, res.StatusCode), append(headers, res.Header)
			if res.Close {
				return statuses, headers, false
			}
		}
		return statuses, headers, true
	}
}

func TestTargetAndMethodsOverTheWire(t *testing.T) {
	served := 0
	ok := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served++
		_, _ = io.Copy(io.Discard, r.Body)
	})
	get := rawServer(t, SecurityHeaders(Target(Methods("GET", "HEAD")(ok))))
	post := rawServer(t, SecurityHeaders(Target(Methods("GET", "POST")(ok))))
	const host = "Host: x\r\n"
	big := fmt.Sprintf("Content-Length: %d\r\n\r\n%s", MaxBodyBytes+1, strings.Repeat("x", MaxBodyBytes+1))
	for name, c := range map[string]struct {
		send    func(string, int) ([]int, []http.Header, bool)
		request string
		status  int
		open    bool
	}{
		"get":           {get, "GET /metrics HTTP/1.1\r\n" + host + "\r\n", 200, true},
		"get, length 0": {get, "GET /metrics HTTP/1.1\r\n" + host + "Content-Length: 0\r\n\r\n", 200, true},
		"encoded":       {get, "GET /%6detrics HTTP/1.1\r\n" + host + "\r\n", 400, true},
		"absolute form": {get, "GET http://127.0.0.1/metrics HTTP/1.1\r\n" + host + "\r\n", 400, true},
		"options *":     {get, "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", 400, true},
		"connect":       {get, "CONNECT x:443 HTTP/1.1\r\n" + host + "\r\n", 400, true},
		"options":       {get, "OPTIONS /metrics HTTP/1.1\r\n" + host + "\r\n", 405, true},
		"trace":         {get, "TRACE /metrics HTTP/1.1\r\n" + host + "\r\n", 405, true},
		"invented":      {get, "BREW /metrics HTTP/1.1\r\n" + host + "\r\n", 405, true},
		"post to get":   {get, "POST /metrics HTTP/1.1\r\n" + host + "Content-Length: 1\r\n\r\nx", 405, false},
		"get with body": {get, "GET /metrics HTTP/1.1\r\n" + host + "Content-Length: 1\r\n\r\nx", 400, false},
		"get, chunked": {
			get, "GET /metrics HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, false,
		},
		"length and chunked": {
			get,
			"GET /metrics HTTP/1.1\r\n" + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			400, false,
		},
		"get, expect continue": {
			get, "GET /metrics HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n", 400, false,
		},
		"upgrade is ignored": {
			get, "GET /metrics HTTP/1.1\r\n" + host + "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 200, true,
		},
		"post": {post, "POST /symbol HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\n0x1", 200, true},
		"post, chunked": {
			post, "POST /symbol HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n3\r\n0x1\r\n0\r\n\r\n", 400,
			false,
		},
		"post, long": {post, "POST /symbol HTTP/1.1\r\n" + host + big, 413, false},
		"post, length and more": {
			post,
			"POST /symbol HTTP/1.1\r\n" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			400, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			served = 0
			statuses, headers, open := c.send(c.request, 1)
			if len(statuses) != 1 || statuses[0] != c.status || open != c.open {
				t.Fatalf("%v, open %v; want %d, open %v", statuses, open, c.status, c.open)
			}
			if (served == 1) != (c.status == 200) {
				t.Errorf("served %d times", served)
			}
			if c.status == 405 && headers[0].Get("Allow") != "GET, HEAD" {
				t.Errorf("Allow is %q", headers[0].Get("Allow"))
			}
			if c.status != 200 &&
				(headers[0].Get("X-Content-Type-Options") != "nosniff" ||
					headers[0].Get("Cache-Control") != "no-store") {
				t.Errorf("headers %v", headers[0])
			}
		})
	}
	// What follows a refused body is not taken for a request.
	smuggled := "GET /metrics HTTP/1.1\r\n" + host + "Content-Length: 40\r\n\r\n" +
		"GET /metrics HTTP/1.1\r\n" + host + "\r\n"
	if statuses, _, _ := get(smuggled+smuggled, 3); len(statuses) != 1 {
		t.Errorf("smuggled: %v", statuses)
	}
}

func TestRefuse(t *testing.T) {
	w := httptest.NewRecorder()
	Refuse(w, http.StatusForbidden)
	if w.Code != 403 || w.Body.String() != "Forbidden\n" || w.Header().Get("Content-Length") != "10" {
		t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
	}
}
