package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// recorder writes what is asked and answered, in the form of the wire (HTTP/1.1).
type recorder struct {
	*cluster
	dir string
}

// exchange is a request as sent and its answer.
type exchange struct {
	request []byte // head and body
	head    []byte // of the answer
	body    []byte
	status  int
}

// ask makes the request with the gate's headers.
func (c *cluster) ask(q question) (x exchange, err error) {
	method, body := http.MethodGet, []byte(nil)
	if q.body != nil {
		method = http.MethodPost
		if body, err = json.Marshal(q.body); err != nil {
			return x, err
		}
	}
	request, err := http.NewRequest(method, c.url+q.path, bytes.NewReader(body))
	if err != nil {
		return x, err
	}
	if q.bearer != "" {
		request.Header.Set("Authorization", "Bearer "+q.bearer)
	}
	if q.body != nil {
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "application/json")
		request.Header.Set("User-Agent", "metrics-gate")
	} else {
		request.Header.Set("Accept", "application/json, application/jwk-set+json")
	}
	var sent bytes.Buffer
	if err := request.Write(&sent); err != nil {
		return x, err
	}
	x.request = sent.Bytes()
	if request.Body, err = request.GetBody(); err != nil {
		return x, err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return x, err
	}
	defer func() { _ = response.Body.Close() }()
	x.status = response.StatusCode
	if x.head, err = httputil.DumpResponse(response, false); err != nil {
		return x, err
	}
	x.body, err = io.ReadAll(response.Body)
	return x, err
}

func (r recorder) all(questions []question) error {
	for _, q := range questions {
		x, err := r.ask(q)
		if err == nil && x.status != q.status {
			err = fmt.Errorf("status %d, want %d: %s", x.status, q.status, x.body)
		}
		if err == nil {
			err = r.write(q, x)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
	}
	return nil
}

// write writes NAME.request and NAME.response.
func (r recorder) write(q question, x exchange) error {
	for suffix, message := range map[string][]byte{".request": x.request, ".response": append(x.head, x.body...)} {
		if err := os.WriteFile(filepath.Join(r.dir, q.name+suffix), withoutSignatures(message), 0o644); err != nil {
			return err
		}
	}
	return nil
}

var (
	jwt    = regexp.MustCompile(`(eyJ[\w-]+\.eyJ[\w-]+)\.[\w-]{20,}`)
	length = regexp.MustCompile(`(?m)^(Content-Length: \d+|Transfer-Encoding: chunked)`)
)

// withoutSignatures puts a word in the place of tokens' signatures and makes Content-Length
// fit again; what came in chunks gets one too.
func withoutSignatures(message []byte) []byte {
	short := jwt.ReplaceAll(message, []byte("$1.c2lnbmF0dXJl"))
	head, body, _ := bytes.Cut(short, []byte("\r\n\r\n"))
	head = length.ReplaceAll(head, []byte("Content-Length: "+strconv.Itoa(len(body))))
	return append(append(head, "\r\n\r\n"...), body...)
}
