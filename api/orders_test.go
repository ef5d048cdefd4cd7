package api

import (
	"fmt"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/clock"
)

// TestPaymentOfAnotherTime: a payment of 1970 or of next week is refused with
// the field and what to do, in both languages; one that names no moment, or a
// true one, is noted.
func TestPaymentOfAnotherTime(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		order, now := orderOf(t, h), h.DB.Clock.Now()
		for at, status := range map[string]int{
			"1970-01-01T00:00:00Z": 422, "1970-01-01T08:00:01+08:00": 422, "0001-01-01T00:00:01Z": 422,
			clock.MilliOf(now.Add(7 * 24 * time.Hour)).String(): 422, clock.MilliOf(now.Add(-8 * time.Hour)).String(): 422,
		} {
			body := fmt.Sprintf(`{"provider":"mall","payment_no":"p-1","goods_fen":9900,"amount_fen":9900,"paid_at":%q}`, at)
			for _, lang := range []string{"zh-CN", "en"} {
				a := h.call(t, h.keys[east][access.Mall], "POST /v1/orders/"+order+"/payments", body, h.newKey(), "Accept-Language: "+lang)
				p := a.problem()
				if a.status != status || len(p.Fields) != 1 || p.Fields[0].Name != "paid_at" || p.Fields[0].Message == "" {
					t.Errorf("paid at %s: got %d %s", at, a.status, a.body)
				}
			}
		}
		body := fmt.Sprintf(`{"provider":"mall","payment_no":"p-1","goods_fen":9900,"amount_fen":9900,"paid_at":%q}`, clock.MilliOf(now))
		h.did(t, 200, access.Mall, "POST /v1/orders/"+order+"/payments", body)
	})
}
