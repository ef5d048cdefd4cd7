package httpd

import "testing"

// TestSize: a limit is said as people say it, its param stays a number.
func TestSize(t *testing.T) {
	for n, want := range map[Size]string{100: "100 B", 64 << 10: "64 KB", 5657940: "5.4 MB", 8 << 20: "8 MB"} {
		if zh, en := n.Words(); zh != want || en != want {
			t.Errorf("%d: got %q, %q, want %q", n, zh, en, want)
		}
	}
}
