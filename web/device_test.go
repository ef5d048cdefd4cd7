package web

import (
	"strings"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// TestDeviceIsNoted: two members on one phone share a device, a third on his
// own does not, and a cookie made elsewhere is none.
func TestDeviceIsNoted(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		one := h.signedIn(h.wang)
		one.get("/me").is(t, 200)
		li := h.member("李小红", "m-li")
		token, err := h.s.Access.IssueMemberToken(h.staff, li, 900_000_000_000)
		must(t, err)
		one.get("/me?token=" + token)
		one.get("/me").is(t, 200)
		h.signedIn(h.member("赵小兰", "m-zhao")).get("/me").is(t, 200)
		must(t, h.s.Review.Flush(h.system))
		var people []int
		must(t, db.Read(h.system).Raw("SELECT COUNT(*) FROM sightings WHERE kind = 'device' GROUP BY hash ORDER BY 1").Scan(&people).Error)
		if len(people) != 2 || people[0] != 1 || people[1] != 2 {
			t.Errorf("members by device: got %v, want 1 and 2", people)
		}
		for _, forged := range []string{"", "k1.x.y", strings.Repeat(".", 2), "k1.ABC." + strings.Repeat("A", 43)} {
			if name, ok := h.s.device(forged); ok {
				t.Errorf("%q passed as %q", forged, name)
			}
		}
	})
}
