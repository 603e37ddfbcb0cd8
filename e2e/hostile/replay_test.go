package hostile_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// Each NAME.http in testdata/answers is a raw answer of a runner. The first line of NAME.want
// lists the statuses that are right, the second says why. NAME.body, if it exists, is the
// body of a 200. A runner with keep-alive stays silent after the answer, so a gate that waits
// for more exceeds the client's timeout: UPSTREAM_TIMEOUT is longer.
func TestRawAnswersOfRunners(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample), "UPSTREAM_TIMEOUT=1m")
	answers, err := filepath.Glob("testdata/answers/*.http")
	if err != nil || len(answers) < 25 {
		t.Fatalf("%d answers, %v", len(answers), err)
	}
	for _, path := range answers {
		name := strings.TrimSuffix(path, ".http")
		t.Run(filepath.Base(name), func(t *testing.T) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			statuses, why := wanted(t, name+".want")
			w.recorder.SetAnswer(func(x *harness.Exchange) {
				x.Send(string(raw))
				if bytes.Contains(raw, []byte("Connection: close")) {
					_ = x.Close()
				}
			})
			reply := w.scrape(t)
			if !slices.Contains(statuses, reply.Status) || reply.Err != nil {
				t.Errorf("%d (%v), want %v: %s", reply.Status, reply.Err, statuses, why)
			}
			body, err := os.ReadFile(name + ".body")
			if err == nil && reply.Status == 200 && reply.Body != string(body) {
				t.Errorf("body\n%q\nwant\n%q", reply.Body, body)
			}
		})
	}
}

// wanted reads the right statuses and the reason.
func wanted(t *testing.T, path string) (statuses []int, why string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first, why, _ := strings.Cut(string(text), "\n")
	for field := range strings.FieldsSeq(first) {
		status, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		statuses = append(statuses, status)
	}
	if len(statuses) == 0 || strings.TrimSpace(why) == "" {
		t.Fatalf("%s: no status or no reason", path)
	}
	return statuses, strings.TrimSpace(why)
}
