package exposition_test

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/metrics-gate/metrics-gate/proxy/exposition"
)

const body = `# TYPE jobs gauge
jobs{state="running"} 3
jobs{runner_name="old",state="idle"} 1
concurrent 4
`

func ExampleReader() {
	format, _ := exposition.FormatOf("text/plain; version=0.0.4")
	labels, _ := exposition.Compile(exposition.Label{Name: "runner_name", Value: "build-1"})
	r := exposition.NewReader(strings.NewReader(body), format, labels, exposition.Limits{})
	if _, err := io.Copy(os.Stdout, r); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%+v\n", r.Stats())
	// Output:
	// # TYPE jobs gauge
	// jobs{state="running",runner_name="build-1"} 3
	// jobs{exported_runner_name="old",state="idle",runner_name="build-1"} 1
	// concurrent{runner_name="build-1"} 4
	// {Samples:3 Conflicts:1}
}

// A body that breaks off is an error, and never ends like a whole one.
func ExampleReader_truncated() {
	format, _ := exposition.FormatOf("application/openmetrics-text; version=1.0.0")
	r := exposition.NewReader(strings.NewReader("concurrent 4\n"), format, nil, exposition.Limits{})
	_, err := io.Copy(io.Discard, r)
	fmt.Println(err)
	// Output: exposition breaks off
}

func ExampleAccept() {
	header := []string{"application/openmetrics-text; version=2.0.0, text/plain; version=1.0.0; q=0.5, */*; q=0.1"}
	fmt.Println(exposition.Accept(header))
	// Output: text/plain;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.1
}

// The media type decides; a charset says nothing.
func ExampleFormatOf() {
	for _, contentType := range []string{"text/plain; charset=UTF8", "application/vnd.google.protobuf", "text/html"} {
		fmt.Println(exposition.FormatOf(contentType))
	}
	// Output:
	// text/plain <nil>
	// application/vnd.google.protobuf <nil>
	// <nil> content type "text/html": not an exposition that can be labelled
}

// Each label has its own policy for samples that have it already.
func ExampleCompile() {
	labels, err := exposition.Compile(
		exposition.Label{Name: "runner_name", Value: "build-1"},
		exposition.Label{Name: "state", Value: "any", Conflict: exposition.Keep},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	r := exposition.NewReader(strings.NewReader(body), new(exposition.Format), labels, exposition.Limits{})
	_, _ = io.Copy(os.Stdout, r)
	_, err = exposition.Compile(exposition.Label{Name: "le", Value: "1"})
	fmt.Println(err)
	// Output:
	// # TYPE jobs gauge
	// jobs{state="running",runner_name="build-1"} 3
	// jobs{exported_runner_name="old",state="idle",runner_name="build-1"} 1
	// concurrent{runner_name="build-1",state="any"} 4
	// label name "le": reserved
}

// A Reader is used again for the next scrape. It keeps its buffers and the last body.
func ExampleReader_Reset() {
	labels, _ := exposition.Compile(exposition.Label{Name: "runner_name", Value: "build-1"})
	var r exposition.Reader
	for _, scrape := range []string{"concurrent 4\n", "concurrent 5\n"} {
		r.Reset(strings.NewReader(scrape), new(exposition.Format), labels, exposition.Limits{})
		_, _ = io.Copy(os.Stdout, &r)
	}
	// Output:
	// concurrent{runner_name="build-1"} 4
	// concurrent{runner_name="build-1"} 5
}

// A line that is too long, like any error, names no part of the body.
func ExampleLimits() {
	r := exposition.NewReader(strings.NewReader(body), new(exposition.Format), nil, exposition.Limits{LineBytes: 20})
	_, err := io.Copy(io.Discard, r)
	fmt.Println(err)
	// Output: line or message too long
}
