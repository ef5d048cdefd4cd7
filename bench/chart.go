package main

import (
	"fmt"
	"html"
	"strings"
)

// chart draws the medians as horizontal bars, readable on a light and on a
// dark page.
func (l *lab) chart(run string) string {
	const width, left, bar, gap, top = 720, 170, 22, 12, 56
	names := l.subjects()
	most := 1.0
	for _, n := range names {
		most = max(most, over(l.of(n), rateOf))
	}
	height := top + len(names)*(bar+gap) + 14
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13" role="img">`+"\n", width, height, width, height)
	title := fmt.Sprintf("%s on %s: answers per second", run, l.store.db.Dialect.Name)
	sub := fmt.Sprintf("median of %d rounds, %d connections, %s", l.rounds, l.conns, l.loopName())
	fmt.Fprintf(&b, "<title>%s</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n", html.EscapeString(title))
	fmt.Fprintf(&b, "<text x=\"12\" y=\"22\" font-size=\"15\" font-weight=\"bold\">%s</text>\n<text x=\"12\" y=\"40\" fill=\"#666\">%s</text>\n",
		html.EscapeString(title), html.EscapeString(sub))
	for i, n := range names {
		rate := over(l.of(n), rateOf)
		y := top + i*(bar+gap)
		long := rate / most * (width - left - 90)
		fill := "#9aa5b1"
		if strings.HasPrefix(n, "siyu") {
			fill = "#c8402f"
		}
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>", left-8, y+bar-6, html.EscapeString(n))
		fmt.Fprintf(&b, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>", left, y, max(long, 1), bar, fill)
		fmt.Fprintf(&b, "<text x=\"%.1f\" y=\"%d\">%s</text>\n", left+long+6, y+bar-6, thousands(rate))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// thousands writes a rate as 31,201.
func thousands(rate float64) string {
	text := fmt.Sprintf("%.0f", rate)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
