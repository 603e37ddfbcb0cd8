package exposition

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// decode reads delimited families with the generated code.
func decode(t testing.TB, body []byte) (families []*dto.MetricFamily) {
	t.Helper()
	for i := 0; i < len(body); {
		size, at := uvarint(body, i)
		i = at + int(size)
		f := new(dto.MetricFamily)
		if err := proto.Unmarshal(body[at:i], f); err != nil {
			t.Fatal(err)
		}
		families = append(families, f)
	}
	return families
}

// labelled adds a label to decoded families, in the order of names, and renames a conflicting one.
func labelled(families []*dto.MetricFamily, name, value string) {
	for _, f := range families {
		for _, m := range f.Metric {
			at := len(m.Label)
			for i, l := range slices.Backward(m.Label) {
				if l.GetName() > name {
					at = i
				} else if l.GetName() == name {
					l.Name = proto.String(prefix + name)
				}
			}
			m.Label = slices.Insert(m.Label, at, &dto.LabelPair{Name: &name, Value: &value})
		}
	}
}

// TestProtobufAgainstStructs compares every field with what labelled makes of the decoded body.
func TestProtobufAgainstStructs(t *testing.T) {
	for _, name := range []string{"runner.proto", "prometheus.proto"} {
		body := fixture(t, name)
		want := decode(t, body)
		labelled(want, "runner_name", "gate-build-linux-01")
		out, err := pass(string(body), kindProtobuf, gateLabels(t, Exported))
		if err != nil {
			t.Fatal(err)
		}
		got := decode(t, []byte(out))
		if len(got) != len(want) {
			t.Fatalf("%s: %d families, want %d", name, len(got), len(want))
		}
		for i := range want {
			if !proto.Equal(got[i], want[i]) {
				t.Errorf("%s: %v\nwant %v", name, got[i], want[i])
			}
		}
	}
}

// TestProtobufKeepsLabelledMetrics labels bodies twice under Keep: a metric that has the label passes
// byte for byte, however it is encoded.
func TestProtobufKeepsLabelledMetrics(t *testing.T) {
	for _, f := range golden(t, "good") {
		if f.kind != kindProtobuf {
			continue
		}
		once, err := pass(string(f.body), f.kind, gateLabels(t, Keep))
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := pass(once, f.kind, gateLabels(t, Keep)); err != nil || twice != once {
			t.Errorf("%s: %v", f.name, err)
		}
	}
}

// TestProtobufWidths labels metrics of about the lengths at which a varint grows.
func TestProtobufWidths(t *testing.T) {
	l := gateLabels(t, Exported)
	for _, base := range []int{0, 128, 16384, 1 << 19} {
		for n := max(0, base-120); n < base+20; n++ {
			value := strings.Repeat("x", n)
			f := &dto.MetricFamily{Name: proto.String("m"), Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{{
				Label: []*dto.LabelPair{{Name: proto.String("runner_name"), Value: &value}},
				Gauge: &dto.Gauge{Value: proto.Float64(1)},
			}}}
			body, err := proto.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			out, err := pass(string(append(binary.AppendUvarint(nil, uint64(len(body))), body...)), kindProtobuf, l)
			if err != nil {
				t.Fatal(err)
			}
			want := []*dto.MetricFamily{f}
			labelled(want, "runner_name", "gate-build-linux-01")
			if n == 0 { // a label without a value does not conflict
				pair := &dto.LabelPair{Name: proto.String("runner_name"), Value: proto.String("gate-build-linux-01")}
				f.Metric[0].Label = []*dto.LabelPair{pair}
			}
			if got := decode(t, []byte(out)); len(got) != 1 || !proto.Equal(got[0], f) {
				t.Fatalf("value of %d bytes", n)
			}
		}
	}
}

// TestProtobufSeveral adds several labels, each with its own policy.
func TestProtobufSeveral(t *testing.T) {
	l, err := Compile(
		Label{"z", "1", Exported}, Label{"b", "2", Override},
		Label{"k", "3", Keep}, Label{"a", "4", Exported},
	)
	if err != nil {
		t.Fatal(err)
	}
	pairs := func(s ...string) (all []*dto.LabelPair) {
		for i := 0; i < len(s); i += 2 {
			all = append(all, &dto.LabelPair{Name: &s[i], Value: &s[i+1]})
		}
		return all
	}
	for _, c := range []struct{ in, want []*dto.LabelPair }{
		{pairs(), pairs("a", "4", "b", "2", "k", "3", "z", "1")},
		{pairs("aa", "x", "l", "y"), pairs("a", "4", "aa", "x", "b", "2", "k", "3", "l", "y", "z", "1")},
		{
			pairs("a", "x", "b", "x", "k", "x", "z", "x"),
			pairs("exported_a", "x", "a", "4", "b", "2", "k", "x", "exported_z", "x", "z", "1"),
		},
		{pairs("a", "", "b", "", "k", "", "z", ""), pairs("a", "4", "b", "2", "k", "", "z", "1")},
		{pairs("z", "x", "exported_z", ""), pairs("a", "4", "b", "2", "k", "3", "z", "1", "exported_z", "x")},
	} {
		f := &dto.MetricFamily{Name: proto.String("m"), Metric: []*dto.Metric{{Label: c.in}, {Label: c.in}}}
		body, err := proto.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		out, err := pass(string(append(binary.AppendUvarint(nil, uint64(len(body))), body...)), kindProtobuf, l)
		if err != nil {
			t.Fatal(err)
		}
		want := &dto.MetricFamily{Name: proto.String("m"), Metric: []*dto.Metric{{Label: c.want}, {Label: c.want}}}
		if got := decode(t, []byte(out)); !proto.Equal(got[0], want) {
			t.Errorf("%v\nwant %v", got[0], want)
		}
	}
}

// TestProtobufLargeFamily labels a family that is handed out in several chunks.
func TestProtobufLargeFamily(t *testing.T) {
	f := &dto.MetricFamily{Name: proto.String("m")}
	for i := range 5000 {
		value := strings.Repeat("v", i%200)
		name := []string{"a", "runner_name", "z"}[i%3]
		f.Metric = append(f.Metric, &dto.Metric{Label: []*dto.LabelPair{{Name: &name, Value: &value}}})
	}
	body, err := proto.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	body = append(binary.AppendUvarint(nil, uint64(len(body))), body...)
	l := gateLabels(t, Override)
	var once, bytewise bytes.Buffer
	r := NewReader(bytes.NewReader(body), &Format{kindProtobuf}, l, Limits{})
	if _, err := r.WriteTo(&once); err != nil {
		t.Fatal(err)
	}
	got := decode(t, once.Bytes())[0]
	for i, m := range got.Metric {
		want := []int{2, 1, 2}[i%3] // the label in the way is replaced
		if len(m.Label) != want {
			t.Fatalf("metric %d: %v", i, m)
		}
	}
	if r.Stats().Samples != 5000 {
		t.Errorf("%+v", r.Stats())
	}
	r.Reset(&pieces{body, 1}, &Format{kindProtobuf}, l, Limits{})
	if _, err := r.WriteTo(&bytewise); err != nil || bytewise.String() != once.String() {
		t.Errorf("by bytes: %v", err)
	}
}
