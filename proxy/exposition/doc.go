// Package exposition adds constant labels to every sample of a metrics exposition, as a stream,
// in each format that Prometheus negotiates: text 0.0.4 and 1.0.0, OpenMetrics 0.0.1 and 1.0.0,
// and delimited protobuf. All other bytes are copied as they are. A body that Prometheus would
// refuse is refused: a body is never repaired, and never cut short with success. The package knows
// readers and bytes. It must not know HTTP exchanges, scrapers, configuration or logging.
//
// A body takes one of these ways through a Reader:
//
//   - The scanner checks a line of text by the whole grammar (scanner*.go, text.go). It is the
//     reference: the next two yield what it yields, or leave the line to it.
//   - The template takes a line that differs from the line before only in metric name and label
//     values (template*.go). Without it 100,000 series take four times as long.
//   - The cache takes lines that differ from the last body only in sample values (cache.go).
//   - Protobuf is read and written field by field (proto*.go).
//
// FormatOf and Accept decide which formats pass.
package exposition
