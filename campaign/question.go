package campaign

// Questions are what no data here decides; a person answers them before the
// campaign is published. Which are asked depends on what the campaign has.
func Questions(f Case) []Question {
	out := []Question{
		{"freight", "运费、配送范围和售后条件是否在付款前写明？", "Are freight, where it is delivered and returns stated before payment?", lawPay.lawZH, lawPay.lawEN},
		{"privacy", "收集手机号、地址时是否已告知用途并取得同意，且可以撤回？", "Are members told, and do they agree, what phone and address are used for, and can they withdraw?", "个人信息保护法第十三至十七条", "Personal Information Protection Law art. 13–17"},
		{"minors", "是否可能由未成年人参加？不满 14 周岁须监护人同意。", "May minors take part? Under 14 a guardian must agree.", "个人信息保护法第三十一条；未成年人保护法", "Personal Information Protection Law art. 31; Law on the Protection of Minors"},
		{"pictures", "图片和详情页中的文字是否也没有绝对化用语？系统只检查名称和推送文本。", "Are pictures and product pages free of superlatives too? Only names and texts are checked here.", "广告法第九条第三项", "Advertising Law art. 9(3)"},
		{"proof", "对效果、产地、销量的说法是否都有证据？", "Is there proof of all that is said of effect, origin and sales?", "广告法第二十八条；反不正当竞争法", "Advertising Law art. 28; Anti-Unfair Competition Law"},
	}
	if len(f.Texts) > 0 {
		out = append(out, Question{"refusal_way", "推送文本是否写明发送方和拒收方式？", "Do the texts say who sends them and how to refuse them?", "广告法第四十三条", "Advertising Law art. 43"})
	}
	for _, item := range f.Campaign.Items {
		p := f.Products[item.ProductID]
		if item.Price < p.ListPrice && f.Dealt[item.ProductID].Lowest == 0 {
			out = append(out, Question{"reference_price", "“" + p.Name + "”近 7 日是否真的以 " + p.ListPrice.String() + " 元成交过？本系统没有记录。",
				"Was “" + p.Name + "” really dealt at " + p.ListPrice.String() + " in the last 7 days? There is no record here.", lawReference.lawZH, lawReference.lawEN})
		}
	}
	if f.Rules != nil {
		out = append(out,
			Question{"income_tax", "奖励属于偶然所得还是劳务报酬，由谁代扣代缴？", "Are rewards occasional income or pay for services, and who withholds the tax?", "个人所得税法第三条、第六条", "Individual Income Tax Law art. 3, 6"},
			Question{"reward_page", "有现金奖励的邀请页在微信内是否用小程序承载？外部链接更易被封。", "Is the page that offers cash for invitations a mini program inside WeChat? External links are blocked more easily.", lawTrigger.lawZH, lawTrigger.lawEN})
	}
	return append(out, Question{"points", "积分最多可抵多少比例？请用 points_bp 传入；不传按不可抵扣计算。",
		"What share may points pay? Give it as points_bp; without it they pay nothing here.", "Siyu：抵扣比例由商城决定", "Siyu: the mall decides what points pay"})
}
