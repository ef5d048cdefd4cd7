package referral_test

import (
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral"
	"siyu/referral/payee"
	"siyu/referral/review"
)

// TestOnePersonIsRefused: two members who are paid under one identity number
// are one person, and two paid to one account are looked at.
func TestOnePersonIsRefused(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, everyOrder())
		pay := &payee.Service{DB: db, Secrets: h.Secrets}
		enter := func(m id.Member, number, card string) {
			t.Helper()
			_, err := pay.Enter(database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: m}), m, payee.Entry{
				ConsentVersion: "payout-1", Details: payee.Details{Type: payee.TypeNatural, Name: "王小明", IDNo: number,
					Phone: "13800000000", Kind: payee.AccountBank, CardNo: card, BankName: "招商银行"}})
			if err != nil {
				t.Fatal(err)
			}
		}
		for i, c := range []struct {
			hers, his  [2]string
			want       referral.Review
			wantReason review.Rule
		}{
			{[2]string{"11010519491231002X", "6222020000000000000"}, [2]string{"11010519491231002X", "6222021111111111119"}, referral.ReviewRefused, review.RuleSamePerson},
			{[2]string{"440524188001010014", "6222022222222222228"}, [2]string{"420111198203251029", "6222022222222222228"}, referral.ReviewOpen, review.RuleSameAccount},
		} {
			anna, bob := h.member(), h.member()
			h.mustBind(anna, bob)
			enter(anna, c.hers[0], luhn(c.hers[1]))
			enter(bob, c.his[0], luhn(c.his[1]))
			h.pay(id.Order(10+i), bob, 10_000)
			h.drain()
			list := h.rewards(referral.RewardFilter{Member: anna})
			if len(list) != 1 || list[0].Review != c.want {
				t.Fatalf("rewards: got %+v, want review %s", list, c.want)
			}
			cases, err := (&review.Service{DB: db}).ListCases(bg, review.Filter{Member: anna}, database.Page{})
			if err != nil || len(cases.Items) != 2 || cases.Items[0].Reasons[0].Rule != c.wantReason {
				t.Errorf("cases: got %+v, %v", cases, err)
			}
		}
		h.mature()
		h.proven()
	})
}

// luhn gives the card the check digit it needs.
func luhn(card string) string {
	for last := byte('0'); last <= '9'; last++ {
		text := card[:len(card)-1] + string(last)
		sum := 0
		for i := range text {
			d := int(text[len(text)-1-i] - '0')
			if i%2 == 1 {
				if d *= 2; d > 9 {
					d -= 9
				}
			}
			sum += d
		}
		if sum%10 == 0 {
			return text
		}
	}
	panic("no digit fits")
}
