package campaign

// Result is what a check comes to.
type Result string

// The results. A refusal stops the campaign from being published; a warning is
// shown, and is for people to weigh.
const (
	ResultPass    Result = "pass"
	ResultWarning Result = "warning"
	ResultRefusal Result = "refusal"
)

// Finding is one check, what it came to, why, and the rule it rests on.
type Finding struct {
	ID       string `json:"id"`
	Result   Result `json:"result"`
	Where    string `json:"where"` // the field; "" is the whole campaign
	ReasonZH string `json:"reason_zh"`
	ReasonEN string `json:"reason_en"`
	RuleZH   string `json:"rule_zh"`
	RuleEN   string `json:"rule_en"`
}

// Question is what the data cannot decide: a person must answer it.
type Question struct {
	ID         string `json:"id"`
	QuestionZH string `json:"question_zh"`
	QuestionEN string `json:"question_en"`
	RuleZH     string `json:"rule_zh"`
	RuleEN     string `json:"rule_en"`
}

// rule names a check and what it rests on. For a class of words zh and en say
// what to do about one.
type rule struct {
	id, zh, en   string
	lawZH, lawEN string
}

func (r rule) finding(result Result, where, zh, en string) Finding {
	return Finding{ID: r.id, Result: result, Where: where, ReasonZH: zh, ReasonEN: en, RuleZH: r.lawZH, RuleEN: r.lawEN}
}

// when is the finding of a check with two outcomes.
func (r rule) when(bad bool, result Result, where string, badZH, badEN, goodZH, goodEN string) Finding {
	if bad {
		return r.finding(result, where, badZH, badEN)
	}
	return r.finding(ResultPass, where, goodZH, goodEN)
}

// wordClasses are the classes of words, in the order they are reported.
var wordClasses = []rule{
	{"absolute", "法律点名的绝对化用语请删除；其他请改写或留存证明", "take out superlatives the law names; reword the others or keep the proof",
		"广告法第九条第三项", "Advertising Law art. 9(3)"},
	{"share_inducement", "不得以利益诱导分享；请改为奖励被邀请人的实际行为", "sharing must not be induced by gain; reward what the invited person does",
		"微信外部链接内容管理规范（诱导分享）", "WeChat rules on external links: inducement to share"},
	{"pyramid", "不得以发展人数或层级招揽；请删除", "must not recruit by head count or levels; take it out",
		"禁止传销条例第七条", "Regulation on Prohibiting Pyramid Selling art. 7"},
	{"tobacco", "烟草不得在互联网上做广告；请移除该商品", "tobacco must not be advertised on the internet; take the product away",
		"广告法第二十二条", "Advertising Law art. 22"},
	{"minors", "不得向未成年人销售；请确认下单时核验年龄", "must not be sold to minors; make sure that age is checked",
		"未成年人保护法第五十九条", "Law on the Protection of Minors art. 59"},
	{"cure", "非医疗商品不得涉及疾病治疗；请改写", "goods that are no medicine must not claim to cure; reword it",
		"广告法第十七条", "Advertising Law art. 17"},
	{"yield", "不得对收益作保证性承诺；请改写", "gains must not be promised as sure; reword it",
		"广告法第二十五条", "Advertising Law art. 25"},
	{"urgency", "倒计时须真实，到期后不得延长或重来；请确认", "urgency must be true and not be extended or repeated; make sure of it",
		"反不正当竞争法（虚假宣传）", "Anti-Unfair Competition Law: false publicity"},
	{"former_price", "“原价”须为本次活动前七日内最低成交价；请核对", "a former price must be the lowest dealt in the seven days before; check it",
		"规范促销行为暂行规定（价格促销）", "Interim Provisions on Promotion: price promotion"},
	{"gift_terms", "赠送须写明品种、规格、数量、期限和方式；请补充", "say kind, size, number, term and way of what is given; add them",
		"广告法第八条第二款", "Advertising Law art. 8(2)"},
}

var wordRules = func() map[string]rule {
	m := map[string]rule{}
	for _, r := range wordClasses {
		m[r.id] = r
	}
	return m
}()
