package poster_test

import (
	"fmt"
	"testing"

	"siyu/referral/poster"
)

// sized counts the bytes of a file.
type sized int64

func (n *sized) Write(b []byte) (int, error) {
	*n += sized(len(b))
	return len(b), nil
}

// BenchmarkCards is the time and the memory of one card of a file of many, and
// of a file of the most, with its size:
// go test -run '^$' -bench Cards -benchmem ./referral/poster
func BenchmarkCards(b *testing.B) {
	s := sheet(b, jpegOf(b, dusk(1050, 1480)), card)
	photo, err := s.Photo()
	if err != nil {
		b.Fatal(err)
	}
	var size sized
	begin := func() *poster.Cards {
		size = 0
		cards, err := s.NewCards(&size, photo)
		if err != nil {
			b.Fatal(err)
		}
		return cards
	}
	add := func(cards *poster.Cards, n int) {
		code := fmt.Sprintf("K7M2VE%06d", n)
		if err := cards.Add("https://q.example/i/"+code, code); err != nil {
			b.Fatal(err)
		}
	}
	end := func(cards *poster.Cards) {
		if err := cards.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("one", func(b *testing.B) {
		cards, n := begin(), 0
		for b.Loop() {
			add(cards, n)
			n++
		}
		end(cards)
	})
	b.Run("file", func(b *testing.B) {
		for b.Loop() {
			cards := begin()
			for n := range 2000 {
				add(cards, n)
			}
			end(cards)
		}
		b.ReportMetric(float64(size)/1e6, "MB/file")
	})
}
