package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// table prints the medians of every subject.
func (l *lab) table() {
	w := tabwriter.NewWriter(l.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\t/s\tp50 ms\tp95\tp99\tp99.9\tserver\tdb\tredis\tload\tothers\tpeak MiB\t")
	for _, name := range l.subjects() {
		fs := l.of(name)
		fmt.Fprintf(w, "%s\t%.0f\t", name, over(fs, rateOf))
		for _, p := range []float64{0.50, 0.95, 0.99, 0.999} {
			fmt.Fprintf(w, "%.1f\t", over(fs, func(f figure) float64 { return millis(f.tally.percentile(p)) }))
		}
		for _, cpu := range []func(figure) time.Duration{serverCPU, baseCPU, redisCPU, loadCPU, othersCPU} {
			fmt.Fprintf(w, "%.0f%%\t", over(fs, func(f figure) float64 { return 100 * float64(cpu(f)) / float64(f.tally.elapsed) }))
		}
		fmt.Fprintf(w, "%.0f\t\n", over(fs, func(f figure) float64 { return float64(f.peak) / (1 << 20) }))
	}
	w.Flush()
	l.printf("medians of %d rounds of %.3gs, %d connections, %s; CPU in percent of one core, others are not of this run\n", l.rounds, l.seconds, l.conns, l.loopName())
	for _, name := range l.subjects() {
		fs := l.of(name)
		l.printf("  %-8s answers of the last round: %s\n", name, fs[len(fs)-1].tally.codesText())
	}
}

func serverCPU(f figure) time.Duration { return f.server }
func baseCPU(f figure) time.Duration   { return f.base }
func redisCPU(f figure) time.Duration  { return f.redis }
func loadCPU(f figure) time.Duration   { return f.load }

func othersCPU(f figure) time.Duration { return f.others }

func (l *lab) loopName() string {
	if l.open > 0 {
		return fmt.Sprintf("open loop of %.0f/s", l.open)
	}
	return "closed loop"
}

// subjects are the names in the order they first came.
func (l *lab) subjects() []string {
	var out []string
	seen := map[string]bool{}
	for _, f := range l.figures {
		if !seen[f.subject] {
			seen[f.subject] = true
			out = append(out, f.subject)
		}
	}
	return out
}

// goals are the ratios a release must reach on a quiet machine.
func (l *lab) goals() map[string]string {
	if l.store.sqlite {
		return map[string]string{"update": "10"}
	}
	return map[string]string{"update": "14, p99 at 64 connections 1/15", "queue": "1.2", "gin": "0.45", "front": "0.60"}
}

// ratios prints ours against each of the others.
func (l *lab) ratios(ours string, others []subject) {
	for _, s := range others {
		goal := ""
		if g := l.goals()[s.name]; g != "" {
			goal = " (goal " + g + ")"
		}
		l.printf("  %.2f × %s; p99 1/%.1f%s\n", l.ratio(ours, s.name, rateOf), s.says,
			l.ratio(s.name, ours, func(f figure) float64 { return millis(f.tally.percentile(0.99)) }), goal)
	}
}

// keepFigures writes the CSV and the chart that were asked for.
func (l *lab) keepFigures(run string) error {
	if len(l.figures) == 0 {
		return nil
	}
	if l.csv != "" {
		if err := os.WriteFile(l.csv, []byte(l.csvText(run)), 0o644); err != nil {
			return err
		}
	}
	if l.svg != "" {
		return os.WriteFile(l.svg, []byte(l.chart(run)), 0o644)
	}
	return nil
}

func (l *lab) csvText(run string) string {
	var b strings.Builder
	b.WriteString("run,engine,subject,round,conns,open_rate,seconds,answers,good,broken,codes,rate,p50_us,p95_us,p99_us,p999_us,cpu_server_ms,cpu_db_ms,cpu_redis_ms,cpu_load_ms,cpu_others_ms,peak_bytes\n")
	for _, f := range l.figures {
		t := f.tally
		fmt.Fprintf(&b, "%s,%s,%s,%d,%d,%.0f,%.3f,%d,%d,%d,%s,%.1f", run, l.store.db.Dialect.Name, f.subject, f.round, l.conns, l.open,
			t.elapsed.Seconds(), t.answers(), f.good, t.broken, t.codesText(), f.rate)
		for _, p := range []float64{0.50, 0.95, 0.99, 0.999} {
			fmt.Fprintf(&b, ",%d", t.percentile(p).Microseconds())
		}
		fmt.Fprintf(&b, ",%d,%d,%d,%d,%d,%d\n", f.server.Milliseconds(), f.base.Milliseconds(), f.redis.Milliseconds(),
			f.load.Milliseconds(), f.others.Milliseconds(), f.peak)
	}
	return b.String()
}
