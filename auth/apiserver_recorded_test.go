package auth

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recording is a request to a real API server and its answer: testdata/kubernetes/README.md.
type recording struct {
	request *http.Request
	asked   []byte // body of the request
	status  int
	header  http.Header
	body    []byte // of the answer
}

// recordings reads all of testdata/kubernetes, by name.
func recordings(t testing.TB) map[string]*recording {
	t.Helper()
	paths, err := filepath.Glob("testdata/kubernetes/*.request")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	all := map[string]*recording{}
	for _, path := range paths {
		name := strings.TrimSuffix(path, ".request")
		all[filepath.Base(name)] = readRecording(t, name)
	}
	return all
}

func readRecording(t testing.TB, path string) *recording {
	t.Helper()
	message := func(suffix string) *bufio.Reader {
		content, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		return bufio.NewReader(bytes.NewReader(content))
	}
	var r recording
	var err error
	if r.request, err = http.ReadRequest(message(".request")); err != nil {
		t.Fatalf("%s.request: %v", path, err)
	}
	if r.asked, err = io.ReadAll(r.request.Body); err != nil {
		t.Fatalf("%s.request: %v", path, err)
	}
	response, err := http.ReadResponse(message(".response"), r.request)
	if err != nil {
		t.Fatalf("%s.response: %v", path, err)
	}
	defer response.Body.Close()
	r.status, r.header = response.StatusCode, response.Header
	if r.body, err = io.ReadAll(response.Body); err != nil {
		t.Fatalf("%s.response: %v", path, err)
	}
	return &r
}

// answer sends what was recorded. What has to vary is edited in the decoded body; with
// edit nil the bytes are those of the recording.
func (r *recording) answer(w http.ResponseWriter, edit func(body map[string]any)) {
	content := r.body
	if edit != nil {
		var body map[string]any
		err := json.Unmarshal(content, &body)
		if err == nil {
			edit(body)
			content, err = json.Marshal(body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusTeapot)
			return
		}
	}
	for name, values := range r.header {
		if name != "Content-Length" && name != "Date" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(content)
}

// bearer is the token of the recorded request.
func (r *recording) bearer() string {
	return strings.TrimPrefix(r.request.Header.Get("Authorization"), "Bearer ")
}
