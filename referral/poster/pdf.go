package poster

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
)

// pdf writes a PDF front to back: each object as it comes, and where each
// began at the end. It keeps nothing but those places.
type pdf struct {
	to    io.Writer
	at    int64
	began []int64 // of object 1, 2, …; 0 while it is only promised
	err   error

	z    *zlib.Writer // making one costs more than a page
	into bytes.Buffer
}

func (p *pdf) print(format string, args ...any) {
	if p.err == nil {
		var n int
		n, p.err = fmt.Fprintf(p.to, format, args...)
		p.at += int64(n)
	}
}

// promise gives an object its number before it is written.
func (p *pdf) promise() int {
	p.began = append(p.began, 0)
	return len(p.began)
}

func (p *pdf) object(n int, body string) {
	p.began[n-1] = p.at
	p.print("%d 0 obj\n%s\nendobj\n", n, body)
}

// stream writes an object with bytes that are packed already.
func (p *pdf) stream(n int, dict string, body []byte) {
	p.began[n-1] = p.at
	p.print("%d 0 obj\n<< %s /Length %d >>\nstream\n", n, dict, len(body))
	if p.err == nil {
		var k int
		k, p.err = p.to.Write(body)
		p.at += int64(k)
	}
	p.print("\nendstream\nendobj\n")
}

// end writes where everything is; root is the catalog.
func (p *pdf) end(root int) error {
	start := p.at
	p.print("xref\n0 %d\n0000000000 65535 f \n", len(p.began)+1)
	for _, at := range p.began {
		p.print("%010d 00000 n \n", at)
	}
	p.print("trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(p.began)+1, root, start)
	return p.err
}

// packed is the text as a PDF stream holds it, up to the next one.
func (p *pdf) packed(text []byte) []byte {
	p.into.Reset()
	if p.z == nil {
		p.z = zlib.NewWriter(&p.into)
	} else {
		p.z.Reset(&p.into)
	}
	_, _ = p.z.Write(text) // into memory
	_ = p.z.Close()
	return p.into.Bytes()
}
