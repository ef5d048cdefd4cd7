package tax

// Rule is a strategy in one version: what is written on every line that it
// made. A change of the law is a new version beside the old one.
type Rule struct {
	Strategy Strategy `json:"strategy"`
	Version  string   `json:"rule_version"`
	Incomes  []Income `json:"income_types"`
	BasisZH  string   `json:"basis_zh"`
	BasisEN  string   `json:"basis_en"`
	Source   string   `json:"source"`
}

// rules are the versions in force.
var rules = []Rule{
	{NoneCoupon, "none_coupon.1", []Income{IncomeCoupon},
		"具有价格折扣性质的消费券、代金券、优惠券等，不征个人所得税", "vouchers that are price discounts are not taxed",
		"财政部 税务总局公告2019年第74号"},
	{Incidental20, "incidental_20.1", []Income{IncomeIncidental},
		"偶然所得，每次收入按 20% 扣缴，不减除费用", "incidental income: 20 % of each receipt, nothing deducted",
		"个人所得税法第三条、第六条；财政部 税务总局公告2019年第74号"},
	{Labor2018, "labor_2018.1", []Income{IncomeLabor},
		"劳务报酬，同一项目连续性收入以一个月内为一次；不超过 4000 元减 800 元，以上减 20%；按 20%、30%、40% 预扣",
		"pay for services, a month being one time: less 800 yuan up to 4,000, less 20 % above; withheld at 20, 30, 40 %",
		"国家税务总局公告2018年第61号"},
	{LaborCumulative2025, "labor_cumulative_2025.1", []Income{IncomeLabor},
		"劳务报酬，按累计预扣法：累计收入减 20% 费用、减每月 5000 元，按综合所得税率表，减已预扣税额；月份自当年首次付款月连续计算",
		"pay for services, year to date: less 20 %, less 5,000 yuan a month, by the table of comprehensive income, less what was withheld; months run on from the year's first payment",
		"国家税务总局公告2025年第16号"},
	{ExternalAgent, "external_agent.1", []Income{IncomeIncidental, IncomeLabor},
		"由外部代理机构付款并代扣代缴，本系统不扣", "an outside agent pays and withholds; nothing is withheld here",
		"与代理机构的合同"},
	{Invoiced, "invoiced.1", []Income{IncomeBusiness},
		"企业、个体工商户凭发票付款，不代扣个人所得税", "firms and sole traders are paid against an invoice; nothing is withheld",
		"个人所得税法第二条、第三条；发票管理办法"},
	{Payroll, "payroll.1", []Income{IncomeWages},
		"员工的奖励并入当月工资薪金，由工资系统计税扣缴，本系统不扣", "what staff are paid is part of the month's wages; payroll withholds, nothing is withheld here",
		"个人所得税法第二条、第三条；国家税务总局公告2018年第61号"},
}

// Rules lists the versions in force.
func Rules() []Rule { return append([]Rule(nil), rules...) }

// RuleOf is the version in force of a strategy.
func RuleOf(s Strategy) (Rule, error) {
	for _, r := range rules {
		if r.Strategy == s {
			return r, nil
		}
	}
	return Rule{}, ErrStrategy.With("strategy", s)
}

// Fits says whether the strategy may tax the income.
func (s Strategy) Fits(i Income) bool {
	r, err := RuleOf(s)
	if err != nil {
		return false
	}
	for _, x := range r.Incomes {
		if x == i {
			return true
		}
	}
	return false
}

// Withholds says whether the strategy ever withholds anything.
func (s Strategy) Withholds() bool {
	return s == Incidental20 || s == Labor2018 || s == LaborCumulative2025
}
