package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
	"siyu/referral/payfile"
	"siyu/referral/settlement"
)

// makesFiles may take a file that names people and their accounts, as the API
// has it.
var makesFiles = []access.Role{access.Admin, access.Cashier}

// payoutPage is one payout: what it gives out to whom, whom it left out, and
// what the bank answered.
type payoutPage struct {
	page
	payoutRow
	Settlement string
	Doc        string // the settlement's own page
	Busy       bool
	Owed       money.Amount
	Limit      money.Amount
	Carries    bool // the next settlement carries whom it left out
	Tax, Gross money.Amount
	Lines      int
	Failed     int
	People     []didRow
	Rows       []payoutLineRow
	Next       string
	Holds      []holdRow
	Why        []heldSum // how many it left out, by reason
	Nobody     bool      // it paid nobody for that
	NextHolds  string
	Parts      []int // of its file, where who looks may take it
	Made       []madeRow
	Imports    []importRow
	Import     int // whose lines are shown
	Answers    []answerRow
	NextLines  string // of the import

	Pays    bool // by who looks
	Own     bool // who looks prepared or reviewed it
	Reads   bool // results may be told
	ByBills bool
}

// payoutRow is a payout in a list.
type payoutRow struct {
	ID          id.Payout
	Channel     string
	State, Tone string
	Net         money.Amount
	At          time.Time
}

func payoutRowOf(lang string, x settlement.Payout) payoutRow {
	r := payoutRow{ID: x.ID, Channel: channelName(lang, x.Channel), Net: x.Net, At: x.CreatedAt.Time().In(shop)}
	r.State, r.Tone = word(lang, payoutWords, x.Status)
	if x.Channel == settlement.ChannelBills && x.Status == settlement.PayoutSent {
		r.State = choose(lang, "打款中，待确认", "waiting for confirmations")
	}
	return r
}

type payoutLineRow struct {
	No               int
	Who              string // masked
	Owed, Tax, Net   money.Amount
	State, Tone, Why string
}

type holdRow struct {
	Who  string // masked
	Owed money.Amount
	Why  string
}

// heldSum is how many were left out for one reason.
type heldSum struct {
	Why     string
	Members string
	Owed    money.Amount
}

type madeRow struct {
	Part, Times, Rows int
	Net               money.Amount
	Mark, Who         string
	At                time.Time
}

type importRow struct {
	No, Rows, Missing int
	Busy              bool
	Who               string
	At                time.Time
	Sums              []figure
}

type answerRow struct {
	Row, Line           int
	Amount, Says, Means string
	Tone                string
}

// consolePayout answers GET /console/payouts/{id}, with ?import= for the lines
// of an answer of the bank.
func (s *Server) consolePayout(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := may(ctx, readsSettlements); err != nil {
		return err
	}
	var pid id.Payout
	if err := read(c.Param("id"), &pid); err != nil {
		return err
	}
	x, err := s.Settlement.FindPayout(ctx, pid)
	if err != nil {
		return err
	}
	doc, err := s.Settlement.Find(ctx, x.SettlementID)
	if err != nil {
		return err
	}
	by, err := s.colleagues(ctx, x.CreatedBy, x.PaidBy)
	if err != nil {
		return err
	}
	p := payoutPage{page: s.base(c, "")}
	s.desk(ctx, &p.page)
	p.show(x, doc, by)
	me := database.ActorOf(ctx).Staff
	p.Own = x.Status == settlement.PayoutCreated && (me == doc.CreatedBy || me == doc.ClosedBy || me == doc.ReviewedBy)
	p.Pays = x.Status == settlement.PayoutCreated && !p.Own
	if form, err := payfile.Find(string(x.Channel)); err == nil && x.Status == settlement.PayoutSent && may(ctx, makesFiles) == nil {
		for from := 0; from < x.LineCount; from += form.MaxRows {
			p.Parts = append(p.Parts, len(p.Parts)+1)
		}
	}
	for _, fill := range []func(*gin.Context, *payoutPage) error{s.fillPaid, s.fillHolds, s.fillImports} {
		if err := fill(c, &p); err != nil {
			return err
		}
	}
	return s.show(c, http.StatusOK, "payout", p.page, p)
}

// show puts a payout into words.
func (p *payoutPage) show(x settlement.Payout, doc settlement.Settlement, by func(id.Staff) string) {
	p.payoutRow = payoutRowOf(p.Lang, x)
	p.Settlement, p.Doc, p.Busy = clean(doc.Label), settlementAt(doc.ID), x.Status == settlement.PayoutPaying
	p.Owed, p.Limit, p.Carries, p.Gross, p.Tax, p.Lines, p.Failed = x.Owed, x.Limit, x.CarryHeld, x.Gross, x.Tax, x.LineCount, x.FailedCount
	p.Title, p.Now = choose(p.Lang, "付款批次", "Payout"), p.Now.In(shop)
	p.Nobody = x.Status == settlement.PayoutUnpaid
	p.ByBills = x.Channel == settlement.ChannelBills && !p.Nobody
	p.Reads = x.Status == settlement.PayoutSent || x.Status == settlement.PayoutPaid
	p.People = append(p.People, didRow{choose(p.Lang, "建批次", "made"), by(x.CreatedBy), p.At})
	if x.PayingAt != 0 {
		p.People = append(p.People, didRow{choose(p.Lang, "付款", "paid"), by(x.PaidBy), x.PayingAt.Time().In(shop)})
	}
}

func (p *payoutPage) address() string { return "/console/payouts/" + p.ID.String() }

// fillPaid adds the payments, and the makings of its file.
func (s *Server) fillPaid(c *gin.Context, p *payoutPage) error {
	ctx := c.Request.Context()
	after, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	list, err := s.Settlement.ListPayoutLines(ctx, p.ID, database.Page{Before: after, Limit: linesShown})
	if err != nil {
		return err
	}
	names, err := namesIn(s.DB.Read(ctx), list.Items, func(l settlement.PayoutLine) id.Member { return l.MemberID })
	if err != nil {
		return err
	}
	for _, l := range list.Items {
		p.Rows = append(p.Rows, payoutLineOf(p.Lang, l, called(p.Lang, names[l.MemberID])))
	}
	if list.NextCursor != "" {
		p.Next = p.address() + "?cursor=" + list.NextCursor
	}
	made, err := s.Settlement.ListFiles(ctx, p.ID)
	if err != nil {
		return err
	}
	by, err := colleagues(ctx, s, made, func(f settlement.PaymentFile) id.Staff { return f.MadeBy })
	for _, f := range made {
		p.Made = append(p.Made, madeRow{f.Part, f.Made, f.Rows, f.Net, f.SHA256[:8], by(f.MadeBy), f.MadeAt.Time().In(shop)})
	}
	return err
}

func payoutLineOf(lang string, l settlement.PayoutLine, who string) payoutLineRow {
	r := payoutLineRow{No: l.LineNo, Who: who, Owed: l.Owed, Tax: l.Tax, Net: l.Net, Why: failText(lang, l.Reason)}
	r.State, r.Tone = word(lang, paidWords, l.Status)
	switch {
	case l.TransferID == 0:
		r.State, r.Tone = choose(lang, "未付，下期结转", "not paid, carried"), "dim"
		r.Why = heldBecause(lang, payee.Reason(l.Reason))
	case l.Net == 0:
		r.State, r.Why = choose(lang, "已结清", "settled"), choose(lang, "全部代扣为税款，没有款项付出", "all of it is tax; nothing was sent")
	}
	return r
}

// fillHolds adds whom the payout left out.
func (s *Server) fillHolds(c *gin.Context, p *payoutPage) error {
	ctx := c.Request.Context()
	after, err := database.ParseCursor(c.Query("held"))
	if err != nil {
		return err
	}
	list, err := s.Settlement.ListHolds(ctx, p.ID, database.Page{Before: after, Limit: linesShown})
	if err != nil {
		return err
	}
	sums, err := s.Settlement.SumHolds(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, x := range sums {
		p.Why = append(p.Why, heldSum{heldBecause(p.Lang, x.Reason), count(int64(x.Members)), x.Owed})
	}
	names, err := namesIn(s.DB.Read(ctx), list.Items, func(h settlement.Hold) id.Member { return h.MemberID })
	if err != nil {
		return err
	}
	for _, h := range list.Items {
		p.Holds = append(p.Holds, holdRow{called(p.Lang, names[h.MemberID]), h.Owed, heldBecause(p.Lang, h.Reason)})
	}
	if list.NextCursor != "" {
		p.NextHolds = p.address() + "?held=" + list.NextCursor
	}
	return nil
}

// fillImports adds what the bank answered, and of one answer line by line what
// it did.
func (s *Server) fillImports(c *gin.Context, p *payoutPage) error {
	if !p.Reads {
		return nil
	}
	ctx := c.Request.Context()
	list, err := s.Settlement.ListImports(ctx, p.ID)
	if err != nil {
		return err
	}
	by, err := colleagues(ctx, s, list, func(m settlement.Import) id.Staff { return m.ImportedBy })
	if err != nil {
		return err
	}
	for _, m := range list {
		p.Imports = append(p.Imports, importRowOf(p.Lang, m, by(m.ImportedBy)))
		p.Busy = p.Busy || m.Status != settlement.ImportDone
	}
	if p.Import, _ = strconv.Atoi(c.Query("import")); p.Import == 0 {
		return nil
	}
	after, err := database.ParseCursor(c.Query("row"))
	if err != nil {
		return err
	}
	rows, err := s.Settlement.ListImportRows(ctx, p.ID, p.Import, database.Page{Before: after, Limit: linesShown})
	if err != nil {
		return err
	}
	for _, r := range rows.Items {
		p.Answers = append(p.Answers, answerOf(p.Lang, r))
	}
	if rows.NextCursor != "" {
		p.NextLines = p.address() + "?import=" + strconv.Itoa(p.Import) + "&row=" + rows.NextCursor
	}
	return nil
}

func importRowOf(lang string, m settlement.Import, who string) importRow {
	r := importRow{No: m.No, Rows: m.Rows, Missing: m.Missing, Busy: m.Status != settlement.ImportDone, Who: who, At: m.ImportedAt.Time().In(shop)}
	for _, o := range outcomeOrder {
		if n := m.Outcomes[o]; n > 0 {
			name, _ := word(lang, answerWords, o)
			r.Sums = append(r.Sums, figure{name, count(int64(n))})
		}
	}
	return r
}

func answerOf(lang string, r settlement.ImportRow) answerRow {
	a := answerRow{Row: r.RowNo, Line: r.LineNo, Amount: "—", Says: cleanLong(r.Reason)}
	switch {
	case r.Amount >= 0:
		a.Amount = cny(r.Amount)
	case r.Amount == payfile.Unreadable:
		a.Amount = choose(lang, "看不懂", "unreadable")
	}
	if r.Outcome != "" {
		a.Means, a.Tone = word(lang, answerWords, r.Outcome)
	}
	return a
}
