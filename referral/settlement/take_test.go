package settlement

import (
	"testing"
	"time"
)

func TestRowsAfter(t *testing.T) {
	for _, c := range []struct {
		most int
		took time.Duration
		want int
	}{
		{takeMost, 10 * time.Millisecond, takeMost},
		{takeMost, chunkSlow, takeMost},
		{takeMost, chunkSlow + 1, takeMost / 2},
		{takeMost, time.Second, takeMost / 2},
		{300, time.Second, takeLeast},
		{takeLeast, time.Second, takeLeast},
		{1000, chunkQuick, 1000},
		{1000, chunkQuick - 1, 1250},
		{takeMost - 1, 0, takeMost},
	} {
		if got := rowsAfter(c.most, c.took); got != c.want {
			t.Errorf("%d rows in %s: then %d, want %d", c.most, c.took, got, c.want)
		}
	}
}
