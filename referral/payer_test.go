package referral_test

import (
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral"
	"siyu/referral/payee"
)

// TestWhoPaysAReward: its program's payer, else that of its campaign if it
// pays for the program's unit, else the default one; and what a campaign may
// name.
func TestWhoPaysAReward(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		const brand, region id.Unit = 7, 77
		h := newHouse(t, db)
		h.tx(func(tx *database.Tx) error {
			return tx.Exec(`INSERT INTO units (id, parent_id, kind, name, path, version, created_at) VALUES
				(?, 0, 'brand', 'b', ?, 1, 1), (?, ?, 'region', 'r', ?, 1, 1)`,
				brand, brand.String()+"/", region, brand, brand.String()+"/"+region.String()+"/").Error
		})
		people := &payee.Service{DB: db, Secrets: h.Secrets}
		payerOf := func(u id.Unit) id.Payer {
			p, err := people.CreatePayer(bg, payee.PayerIn{UnitID: u, Name: u.String()})
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		ofBrand, second, ofRegion := payerOf(brand), payerOf(brand), payerOf(region)
		inviter, invitee, order := h.member(), h.member(), id.Order(0)
		for _, c := range []struct {
			name           string
			unit           id.Unit
			own, campaigns id.Payer
			want           id.Payer
			refused        bool // for a campaign of the program's unit
		}{
			{"nobody is named", brand, 0, 0, 0, false},
			{"the program's", brand, ofBrand, 0, ofBrand, false},
			{"the program's before the campaign's", brand, ofBrand, second, ofBrand, true},
			{"the campaign's", brand, 0, second, second, false},
			{"the campaign's, which pays for a unit below", region, 0, ofBrand, ofBrand, false},
			{"a region's payer does not pay for the brand's program", brand, 0, ofRegion, 0, true},
			{"the region's for its own", region, 0, ofRegion, ofRegion, false},
		} {
			p, err := h.CreateProgram(bg, referral.ProgramIn{UnitID: c.unit, PayerID: c.own, Name: c.name, Scope: "one", Budget: 1_000_000, Rules: everyOrder()})
			if err != nil {
				t.Fatal(err)
			}
			order++
			h.tx(func(tx *database.Tx) error {
				err := referral.CampaignPayerTx(tx, c.unit, p, c.campaigns)
				if f, ok := fault.As(err); c.refused != (err != nil) || ok && f.Fields[0].Name != "payer_id" {
					t.Errorf("%s: got %v", c.name, err)
				}
				return nil
			})
			if order == 1 {
				h.program = p
				h.mustBind(inviter, invitee)
			}
			h.tx(func(tx *database.Tx) error {
				frozen, err := referral.FrozenIn(tx.DB, h.program, []id.Member{invitee}, tx.Now)
				if err != nil {
					return err
				}
				f := frozen[invitee]
				f.Program, f.Version = p, 1
				return referral.PaidTx(tx, referral.PaidOrder{Order: order, Campaign: 3, Item: 4, Unit: c.unit, Invitee: invitee, Goods: 10_000, PaidAt: tx.Now, Frozen: f, Payer: c.campaigns})
			})
			list := h.rewards(referral.RewardFilter{Program: p})
			if len(list) == 0 {
				t.Fatalf("%s: no reward", c.name)
			}
			for _, r := range list {
				if r.PayerID != c.want {
					t.Errorf("%s: paid by %v, want %v", c.name, r.PayerID, c.want)
				}
			}
		}
		h.proven()
	})
}
