package qr

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"sync"
)

// level is where rows that repeat come out smallest; above it deflate only
// searches longer among them.
const level = 4

// deflaters are kept: making one costs more than drawing a symbol with it.
var deflaters = sync.Pool{New: func() any {
	z, _ := zlib.NewWriterLevel(nil, level) // the level exists
	return z
}}

// PNG draws the symbol with so many pixels per module. The palette has white
// first, so that the quiet border is zeros. Every row of a module is the same
// bytes unfiltered, which deflate says in a few bits.
func (s Symbol) PNG(module int) []byte {
	side := s.Side() * module
	var b bytes.Buffer
	b.Grow(1024)
	b.WriteString("\x89PNG\r\n\x1a\n")
	var head [13]byte
	binary.BigEndian.PutUint32(head[0:], uint32(side))
	binary.BigEndian.PutUint32(head[4:], uint32(side))
	head[8], head[9] = 1, 3 // one bit a pixel, of a palette
	chunk(&b, "IHDR", head[:])
	chunk(&b, "PLTE", []byte{255, 255, 255, 0, 0, 0})
	chunk(&b, "IDAT", s.pixels(module))
	chunk(&b, "IEND", nil)
	return b.Bytes()
}

func (s Symbol) pixels(module int) []byte {
	var b bytes.Buffer
	z := deflaters.Get().(*zlib.Writer)
	defer deflaters.Put(z)
	z.Reset(&b)
	row := make([]byte, 1+(s.Side()*module+7)/8) // the first byte says: no filter
	for _, line := range s.rows {
		clear(row)
		for x, dark := range line {
			for px := x * module; dark && px < (x+1)*module; px++ {
				row[1+px/8] |= 0x80 >> (px % 8)
			}
		}
		for range module {
			_, _ = z.Write(row) // into memory
		}
	}
	_ = z.Close()
	return b.Bytes()
}

func chunk(b *bytes.Buffer, kind string, body []byte) {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(body)))
	b.Write(n[:])
	from := b.Len()
	b.WriteString(kind)
	b.Write(body)
	binary.BigEndian.PutUint32(n[:], crc32.ChecksumIEEE(b.Bytes()[from:]))
	b.Write(n[:])
}
