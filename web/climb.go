package web

import (
	"strings"

	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// within says over which time a count runs.
func within(lang string, w referral.CapWindow) string {
	switch w {
	case referral.CapDay:
		return choose(lang, "当天", "of the day")
	case referral.CapMonth:
		return choose(lang, "当月", "of the month")
	}
	return choose(lang, "累计", "in all")
}

// climbed says which step of the inviter's count a reward was paid by.
func climbed(lang string, s referral.StepTaken) string {
	return choose(lang, "（%s第 %d 位，按第 %d 位起的一阶）", " (number %[2]d %[1]s, by the step from number %[3]d on)", within(lang, s.Window), s.Nth, s.From)
}

// climbs says what an inviter gets instead from a count on.
func climbs(lang string, p referral.Promise, coupons map[id.Coupon]string) string {
	parts := make([]string, len(p.Steps))
	for i, s := range p.Steps {
		what := inKind(lang, p.Currency, s.Qty, coupons[s.CouponID])
		switch {
		case p.Mode == referral.ModePercent && p.Currency == money.PTS:
			what = choose(lang, "%s 积分/元", "%s points a yuan", hundredth(s.Rate))
		case p.Mode == referral.ModePercent:
			what = rate(s.Rate)
		case what == "":
			what = cny(s.Amount)
		}
		parts[i] = choose(lang, "第 %d 位起 %s", "%[2]s from number %[1]d on", s.From, what)
	}
	return within(lang, p.StepWindow) + choose(lang, "", " ") + strings.Join(parts, choose(lang, "、", ", "))
}
