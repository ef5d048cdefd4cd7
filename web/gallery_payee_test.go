package web

import (
	"time"

	"siyu/referral/payee"
)

// payeeGallery are the form of how a member is paid, in three states, and a
// payment that waits for his tap.
func payeeGallery(me mePage) []shown {
	form := func(lang string, k payee.AccountKind) payeePage {
		p := payeePage{page: base(lang, choose(lang, "收款信息", "How you are paid")), Kind: k, Agreed: agreed, Fields: payeeFields(lang, k)}
		for _, k := range []payee.AccountKind{payee.AccountWechat, payee.AccountBank, payee.AccountAlipay} {
			p.Kinds = append(p.Kinds, payeeKind{k, accountName(lang, k)})
		}
		return p
	}
	empty, wrong, english := form(langZH, payee.AccountBank), form(langZH, payee.AccountBank), form(langEN, payee.AccountWechat)
	wrong.Notice = &notice{Text: "输入有误，请按提示修改"}
	wrong.Fields[1].Value, wrong.Fields[1].Wrong = "110105194912310021", "应为 18 位居民身份证号，请核对"
	wrong.Fields[4].Value = "招商银行"
	english.Active = &payeeView{"王**", "Bank card", "****0000"}
	english.Pending = &payeeView{"王**", "Alipay", "****.com"}
	me.Confirms = []confirmView{{2050, countdown{Until: noon().Add(23*time.Hour + 10*time.Minute), Now: noon(), Reload: true}, "1900000109", "wx1", "pkg", 0}}
	en := mePage{page: base(langEN, "My rewards"), Name: "W*", Sums: []sumView{{"Waiting", 1600, true}, {"Due", 2400, false}, {"Paid", 128800, true}}, Confirms: me.Confirms}
	return []shown{{"payee", "payee", empty.page, empty}, {"payee_wrong", "payee", wrong.page, wrong}, {"payee_en", "payee", english.page, english},
		{"confirm", "me", me.page, me}, {"confirm_en", "me", en.page, en}}
}
