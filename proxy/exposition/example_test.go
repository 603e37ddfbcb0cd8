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
	fmt.Println(exposition.Accept([]string{"application/openmetrics-text; version=2.0.0, text/plain; version=1.0.0; q=0.5, */*; q=0.1"}))
	// Output: text/plain;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.1
}
