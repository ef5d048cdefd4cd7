package qr

import (
	"bytes"
	"strconv"
)

// SVG draws the symbol as one path over white, one unit per module; the size
// in pixels is what a viewer shows that has no better idea.
func (s Symbol) SVG(module int) []byte {
	side, px := strconv.Itoa(s.Side()), strconv.Itoa(s.Side()*module)
	var b bytes.Buffer
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" width="` + px + `" height="` + px +
		`" viewBox="0 0 ` + side + ` ` + side + `" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h` + side + `v` + side + `H0z"/><path d="`)
	for y, line := range s.rows {
		for x := 0; x < len(line); x++ {
			if !line[x] {
				continue
			}
			from := x
			for x < len(line) && line[x] {
				x++
			}
			n := strconv.Itoa(x - from)
			b.WriteString("M" + strconv.Itoa(from) + " " + strconv.Itoa(y) + "h" + n + "v1h-" + n + "z")
		}
	}
	b.WriteString(`"/></svg>`)
	return b.Bytes()
}
