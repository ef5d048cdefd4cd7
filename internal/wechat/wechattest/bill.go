package wechattest

import (
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"regexp"
	"time"
	"unicode/utf8"

	"siyu/internal/wechat"
)

// asked is what a request to send says.
type asked struct {
	wechat.Transfer
	Sealed string `json:"user_name"`
}

type bill struct {
	wechat.Bill
	asked asked
	name  string // opened
	at    time.Time
	until time.Time
}

// refusal is an answer other than 200.
type refusal struct {
	status  int
	code    string
	message string
}

var (
	number = regexp.MustCompile(`^[0-9A-Za-z]{1,32}$`)
	// reported is what a scene must be told, and what the person may be shown.
	reported = map[string][2]string{"1000": {"活动名称", "奖励说明"}, "1005": {"岗位类型", "报酬说明"}}
)

// send makes a bill or finds it.
func (p *Pay) send(in asked) (wechat.Bill, *refusal) {
	p.sends[in.BillNo]++
	if r := p.wrong(in); r != nil {
		return wechat.Bill{}, r
	}
	name, r := p.openName(in.Sealed)
	if r != nil {
		return wechat.Bill{}, r
	}
	if b := p.bills[in.BillNo]; b != nil {
		p.age(b)
		if !same(b, in, name) {
			return wechat.Bill{}, &refusal{400, "ALREADY_EXISTS", "商户单号已存在，且参数不一致"}
		}
		return b.answer(), nil
	}
	now := p.Now()
	key := in.OpenID + now.UTC().Add(8*time.Hour).Format("20060102")
	switch {
	case p.day[key]+in.Amount > int64(p.most):
		return wechat.Bill{}, &refusal{403, "QUOTA_EXCEED", "超出该用户单日收款额度"}
	case p.balance < in.Amount:
		return wechat.Bill{}, &refusal{403, "NOT_ENOUGH", "商户运营账户资金不足，充值后可以原单号发起重试，请勿更换商户单号"}
	}
	p.balance -= in.Amount
	p.day[key] += in.Amount
	no := fmt.Sprintf("13300%024d", len(p.bills)+1)
	b := &bill{asked: in, name: name, at: now, until: now.Add(wechat.ConfirmFor), Bill: wechat.Bill{
		BillNo: in.BillNo, PlatformNo: no, State: wechat.StateWait, Amount: in.Amount, CreateTime: now.Format(time.RFC3339), Package: "package_" + no,
	}}
	p.bills[in.BillNo] = b
	return b.answer(), nil
}

func (p *Pay) wrong(in asked) *refusal {
	param := func(text string) *refusal { return &refusal{400, "PARAM_ERROR", text} }
	infos := map[string]bool{}
	for _, i := range in.Infos {
		if n := utf8.RuneCountInString(i.Content); n < 1 || n > 32 {
			return param("转账场景报备信息的内容应为 1 到 32 个字符")
		}
		infos[i.Type] = true
	}
	need, known := reported[in.Scene]
	switch {
	case in.AppID != AppID:
		return &refusal{400, "INVALID_REQUEST", "APPID不存在"}
	case !number.MatchString(in.BillNo):
		return param("商户单号只能由数字、大小写字母组成，最长 32 个字符")
	case !known:
		return &refusal{400, "INVALID_REQUEST", "你尚未获取该转账场景"}
	case len(infos) != 2 || !infos[need[0]] || !infos[need[1]]:
		return param("需传入转账场景报备信息，请检查")
	case len(in.OpenID) < 2 || in.OpenID[0] != 'o':
		return param("openid与appid不匹配")
	case in.Amount < 10:
		return param("转账金额小于最低限额")
	case in.Sealed != "" && in.Amount < 30:
		return param("转账金额小于 0.3 元时不允许填写收款用户姓名")
	case in.Sealed == "" && in.Amount >= 200_000:
		return param("转账金额大于等于 2000 元时必须填写收款用户姓名")
	case in.Remark == "" || utf8.RuneCountInString(in.Remark) > 32:
		return param("转账备注应为 1 到 32 个字符")
	}
	return nil
}

func (p *Pay) openName(sealed string) (string, *refusal) {
	if sealed == "" {
		return "", nil
	}
	box, err := base64.StdEncoding.DecodeString(sealed)
	if err == nil {
		box, err = rsa.DecryptOAEP(sha1.New(), nil, p.platform, box, nil)
	}
	if err != nil {
		return "", &refusal{400, "PARAM_ERROR", "收款用户姓名解密失败"}
	}
	return string(box), nil
}

func same(b *bill, in asked, name string) bool {
	a := b.asked
	return a.AppID == in.AppID && a.OpenID == in.OpenID && a.Amount == in.Amount && a.Scene == in.Scene && a.Remark == in.Remark && b.name == name
}

// age fails a bill that waited too long.
func (p *Pay) age(b *bill) {
	if b.State == wechat.StateWait && !p.Now().Before(b.until) {
		p.finish(b, wechat.StateFail, "OVERDUE_CLOSE")
	}
}

func (p *Pay) finish(b *bill, s wechat.State, reason string) {
	b.State, b.FailReason, b.Package = s, reason, ""
	if s != wechat.StateSuccess {
		p.balance += b.asked.Amount
		p.day[b.asked.OpenID+b.at.UTC().Add(8*time.Hour).Format("20060102")] -= b.asked.Amount
	}
}

// answer is what sending tells: no amount, and the package while it waits.
func (b *bill) answer() wechat.Bill {
	out := b.Bill
	out.Amount = 0
	return out
}

// cancel calls off what is not final. The platform only says that it heard.
func (p *Pay) cancel(no string) (wechat.Bill, *refusal) {
	b := p.bills[no]
	if b == nil {
		return wechat.Bill{}, &absent
	}
	p.age(b)
	switch b.State {
	case wechat.StateSuccess, wechat.StateFail:
		return wechat.Bill{}, &refusal{400, "INVALID_REQUEST", "当前单据状态不支持撤销"}
	case wechat.StateWait:
		p.finish(b, wechat.StateCancelled, "")
		b.State = wechat.StateCanceling
	}
	return wechat.Bill{BillNo: no, PlatformNo: b.PlatformNo, State: b.State}, nil
}

// find tells of a bill; one that is being cancelled is cancelled the next time.
func (p *Pay) find(no string) (wechat.Bill, *refusal) {
	b := p.bills[no]
	if b == nil || p.Now().Sub(b.at) > 30*24*time.Hour {
		return wechat.Bill{}, &absent
	}
	p.age(b)
	out := b.Bill
	out.Package = ""
	if b.State == wechat.StateCanceling {
		b.State = wechat.StateCancelled
	}
	return out, nil
}

var absent = refusal{404, "NOT_FOUND", "记录不存在"}
