package settlement_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/wechat"
	"siyu/internal/wechat/wechattest"
	"siyu/referral/payee"
	"siyu/referral/settlement"
	"siyu/referral/tax"
	"siyu/wallet"
)

// billed is a house with a channel that pays by bills.
type billed struct {
	*taxed
	pay *wechattest.Pay
}

func newBilled(t testing.TB, db *database.DB) *billed {
	t.Helper()
	h := &billed{taxed: newTaxed(t, db, payee.PayerIn{MchID: wechattest.MerchantID, AppID: wechattest.AppID}), pay: wechattest.New(t, db.Clock.Now)}
	h.Vault = h.people
	h.Bills = billsBy(h.pay.Client(t))
	return h
}

func billsBy(c *wechat.Client) *settlement.Bills {
	return &settlement.Bills{Teller: c, MerchantID: wechattest.MerchantID, AppID: wechattest.AppID, Scene: "1000", Perception: "现金奖励", Remark: "活动奖励",
		Infos: []wechat.Info{{Type: "活动名称", Content: "老友计划"}, {Type: "奖励说明", Content: "邀请好友下单"}}, Least: 10, Most: 500_00, Rate: 1_000_000}
}

// wechat is a member who is paid by WeChat.
func (h *billed) wechat(m id.Member) {
	h.t.Helper()
	h.exec("INSERT INTO members (id, unit_id, name, guest, status, merged_into, version, created_at) VALUES (?, ?, '', 0, 'active', 0, 1, 1)", m, unit)
	h.exec("INSERT INTO identities (id, member_id, kind, app, value, created_at) VALUES (?, ?, 'openid', ?, ?, 1)", int64(m), m, wechattest.AppID, openid(m))
	_, err := h.people.Enter(database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: m}), m, payee.Entry{ConsentVersion: "1", Details: payee.Details{
		Type: payee.TypeNatural, Name: "王小明", IDNo: idNumbers[0], Kind: payee.AccountWechat}})
	h.must(err)
	h.exec("UPDATE payee_versions SET taxpayer_id = ? WHERE payee_id IN (SELECT id FROM payees WHERE member_id = ?)", m, m) // another person each
}

func openid(m id.Member) string { return fmt.Sprintf("oMember%d", m) }

// given pays so many members 20.00 each by bills, which are not asked for yet.
func (h *billed) given(n int) settlement.Payout {
	h.t.Helper()
	var list []reward
	for m := range n {
		h.wechat(id.Member(m + 1))
		list = append(list, reward{member: id.Member(m + 1), amount: 20_00})
	}
	h.clear(list...)
	sid := h.reviewed()
	pid, err := h.CreatePayout(as(cashier), settlement.PayoutIn{SettlementID: sid, Channel: settlement.ChannelBills})
	h.must(err)
	h.must(h.Pay(as(cashier), pid))
	h.must(h.RunPay(bg, pid))
	p, err := h.FindPayout(bg, pid)
	h.must(err)
	return p
}

// bills are those of a payout by number.
func (h *billed) bills(pid id.Payout) []settlement.Bill {
	h.t.Helper()
	page, err := h.ListBills(bg, pid, database.Page{Limit: database.PageMax})
	h.must(err)
	slices.SortFunc(page.Items, func(a, b settlement.Bill) int { return strings.Compare(a.No, b.No) })
	return page.Items
}

// stand is where the bills of a payout are, in short.
func (h *billed) stand(pid id.Payout) (out []string) {
	h.t.Helper()
	for _, b := range h.bills(pid) {
		s := fmt.Sprintf("%d/%d %s", b.LineNo, b.Try, b.Status)
		if b.Code != "" {
			s += " " + b.Code
		}
		out = append(out, s)
	}
	return out
}

func (h *billed) stands(pid id.Payout, want ...string) {
	h.t.Helper()
	if got := h.stand(pid); !cmp.Equal(got, want) {
		h.t.Errorf("bills (-want +got):\n%s", cmp.Diff(want, got))
	}
	h.proven()
}

// later moves the clock and works what is due then.
func (h *billed) later(d time.Duration) {
	h.t.Helper()
	h.jump(d)
	h.work()
}

func (h *billed) notice(billNo string) error {
	h.t.Helper()
	return h.noticed(h.pay.Notice(h.t, "/", billNo))
}

func (h *billed) noticed(r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	h.must(err)
	return h.ReadNotice(bg, r.Header, body)
}

func TestBillsAreConfirmed(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newBilled(t, db)
		p := h.given(3)
		h.stands(p.ID, "1/1 made", "2/1 made", "3/1 made")
		h.work()
		h.stands(p.ID, "1/1 waiting", "2/1 waiting", "3/1 waiting")
		list, err := h.ToConfirm(bg, 1)
		no := h.bills(p.ID)[0].No
		if h.must(err); len(list) != 1 || list[0].No != no || list[0].Net != 20_00 || list[0].MerchantID != wechattest.MerchantID || list[0].AppID != wechattest.AppID ||
			!strings.HasPrefix(list[0].Package, "package_") || list[0].UntilAt != now(db).Add(24*time.Hour) {
			t.Fatalf("to confirm: %+v", list)
		}
		if n := h.balance(wallet.StagePaying, 1); n != 20_00 {
			t.Errorf("paying %s while nobody confirmed", n)
		}

		// One result comes by notice, twice; one by asking; one payment fails.
		h.pay.Confirm(t, no)
		h.must(h.notice(no))
		h.must(h.notice(no))
		h.pay.Confirm(t, h.bills(p.ID)[1].No)
		h.pay.Fail(t, h.bills(p.ID)[2].No, "PAYEE_ACCOUNT_ABNORMAL")
		h.stands(p.ID, "1/1 paid", "2/1 waiting", "3/1 waiting")
		h.later(10 * time.Minute)
		h.stands(p.ID, "1/1 paid", "2/1 paid", "3/1 failed PAYEE_ACCOUNT_ABNORMAL")
		if paid, paying, owed := h.balance(wallet.StagePaid, 1), h.balance(wallet.StagePaying, 1), h.balance(wallet.StagePayable, 3); paid != 20_00 || paying != 0 || owed != 20_00 {
			t.Errorf("ledger: paid %s, paying %s, the third is owed %s", paid, paying, owed)
		}
		if list, err := h.ToConfirm(bg, 1); err != nil || len(list) != 0 {
			t.Errorf("to confirm in the end: %+v, %v", list, err)
		}
		done, err := h.FindPayout(bg, p.ID)
		if h.must(err); done.Status != settlement.PayoutPaid || done.FailedCount != 1 || h.find(p.SettlementID).Status != settlement.StatusPaid {
			t.Errorf("in the end: %+v", done)
		}
		if got, want := h.kinds(h.sealed().ID), []string{"failed 3 20.00 corrects " + p.ID.String() + "/3"}; !cmp.Equal(got, want) {
			t.Errorf("carried: %s", cmp.Diff(want, got))
		}
		if diff := cmp.Diff(map[string]int64{openid(1): 2000, openid(2): 2000}, h.pay.Paid()); diff != "" {
			t.Errorf("left the merchant (-want +got):\n%s", diff)
		}
		h.proven()
	})
}

func TestNobodyConfirms(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newBilled(t, db)
		p := h.given(1)
		h.work()
		h.jump(24*time.Hour - time.Second)
		if list, err := h.ToConfirm(bg, 1); err != nil || len(list) != 1 {
			t.Errorf("a second before its end: %+v, %v", list, err)
		}
		h.jump(time.Second)
		if list, err := h.ToConfirm(bg, 1); err != nil || len(list) != 0 {
			t.Errorf("at its end by our clock: %+v, %v", list, err)
		}
		h.work()
		// A second number only now that the first is final.
		h.stands(p.ID, "1/1 expired OVERDUE_CLOSE", "1/2 waiting")
		if list, err := h.ToConfirm(bg, 1); err != nil || len(list) != 1 {
			t.Errorf("the next bill: %+v, %v", list, err)
		}
		h.later(25 * time.Hour)
		h.later(25 * time.Hour)
		h.stands(p.ID, "1/1 expired OVERDUE_CLOSE", "1/2 expired OVERDUE_CLOSE", "1/3 expired OVERDUE_CLOSE")
		if l := h.payoutLines(p.ID)[0]; l.Status != settlement.PayoutLineFailed || l.Reason != "expired" || h.balance(wallet.StagePayable, 1) != 20_00 {
			t.Errorf("after three: %+v", l)
		}
		if len(h.pay.Numbers()) != 3 || len(h.pay.Paid()) != 0 {
			t.Errorf("the channel has %v and paid %v", h.pay.Numbers(), h.pay.Paid())
		}
	})
}

// A channel whose own clock is late does not let a bill pay after ours gave it
// up: it is cancelled there first, and its end is the channel's word.
func TestExpiryIsTheChannelsWord(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newBilled(t, db)
		behind := time.Duration(0)
		h.pay.Now = func() time.Time { return db.Clock.Now().Add(-behind) }
		p := h.given(2)
		h.work()
		behind = 3 * time.Hour
		h.later(24*time.Hour + 5*time.Minute)
		h.stands(p.ID, "1/1 waiting", "2/1 waiting")
		h.pay.Confirm(t, h.bills(p.ID)[1].No) // it still can
		h.later(10 * time.Minute)
		h.stands(p.ID, "1/1 moving", "2/1 paid")
		h.later(time.Hour)
		h.stands(p.ID, "1/1 expired", "1/2 waiting", "2/1 paid")
		if state, _ := h.pay.State(h.bills(p.ID)[0].No); state != wechat.StateCancelled {
			t.Errorf("the channel has it as %s", state)
		}
	})
}

func TestNoticesOfStrangers(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newBilled(t, db)
		p := h.given(1)
		h.work()
		no := h.bills(p.ID)[0].No
		forged := h.pay.Notice(t, "/", no)
		forged.Header.Set("Wechatpay-Nonce", "x")
		h.refused(h.noticed(forged), settlement.ErrNotice)
		h.refused(h.noticed(h.pay.NoticeOf(t, "/", map[string]any{"mch_id": wechattest.MerchantID, "out_bill_no": "P1", "state": "SUCCESS"})), fault.NotFound)
		h.must(h.noticed(h.pay.NoticeOf(t, "/", map[string]any{"mch_id": wechattest.MerchantID, "out_bill_no": no, "state": "SUCCESS", "transfer_amount": 1})))
		h.stands(p.ID, "1/1 waiting AMOUNT_DIFFERS")
		bare := &settlement.Service{DB: db}
		h.refused(bare.ReadNotice(bg, forged.Header, nil), fault.NotFound)
	})
}

func TestWhomBillsCannotPay(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newBilled(t, db)
		h.wechat(1)
		h.wechat(2)
		h.member(3, idNumbers[1])
		h.clear(reward{member: 1, amount: 9}, reward{member: 2, amount: 500_01}, reward{member: 3, amount: 5_00})
		sid := h.reviewed()
		in := settlement.PayoutIn{SettlementID: sid, Channel: settlement.ChannelBills}
		p := h.pays(in)
		if got, want := h.holds(p.ID), []string{"1 0.09 bill_amount", "2 500.01 bill_amount", "3 5.00 other_account"}; !cmp.Equal(got, want) || p.LineCount != 0 {
			t.Errorf("held: %s", cmp.Diff(want, got))
		}
		_, err := h.MakeFile(as(cashier), p.ID, 1)
		h.refused(err, settlement.ErrNoFile)
		_, err = h.ImportResults(as(cashier), p.ID, []byte("x"))
		h.refused(err, settlement.ErrNoFile)
		h.exec("UPDATE payers SET mch_id = '1900000110' WHERE id = ?", h.payer)
		_, err = h.CreatePayout(as(cashier), in)
		h.refused(err, settlement.ErrNoBills)
		h.Bills = nil
		_, err = h.CreatePayout(as(cashier), in)
		h.refused(err, settlement.ErrNoBills)
	})
}

// TestBillsAreOfWhatArrives: the bounds of a bill are of what is left after
// tax, which is what it asks the channel for.
func TestBillsAreOfWhatArrives(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newBilled(t, db)
		h.exec("UPDATE payers SET strategy = ?, income_type = ? WHERE id = ?", tax.Incidental20, tax.IncomeIncidental, h.payer)
		for m := range id.Member(4) {
			h.wechat(m + 1)
		}
		h.clear(reward{member: 1, amount: 11}, reward{member: 2, amount: 12}, reward{member: 3, amount: 625_00}, reward{member: 4, amount: 625_01})
		p := h.pays(settlement.PayoutIn{SettlementID: h.reviewed(), Channel: settlement.ChannelBills})
		if got, want := h.holds(p.ID), []string{"1 0.11 bill_amount", "4 625.01 bill_amount"}; !cmp.Equal(got, want) {
			t.Errorf("held: %s", cmp.Diff(want, got))
		}
		var nets []money.Amount
		for _, l := range h.payoutLines(p.ID) {
			nets = append(nets, l.Net)
		}
		if want := []money.Amount{10, 500_00}; !cmp.Equal(nets, want) {
			t.Errorf("paid: %s", cmp.Diff(want, nets))
		}
		var months int
		h.must(db.Read(bg).Raw("SELECT COUNT(*) FROM tax_months").Scan(&months).Error)
		if months != 2 {
			t.Errorf("%d months of tax, of 2 who were paid", months)
		}
		h.proven()
	})
}

// TestBillsOfOnePersonAreTaxedTogether: several members of one chunk may be one
// taxpayer, whose later payments are taxed upon the earlier ones; so are the
// bounds of their bills, and a member who is held counts for none.
func TestBillsOfOnePersonAreTaxedTogether(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newBilled(t, db)
		for m := range id.Member(4) {
			h.wechat(m + 1)
		}
		h.exec("UPDATE payee_versions SET taxpayer_id = 1")
		h.clear(reward{member: 1, amount: 480_00}, reward{member: 2, amount: 700_00}, reward{member: 3, amount: 520_00}, reward{member: 4, amount: 11})
		p := h.pays(settlement.PayoutIn{SettlementID: h.reviewed(), Channel: settlement.ChannelBills})
		// 480 is free of tax; 700 upon it is 624; 520 upon it is 480; 0.11 upon
		// both is 0.09. By itself 520 would be too much for a bill, 0.11 enough.
		if got, want := h.paidLines(p.ID), []string{"1 owed 480.00 tax 0.00 net 480.00 sent", "3 owed 520.00 tax 40.00 net 480.00 sent"}; !cmp.Equal(got, want) {
			t.Errorf("paid (-want +got):\n%s", cmp.Diff(want, got))
		}
		if got, want := h.holds(p.ID), []string{"2 700.00 bill_amount", "4 0.11 bill_amount"}; !cmp.Equal(got, want) {
			t.Errorf("held: %s", cmp.Diff(want, got))
		}
		h.proven()
	})
}

// TestVerifySeesBills breaks every rule about bills on purpose.
func TestVerifySeesBills(t *testing.T) {
	for name, c := range map[string]struct{ sql, want string }{
		"two open":           {"UPDATE payout_bills SET status = 'waiting' WHERE line_no = 1", "/1: is paid by 0 bills, with 1 open"},
		"paid twice":         {"INSERT INTO payout_bills SELECT id + 1000000, 'P0', payout_id, line_id, line_no, 2, member_id, payee_id, payee_no, net, 'paid', 1, 0, '', '', '', 1, 1, 1, 0, 1, called_by, called_at FROM payout_bills WHERE line_no = 1", "/1: is paid by 2 bills"},
		"failed and paid":    {"UPDATE payout_bills SET status = 'paid' WHERE line_no = 2", "/2: has failed, with 1 bills paid"},
		"on its way by none": {"UPDATE payout_bills SET status = 'expired' WHERE line_no = 3", "/3: is on its way by 0 open bills"},
		"of another amount":  {"UPDATE payout_bills SET net = net + 1 WHERE line_no = 3", "/3: has 0 bills in no state and 1 of another payment"},
		"in no state":        {"UPDATE payout_bills SET status = 'x' WHERE line_no = 3", "/3: has 1 bills in no state"},
		"a number left out":  {"UPDATE payout_bills SET try_no = 2 WHERE line_no = 3", "/3: has 1 bills, the last is try 2"},
		"gone":               {"DELETE FROM payout_bills WHERE line_no = 3", "/3: has 0 bills"},
		"of no line":         {"UPDATE payout_bills SET line_id = 5 WHERE line_no = 3", "pays no line of a payout by bills"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newBilled(t, dbtest.Open(t, "sqlite"))
			p := h.given(3)
			h.work()
			all := h.bills(p.ID)
			h.pay.Confirm(t, all[0].No)
			h.pay.Fail(t, all[1].No, "X")
			h.later(10 * time.Minute)
			h.stands(p.ID, "1/1 paid", "2/1 failed X", "3/1 waiting")
			h.exec(c.sql)
			if broken := strings.Join(h.broken(), "\n"); !strings.Contains(broken, c.want) {
				t.Errorf("not named: %q", broken)
			}
		})
	}
}

// The unique number keeps a second bill of a try out, whoever runs beside.
func TestABillIsOnce(t *testing.T) {
	h := newBilled(t, dbtest.Open(t, "sqlite"))
	p := h.given(1)
	b := h.bills(p.ID)[0]
	err := h.DB.Tx(bg, func(tx *database.Tx) error {
		b.ID, b.No = tx.Next(), "P1"
		return tx.Create(&b).Error
	})
	if !database.IsDuplicate(err) {
		t.Errorf("a second bill of the same try: %v", err)
	}
}
