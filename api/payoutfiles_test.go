package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral/payfile"
	"siyu/referral/settlement"
)

const someResults = "序号,金额,处理结果\n1,560.00,成功\n"

// sentPayoutOf is a payout of one member by a bank's file, on its way.
func sentPayoutOf(t *testing.T, h *house) string {
	t.Helper()
	member, _ := payeeOfMember(t, h)
	mid := new(id.Member)
	if err := mid.UnmarshalText([]byte(member)); err != nil {
		t.Fatal(err)
	}
	clearReward(t, h, *mid, 560_00)
	h.DB.Clock.Jump(time.Hour)
	s := settlementOf(t, h)
	var doc struct {
		Digest string `json:"digest"`
	}
	h.call(t, h.keys[east][access.Finance], "GET /v1/settlements/"+s, "").into(t, &doc)
	if got := h.call(t, h.keys[east][access.Admin], "POST /v1/settlements/"+s+"/review", fmt.Sprintf(`{"digest":%q}`, doc.Digest)); got.status != 200 {
		t.Fatalf("review: got %d %s", got.status, got.body)
	}
	p := h.make(t, access.Cashier, "POST /v1/payouts", fmt.Sprintf(`{"settlement_id":%q,"channel":"bank_generic"}`, s))
	if got := h.call(t, h.keys[east][access.Cashier], "POST /v1/payouts/"+p+"/pay", "{}", h.newKey()); got.status != 202 {
		t.Fatalf("pay: got %d %s", got.status, got.body)
	}
	drainSettlement(t, h)
	return p
}

func importOf(t *testing.T, h *house, payout string) settlement.Import {
	t.Helper()
	got := h.call(t, h.keys[east][access.Cashier], "POST /v1/payouts/"+payout+"/imports", someResults)
	var m settlement.Import
	if got.into(t, &m); got.status != 202 {
		t.Fatalf("import: got %d %s", got.status, got.body)
	}
	return m
}

// TestPayoutByFileOverREST: the file for the bank, its answer, line by line.
func TestPayoutByFileOverREST(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		cashier := h.keys[east][access.Cashier]
		p := sentPayoutOf(t, h)
		file := h.call(t, cashier, "GET /v1/payouts/"+p+"/file", "")
		text, err := simplifiedchinese.GBK.NewDecoder().Bytes(file.body)
		if err != nil || file.status != 200 || !strings.Contains(string(text), "1,6222020000000000000,王小明,560.00,招商银行") || file.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("got %d %s", file.status, text)
		}
		if got := h.call(t, h.keys[east][access.Finance], "GET /v1/payouts/"+p+"/file", ""); got.status != 403 {
			t.Errorf("finance fetched the file: %d", got.status)
		}
		var made struct{ Items []settlement.PaymentFile }
		if h.call(t, cashier, "GET /v1/payouts/"+p+"/files", "").into(t, &made); len(made.Items) != 1 || made.Items[0].SHA256 != file.header.Get("Siyu-File-Sha256") {
			t.Errorf("made: %+v", made)
		}
		if got := h.call(t, cashier, "POST /v1/payouts/"+p+"/imports", "a,b\n"); got.problem().Code != "payfile.heads" {
			t.Errorf("no result file: got %d %s", got.status, got.body)
		}
		first, again := importOf(t, h, p), importOf(t, h, p)
		if first.No != 1 || again.No != 1 {
			t.Errorf("imports %d and %d", first.No, again.No)
		}
		drainSettlement(t, h)
		var rows database.Paged[settlement.ImportRow]
		h.call(t, cashier, "GET /v1/payouts/"+p+"/imports/1/rows", "").into(t, &rows)
		var paid settlement.Payout
		h.call(t, cashier, "GET /v1/payouts/"+p, "").into(t, &paid)
		if len(rows.Items) != 1 || rows.Items[0].Outcome != settlement.OutcomePaid || paid.Status != settlement.PayoutPaid {
			t.Errorf("reconciled %+v, %s", rows, paid.Status)
		}
		var forms struct{ Items []payfile.Profile }
		if h.call(t, cashier, "GET /v1/payout-forms", "").into(t, &forms); len(forms.Items) != len(payfile.Profiles()) {
			t.Errorf("%d forms", len(forms.Items))
		}
	})
}
