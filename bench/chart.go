package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Measures of the chart, in pixels: the column of names, the room for the
// longest value, a bar with the space below it, and what stands above and below
// all bars.
const (
	chartWidth = 860
	chartNames = 268
	chartValue = 176
	chartBar   = 26
	chartRow   = 46
	chartTop   = 76
	chartFoot  = 34
)

// chartStyle has its own ground, so that the chart reads on any page, and
// follows a reader who prefers dark.
const chartStyle = `<style>
.ground{fill:#fff;stroke:#d8dee4}.text{fill:#1f2328}.quiet{fill:#59636e;font-size:12px}.line{stroke:#e4e8ec}.ours{fill:#c8402f}.other{fill:#8c97a3}
@media(prefers-color-scheme:dark){.ground{fill:#161b22;stroke:#30363d}.text{fill:#e6edf3}.quiet{fill:#9aa4af}.line{stroke:#2a3138}.ours{fill:#e5604e}.other{fill:#6b7682}}
</style>
`

// chart draws the medians as horizontal bars, with what each subject is, its
// rate and its p99.
func (l *lab) chart(run string) string {
	names := l.subjects()
	most := 1.0
	for _, n := range names {
		most = max(most, over(l.of(n), rateOf))
	}
	step := gridStep(most)
	scale := (chartWidth - chartNames - chartValue) / most
	bottom := chartTop + len(names)*chartRow
	title := fmt.Sprintf("%s on %s: answers per second", run, l.store.db.Dialect.Name)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="system-ui,sans-serif" font-size="14" role="img">`+"\n",
		chartWidth, bottom+chartFoot)
	fmt.Fprintf(&b, "<title>%s</title>\n%s", html.EscapeString(title), chartStyle)
	fmt.Fprintf(&b, `<rect class="ground" x=".5" y=".5" width="%d" height="%d" rx="8"/>`+"\n", chartWidth-1, bottom+chartFoot-1)
	fmt.Fprintf(&b, `<text class="text" x="20" y="32" font-size="17" font-weight="600">%s</text>`+"\n", html.EscapeString(title))
	fmt.Fprintf(&b, `<text class="quiet" x="20" y="53">medians of %d rounds of %.3gs, %d connections, %s</text>`+"\n", l.rounds, l.seconds, l.conns, l.loopName())
	for at := 0.0; at <= most; at += step {
		x := chartNames + at*scale
		fmt.Fprintf(&b, `<line class="line" x1="%.1[1]f" y1="%[2]d" x2="%.1[1]f" y2="%[3]d"/><text class="quiet" x="%.1[1]f" y="%[4]d" text-anchor="middle">%[5]s</text>`+"\n",
			x, chartTop-8, bottom-4, bottom+15, thousands(at))
	}
	for i, n := range names {
		l.chartRow(&b, n, chartTop+i*chartRow, scale)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// chartRow draws one subject.
func (l *lab) chartRow(b *strings.Builder, name string, y int, scale float64) {
	of := l.of(name)
	rate := over(of, rateOf)
	class := "other"
	if strings.HasPrefix(name, "siyu") {
		class = "ours"
	}
	long := max(rate*scale, 1)
	fmt.Fprintf(b, `<text class="text" x="%d" y="%d" text-anchor="end" font-weight="600">%s</text>`, chartNames-12, y+12, html.EscapeString(name))
	fmt.Fprintf(b, `<text class="quiet" x="%d" y="%d" text-anchor="end">%s</text>`, chartNames-12, y+28, html.EscapeString(of[0].says))
	fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="3"/>`, class, chartNames, y+2, long, chartBar)
	fmt.Fprintf(b, `<text class="text" x="%.1f" y="%d">%s<tspan class="quiet" dx="8">p99 %.1f ms</tspan></text>`+"\n",
		chartNames+long+8, y+20, thousands(rate), over(of, claimAt(0.99)))
}

// gridStep is 1, 2 or 5 of a power of ten, so that up to five lines fit.
func gridStep(most float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(most)))
	for _, n := range []float64{0.2, 0.5, 1} {
		if most/(power*n) <= 5 {
			return power * n
		}
	}
	return 2 * power
}

// thousands writes a rate as 31,201.
func thousands(rate float64) string {
	text := fmt.Sprintf("%.0f", rate)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
