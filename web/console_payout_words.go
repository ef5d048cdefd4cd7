package web

import (
	"siyu/referral/payee"
	"siyu/referral/payfile"
	"siyu/referral/settlement"
)

// channels are the ways to pay that a form lets choose.
func channels(lang string) []choice {
	list := []choice{}
	for _, one := range []settlement.Channel{settlement.ChannelManual, settlement.ChannelBills} {
		list = append(list, choice{string(one), channelName(lang, one)})
	}
	for _, f := range payfile.Profiles() {
		list = append(list, choice{f.Name, choose(lang, f.TitleZH, f.TitleEN)})
	}
	return list
}

func channelName(lang string, c settlement.Channel) string {
	switch c {
	case settlement.ChannelManual:
		return choose(lang, "线下已付，只登记", "paid elsewhere, only marked")
	case settlement.ChannelBills:
		return choose(lang, "微信转账单，逐人确认", "WeChat transfer bills, each confirms his own")
	}
	if f, err := payfile.Find(string(c)); err == nil {
		return choose(lang, f.TitleZH, f.TitleEN)
	}
	return string(c)
}

var payoutWords = map[settlement.PayoutStatus]pair{
	settlement.PayoutCreated: {"待付款", "to pay", "full"}, settlement.PayoutPaying: {"记账中", "being booked", ""},
	settlement.PayoutSent: {"在途，待回单", "on its way", ""}, settlement.PayoutPaid: {"已完成", "done", "good"},
	settlement.PayoutUnpaid: {"无人可付", "nobody could be paid", "full"},
}

var paidWords = map[settlement.PayoutLineStatus]pair{
	settlement.PayoutLineSent: {"在途", "on its way", ""}, settlement.PayoutLineUnknown: {"结果未知", "not known yet", "full"},
	settlement.PayoutLinePaid: {"已到账", "arrived", "good"}, settlement.PayoutLineFailed: {"退回", "came back", "bad"},
}

// answerWords are what a line of the bank's answer did, in the order of
// outcomeOrder.
var answerWords = map[settlement.Outcome]pair{
	settlement.OutcomePaid: {"到账", "arrived", "good"}, settlement.OutcomeFailed: {"退回", "came back", "bad"}, settlement.OutcomeUnknown: {"仍在途", "on its way still", ""},
	settlement.OutcomeAlready: {"已如此", "stood already", "dim"}, settlement.OutcomeNoLine: {"无此笔", "no such line", "full"}, settlement.OutcomeTwice: {"重复", "named twice", "full"},
	settlement.OutcomeAmount: {"金额不符", "amount differs", "full"}, settlement.OutcomeConflict: {"冲突，须人工处理", "a conflict for a person", "full"}, settlement.OutcomeBehind: {"已有结果", "has ended already", "dim"},
}

var outcomeOrder = []settlement.Outcome{
	settlement.OutcomePaid, settlement.OutcomeFailed, settlement.OutcomeUnknown, settlement.OutcomeAlready, settlement.OutcomeConflict,
	settlement.OutcomeAmount, settlement.OutcomeNoLine, settlement.OutcomeTwice, settlement.OutcomeBehind,
}

// heldWords are why a payout left a member out, as whoever pays reads it.
var heldWords = map[payee.Reason]pair{
	payee.ReasonNoPayee: {"没有实名和账号", "no name and account", ""}, payee.ReasonPending: {"收款信息变更待复核", "a change of payee waits for approval", ""},
	payee.ReasonNoInvoice: {"发票不足", "invoices do not reach", ""}, payee.ReasonNoOpenID: {"openid 属于其他应用", "openid of another app", ""},
	payee.ReasonPayroll: {"员工，走工资批次", "staff: pay by payroll", ""}, payee.ReasonBlocked: {"在黑名单或已注销", "blocked or erased", ""},
	"over_limit": {"超过批次或当日限额", "over the limit of the payout or the day", ""}, "objected": {"有未答复的异议", "an objection is open", ""},
	"other_account": {"账户种类与渠道不符", "another kind of account", ""}, "not_staff": {"不是员工，走其他批次", "not staff: pay by another payout", ""},
	"bill_amount": {"金额超出单笔上下限", "outside the bounds of a bill", ""},
}

// failWords are what WeChat calls the ends of a transfer that did not arrive.
var failWords = map[string]pair{
	"ACCOUNT_FROZEN": {"收款账户已冻结", "the account is frozen", ""}, "ACCOUNT_NOT_EXIST": {"收款账户不存在", "there is no such account", ""},
	"REAL_NAME_CHECK_FAIL": {"收款人未在微信实名", "WeChat does not know the payee's real name", ""}, "NAME_NOT_CORRECT": {"姓名与微信实名不一致", "the name is not that of the account", ""},
	"ID_CARD_NOT_CORRECT": {"证件号与微信实名不一致", "the identity number is not that of the account", ""}, "OPENID_INVALID": {"openid 无效", "the openid is not valid", ""},
	"TRANSFER_QUOTA_EXCEED": {"超过收款人单笔限额", "above what the payee may receive at once", ""}, "DAY_RECEIVED_QUOTA_EXCEED": {"超过收款人当日收款额度", "above what the payee may receive in a day", ""},
	"MONTH_RECEIVED_QUOTA_EXCEED": {"超过收款人当月收款额度", "above what the payee may receive in a month", ""}, "DAY_RECEIVED_COUNT_EXCEED": {"超过收款人当日收款次数", "more payments than the payee may receive in a day", ""},
	"OVERDUE_CLOSE": {"过期未确认，已关闭", "closed: not confirmed in time", ""}, "TRANSFER_RISK": {"微信判定有风险", "WeChat sees a risk", ""},
	"USER_ACCOUNT_LIMIT": {"收款账户受限", "the account is restricted", ""}, "PAYEE_ACCOUNT_ABNORMAL": {"收款账户异常", "the account is in disorder", ""},
	"PAYER_ACCOUNT_ABNORMAL": {"商户账户异常", "the merchant's account is in disorder", ""}, "PRODUCT_AUTH_CHECK_FAIL": {"商户的转账权限未开通或已冻结", "the merchant may not make transfers", ""},
}

// failText is a reason in words with the code that the platform knows, or what
// a bank wrote as it is.
func failText(lang, reason string) string {
	w, known := failWords[reason]
	if !known {
		return cleanLong(reason)
	}
	return choose(lang, "%s（%s）", "%s (%s)", w.in(lang), reason)
}

func heldBecause(lang string, r payee.Reason) string {
	text, _ := word(lang, heldWords, r)
	return text
}
