// Package exposition_test compares package exposition with Prometheus' own parsers: what the gate
// makes of a body must be the same series with one more label, and it must refuse the same bodies.
package exposition_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/metrics-gate/metrics-gate/proxy/exposition"
)

// Content types as exporters send them.
const (
	text        = "text/plain; version=0.0.4; charset=utf-8"
	openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"
	protobuf    = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
)

// entry is what a parser returns for one step through a body.
type entry struct {
	kind   textparse.Entry
	meta   string        // of HELP, TYPE, UNIT
	labels labels.Labels // of a series
	values string        // value bit by bit, timestamp, histogram, exemplars, created timestamp
}

// parse reads body as Prometheus does in a scrape. With created it also looks for created
// timestamps: the parser is known to panic when it does.
func parse(body []byte, contentType string, created bool) (entries []entry, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("parser panics: %v", p)
		}
	}()
	p, err := textparse.New(slices.Clone(body), contentType, labels.NewSymbolTable(), textparse.ParserOptions{
		KeepClassicOnClassicAndNativeHistograms: true,
	})
	if err != nil {
		return nil, err
	}
	for {
		kind, err := p.Next()
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return entries, err
		}
		e := entry{kind: kind}
		switch kind {
		case textparse.EntryHelp:
			name, text := p.Help()
			e.meta = fmt.Sprintf("%q %q", name, text)
		case textparse.EntryType:
			name, t := p.Type()
			e.meta = fmt.Sprintf("%q %q", name, t)
		case textparse.EntryUnit:
			name, unit := p.Unit()
			e.meta = fmt.Sprintf("%q %q", name, unit)
		case textparse.EntryComment:
			e.meta = string(p.Comment())
		case textparse.EntrySeries, textparse.EntryHistogram:
			p.Labels(&e.labels)
			e.values = values(p, kind, created)
			if err := storable(e.labels); err != nil {
				return entries, err
			}
		}
		entries = append(entries, e)
	}
}

// values formats everything of a series but its labels.
func values(p textparse.Parser, kind textparse.Entry, created bool) string {
	var b strings.Builder
	if kind == textparse.EntrySeries {
		_, at, v := p.Series()
		fmt.Fprintf(&b, "%016x", math.Float64bits(v))
		if at != nil {
			fmt.Fprintf(&b, " at %d", *at)
		}
	} else {
		_, at, h, f := p.Histogram()
		if at != nil {
			fmt.Fprintf(&b, "at %d", *at)
		}
		fmt.Fprintf(&b, " %+v %+v", h, f)
	}
	for {
		var e exemplar.Exemplar
		if !p.Exemplar(&e) {
			break
		}
		fmt.Fprintf(&b, " # %s %016x %v %d", e.Labels, math.Float64bits(e.Value), e.HasTs, e.Ts)
	}
	if created {
		fmt.Fprintf(&b, " created %d", p.StartTimestamp())
	}
	return b.String()
}

// storable returns why the storage refuses labels that were parsed.
func storable(l labels.Labels) error {
	if name, twice := l.HasDuplicateLabelNames(); twice {
		return fmt.Errorf("label %q given twice", name)
	}
	if !l.IsValid(model.UTF8Validation) {
		return errors.New("invalid metric or label name")
	}
	return nil
}

// expect adds a label as Prometheus' mutateSampleLabels does for a target label, or as Override
// says. To Prometheus a label without a value is no label.
func expect(l labels.Labels, add exposition.Label) labels.Labels {
	b := labels.NewBuilder(l)
	old := l.Get(add.Name)
	switch {
	case add.Conflict == exposition.Keep && l.Has(add.Name):
		return b.Labels()
	case add.Conflict == exposition.Exported && old != "":
		b.Set(add.Name, add.Value)
		name := "exported_" + add.Name
		for b.Get(name) != "" {
			name = "exported_" + name
		}
		b.Set(name, old)
		return b.Labels()
	}
	return b.Set(add.Name, add.Value).Labels()
}

// label labels body with a Reader.
func label(body []byte, contentType string, add exposition.Label) ([]byte, error) {
	f, err := exposition.FormatOf(contentType)
	if err != nil {
		return nil, err
	}
	l, err := exposition.Compile(add)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	_, err = exposition.NewReader(bytes.NewReader(body), f, l, exposition.Limits{}).WriteTo(&out)
	return out.Bytes(), err
}

// judge holds the gate to its laws on one body. What it passes is what Prometheus reads in the
// body, plus the label. What Prometheus refuses, it refuses or leaves as bad as it was. What
// Prometheus reads, it refuses only for a reason of stricter. It returns whether the gate passed it.
func judge(t testing.TB, body []byte, contentType string) bool {
	t.Helper()
	passed := false
	for _, conflict := range []exposition.Conflict{exposition.Exported, exposition.Keep, exposition.Override} {
		add := exposition.Label{Name: "runner_name", Value: "the \"gate\"\\\nüñ", Conflict: conflict}
		out, err := label(body, contentType, add)
		_, refused := parse(body, contentType, false)
		if err != nil {
			if errors.Is(err, io.EOF) {
				t.Fatalf("%v: ends like a good body", conflict)
			}
			if refused == nil && stricter(body, contentType, err) == "" {
				t.Fatalf("%v: refuses what Prometheus reads: %v\n%.2000q", conflict, err, body)
			}
			continue
		}
		passed = true
		if refused != nil {
			if _, err := parse(out, contentType, false); err == nil {
				t.Fatalf("%v: repaired a body that Prometheus refuses: %v\n%.2000q\n%.2000q",
					conflict, refused, body, out)
			}
			continue
		}
		for _, created := range []bool{false, true} {
			same(t, body, out, contentType, add, created)
		}
	}
	return passed
}

// same fails if out does not read as body plus a label. If the parser panics over body there is
// nothing to compare. Created timestamps are not compared in two cases, because Prometheus pairs
// series with their _created series by the text of the labels: if the label exists without a
// value, and under Override if it exists. Then two series become alike.
func same(t testing.TB, body, out []byte, contentType string, add exposition.Label, created bool) {
	t.Helper()
	want, err := parse(body, contentType, created)
	if created && (err != nil || changesPairs(body, contentType, add)) {
		return
	}
	got, err := parse(out, contentType, created)
	if err != nil {
		t.Fatalf("%v: Prometheus refuses what the gate made: %v\n%.2000q\n%.2000q", add.Conflict, err, body, out)
	}
	if len(got) != len(want) {
		t.Fatalf("%v: %d entries, want %d\n%.2000q\n%.2000q", add.Conflict, len(got), len(want), body, out)
	}
	for i, w := range want {
		if w.kind == textparse.EntrySeries || w.kind == textparse.EntryHistogram {
			w.labels = expect(w.labels, add)
		}
		g := got[i]
		g.labels, w.labels = g.labels.WithoutEmpty(), w.labels.WithoutEmpty()
		if g.kind != w.kind || g.meta != w.meta || g.values != w.values || !labels.Equal(g.labels, w.labels) {
			t.Fatalf("%v: entry %d\n got %v\nwant %v\n%.2000q\n%.2000q", add.Conflict, i, g, w, body, out)
		}
	}
}

// changesPairs reports whether a series of body has the label without a value, or at all if add
// overrides it.
func changesPairs(body []byte, contentType string, add exposition.Label) bool {
	entries, _ := parse(body, contentType, false)
	return slices.ContainsFunc(entries, func(e entry) bool {
		return e.labels.Has(add.Name) && (e.labels.Get(add.Name) == "" || add.Conflict == exposition.Override)
	})
}
