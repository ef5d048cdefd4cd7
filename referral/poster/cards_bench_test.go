package poster_test

import (
	"fmt"
	"io"
	"testing"
)

// BenchmarkCards is the time and the memory of one card of a file of many:
// go test -run '^$' -bench Cards -benchmem ./referral/poster
func BenchmarkCards(b *testing.B) {
	s := sheet(b, jpegOf(b, dusk(1050, 1480)), card)
	photo, err := s.Photo()
	if err != nil {
		b.Fatal(err)
	}
	cards, err := s.NewCards(io.Discard, photo)
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		code := fmt.Sprintf("K7M2VE%06d", n)
		if err := cards.Add("https://q.example/i/"+code, code); err != nil {
			b.Fatal(err)
		}
		n++
	}
	if err := cards.Close(); err != nil {
		b.Fatal(err)
	}
}
