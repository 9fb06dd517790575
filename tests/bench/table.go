package main

import (
	"fmt"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/clients"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/measure"
)

const mib = 1 << 20

// names of clients.
func names(all []clients.Client) []string {
	var list []string
	for _, client := range all {
		list = append(list, client.Name)
	}
	return list
}

// column picks a number of a sample.
type column func(s sample) float64

func wall(s sample) float64     { return s.Wall.Seconds() }
func cpu(s sample) float64      { return s.CPU.Seconds() }
func peak(s sample) float64     { return float64(s.Peak) / mib }
func requests(s sample) float64 { return float64(s.Requests) }
func uploads(s sample) float64  { return float64(s.Uploads) }
func inFlight(s sample) float64 { return float64(s.InFlight) }
func sent(s sample) float64     { return float64(s.Bytes) }
func failed(s sample) float64   { return float64(len(s.Failed)) }

// blobRequests are those about blobs.
func blobRequests(s sample) float64 {
	n := 0
	for _, entry := range s.Log {
		if strings.Contains(entry.URI, "/blobs/") {
			n++
		}
	}
	return float64(n)
}

func (c column) of(all []sample) []float64 {
	values := make([]float64, len(all))
	for i, s := range all {
		values[i] = c(s)
	}
	return values
}

// median of a column.
func (c column) median(all []sample) float64 { return measure.Median(c.of(all)) }

// worst of a column: its largest value.
func (c column) worst(all []sample) float64 {
	largest := 0.0
	for _, v := range c.of(all) {
		largest = max(largest, v)
	}
	return largest
}

// ratio of ours to a peer's, the median of the rounds.
func (s samples) ratio(c column, ours, peer string) float64 {
	r, _ := measure.Ratio(c.of(s[ours]), c.of(s[peer]))
	return r
}

// table prints one line per client, ours first. unique is what has to be sent at
// least, in bytes, or 0 where nothing was counted.
func (b *bench) table(title string, rows []string, s samples, unique int64) {
	fmt.Fprintf(b.out, "\n%s\n\n", title)
	head := []string{"client", "wall", "ours/its", "CPU", "ours/its", "peak RSS"}
	if unique > 0 {
		head = append(head, "requests", "sent / unique", "in flight")
	}
	b.row(head)
	b.row(make([]string, len(head)))
	for _, name := range rows {
		of := s[name]
		cells := []string{
			name,
			seconds(column(wall).median(of)), fmt.Sprintf("%.2f", s.ratio(wall, rows[0], name)),
			seconds(column(cpu).median(of)), fmt.Sprintf("%.2f", s.ratio(cpu, rows[0], name)),
			fmt.Sprintf("%.0f MiB", column(peak).median(of)),
		}
		if unique > 0 {
			cells = append(cells,
				span(column(requests).of(of)),
				fmt.Sprintf("%.3f", column(sent).median(of)/float64(unique)),
				fmt.Sprintf("%.0f", column(inFlight).worst(of)))
		}
		if n := column(failed).worst(of); n > 0 {
			cells[0] += " (failed)"
		}
		b.row(cells)
	}
}

func (b *bench) row(cells []string) {
	for i, cell := range cells {
		if cell == "" {
			cells[i] = "---"
		}
	}
	fmt.Fprintf(b.out, "| %s |\n", strings.Join(cells, " | "))
}

func seconds(s float64) string {
	if s < 10 {
		return fmt.Sprintf("%.2f s", s)
	}
	return fmt.Sprintf("%.1f s", s)
}

// span is a number, or from the least to the largest.
func span(values []float64) string {
	if len(values) == 0 {
		return "none"
	}
	least, largest := values[0], values[0]
	for _, v := range values {
		least, largest = min(least, v), max(largest, v)
	}
	if least == largest {
		return fmt.Sprintf("%.0f", least)
	}
	return fmt.Sprintf("%.0f to %.0f", least, largest)
}

// figure is one promise of docs/design.md.
type figure struct {
	what string
	got  float64
	most float64
	unit string
}

// figures prints which promises are kept.
func (b *bench) figures(all ...figure) {
	fmt.Fprintln(b.out)
	for _, f := range all {
		verdict := "met"
		if f.got > f.most {
			verdict = "**unmet**"
		}
		fmt.Fprintf(b.out, "- %s: %s: %s, at most %s asked for\n", verdict, f.what, amount(f.got, f.unit), amount(f.most, f.unit))
	}
}

func amount(n float64, unit string) string {
	text := strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", n), "0"), ".")
	return strings.TrimSpace(text + " " + unit)
}
