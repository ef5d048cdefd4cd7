package settlement

import (
	"fmt"
	"strconv"
)

var kindNames = []struct {
	kind Kind
	name string
}{
	{KindReward, "奖励 Rewards"}, {KindClawback, "追回 Clawbacks"}, {KindFailed, "付款退回 Failed payments"},
	{KindFee, "提现手续费 Withdrawal fees"},
	{KindDebt, "结转欠款 Debts brought forward"}, {KindDeferred, "欠款转下期 Debts carried forward"},
}

// summary writes what the document is and its sums by kind, ending in the
// control totals.
func (b *workbook) summary(st Settlement, t totals) error {
	rows := [][]any{
		{b.text("结算单 Settlement"), b.text(st.ID.String())},
		{b.text("期间 Label"), b.text(st.Label)},
		{b.text("组织 Unit"), b.text(st.UnitID.String())},
	}
	if st.Layout >= LayoutPayer {
		rows = append(rows,
			[]any{b.text("付款主体 Payer"), b.text(st.PayerName), b.text(st.PayerID.String())},
			[]any{b.text("成本中心 Cost centre"), b.text(st.CostCentre)},
			[]any{b.text("预算号 Budget no."), b.text(st.BudgetNo)})
	}
	rows = append(rows, [][]any{
		{b.text("币种 Currency"), b.text(st.Currency)},
		{b.text("截止时间 Cut-off (UTC)"), b.text(st.CutAt.String())},
		{b.text("计税方式 Tax rule"), b.text(st.TaxRule)},
		{b.text("行摘要 Rows SHA-256"), b.text(st.RowsDigest)},
		{b.text("应付大写 In capitals"), b.text(st.Gross.Capital())},
		{},
		b.heading("类型 Kind", "行数 Lines", "应付(元) Gross CNY", "税额(元) Tax CNY", "实付(元) Net CNY", "应付(分) gross_fen", "税额(分) tax_fen", "实付(分) net_fen"),
	}...)
	for _, k := range kindNames {
		if k.kind == KindFee && t.Kinds[k.kind].Lines == 0 {
			continue // documents made before there were fees are made the same again
		}
		rows = append(rows, b.sums(k.name, t.Kinds[k.kind]))
	}
	rows = append(rows, b.sums("合计 Total", sum{t.Lines, t.Gross, t.Tax, t.Net}))
	return b.page(sheetSummary, rows)
}

func (b *workbook) sums(name string, s sum) []any {
	return []any{b.text(name), s.Lines, b.money(s.Gross), b.money(s.Tax), b.money(s.Net), int64(s.Gross), int64(s.Tax), int64(s.Net)}
}

// tax writes what is known of tax when the document is sealed. It is of the
// month of payment, so nothing has been withheld yet and nothing is foretold:
// what a member is paid elsewhere in that month changes it.
func (b *workbook) tax(st Settlement, people int) error {
	if _, err := b.NewSheet(sheetTax); err != nil {
		return fmt.Errorf("settlement: sheet %s: %w", sheetTax, err)
	}
	payer, income := "", string(st.IncomeType)
	if st.PayerID != 0 {
		payer = st.PayerID.String()
	}
	rows := [][]any{
		{b.text("付款主体 Payer"), b.text(payer)},
		{b.text("所得类型 Income"), b.text(income)},
		{b.text("计税方式 Tax rule"), b.text(st.TaxRule)},
		{b.text("会员数 Members"), people},
		{},
		b.heading("项目 Item", "金额(元) CNY", "大写 In capitals", "金额(分) fen"),
		{b.text("应付合计 Gross"), b.money(st.Gross), b.text(st.Gross.Capital()), int64(st.Gross)},
		{b.text("封存时已扣税额 Tax withheld when sealed"), b.money(st.Tax), b.text(st.Tax.Capital()), int64(st.Tax)},
		{},
		{b.text("税款按付款当月计算并在付款时扣缴，封存时尚未付款，故不含预计税额；实际扣缴见付款批次和付款主体的纳税月。")},
		{b.text("Tax is of the month of payment and withheld as it is paid. What was withheld is on the payouts and the payer's tax months.")},
	}
	if st.Layout >= LayoutPayer {
		rows = append(rows,
			[]any{b.text("员工随工资发放，由工资系统计税；企业与个体工商户凭发票付款；两者均不按上述方式扣税。")},
			[]any{b.text("Staff are taxed by payroll and firms are paid against invoices; from neither is tax withheld by the rule above.")})
	}
	return b.page(sheetTax, rows)
}

// page writes a sheet of few rows.
func (b *workbook) page(name string, rows [][]any) error {
	w, err := b.NewStreamWriter(name)
	if err != nil {
		return fmt.Errorf("settlement: sheet %s: %w", name, err)
	}
	if err := w.SetColWidth(1, 1, 34); err != nil {
		return err
	}
	if err := w.SetColWidth(2, 8, 20); err != nil {
		return err
	}
	for i, r := range rows {
		if err := w.SetRow("A"+strconv.Itoa(i+1), r); err != nil {
			return fmt.Errorf("settlement: sheet %s: %w", name, err)
		}
	}
	return w.Flush()
}
