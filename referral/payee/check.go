package payee

import (
	"regexp"
	"strings"
	"time"
	"unicode"

	"siyu/internal/fault"
)

// Entry is what a member, or staff for him, gives as payee. By giving it he
// agrees to the notice whose version he was shown.
type Entry struct {
	Details
	ConsentVersion string `json:"consent_version"`
}

var (
	mobile    = regexp.MustCompile(`^1\d{10}$`)
	cnapsForm = regexp.MustCompile(`^\d{12}$`)
	digits    = regexp.MustCompile(`^\d{8,30}$`)
	// alipayForm is what Alipay takes as a login: a mobile number, one abroad
	// with its country before a dash, or an e-mail address.
	alipayForm = regexp.MustCompile(`^(1\d{10}|\+?\d{1,4}-\d{5,14}|[!-?A-~]+@[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)+)$`)
)

// Validate names everything wrong with the input; it tidies spaces first, as
// people copy cards in groups of four.
func (in *Entry) Validate() error {
	in.tidy()
	var c fault.Check
	c.OneOf(string(in.Type), "payee_type", string(TypeNatural), string(TypeStaff), string(TypeSoleTrader), string(TypeCompany))
	c.Required(in.Name, "name")
	c.Length(in.Name, "name", 60)
	c.That(plain(in.Name), "name", "format", "不能含控制字符", "must not hold control characters")
	if in.Type.invoices() {
		c.That(firmNo(in.IDNo), "id_no", "format", "应为 18 位统一社会信用代码", "must be a unified social credit code of 18 characters")
	} else {
		c.That(residentNo(in.IDNo), "id_no", "format", "应为 18 位居民身份证号，请核对", "must be a resident identity number of 18 characters; check it")
	}
	c.That(in.Phone == "" || mobile.MatchString(in.Phone), "phone", "format", "应为 11 位手机号", "must be a mobile number of 11 digits")
	c.OneOf(string(in.Kind), "account_kind", string(AccountWechat), string(AccountBank), string(AccountAlipay))
	in.checkAccount(&c)
	c.Required(in.ConsentVersion, "consent_version")
	c.Length(in.ConsentVersion, "consent_version", 32)
	return c.Err()
}

func (in *Entry) tidy() {
	in.Name, in.BankName, in.Branch = strings.TrimSpace(in.Name), strings.TrimSpace(in.BankName), strings.TrimSpace(in.Branch)
	close := strings.NewReplacer(" ", "", "-", "")
	in.CardNo, in.CNAPS, in.Phone = close.Replace(in.CardNo), close.Replace(in.CNAPS), close.Replace(in.Phone)
	in.IDNo = strings.ToUpper(close.Replace(in.IDNo))
	in.AppID, in.OpenID, in.Alipay = strings.TrimSpace(in.AppID), strings.TrimSpace(in.OpenID), strings.ReplaceAll(strings.TrimSpace(in.Alipay), " ", "")
}

// checkAccount wants the fields of the kind of account and no others.
func (in *Entry) checkAccount(c *fault.Check) {
	need := func(kind AccountKind, text, name string, most int, must bool) {
		if in.Kind == kind {
			c.That(!must || text != "", name, "required", "必填", "is required")
			c.Length(text, name, most)
			c.That(plain(text), name, "format", "不能含控制字符", "must not hold control characters")
			return
		}
		c.That(text == "", name, "unknown", "该收款方式没有这一项", "this kind of account has no such field")
	}
	need(AccountWechat, in.AppID, "app_id", 64, false)
	need(AccountWechat, in.OpenID, "open_id", 128, false)
	need(AccountBank, in.CardNo, "card_no", 30, true)
	need(AccountBank, in.BankName, "bank_name", 60, true)
	need(AccountBank, in.Branch, "branch", 60, false)
	need(AccountBank, in.CNAPS, "cnaps", 12, false)
	need(AccountAlipay, in.Alipay, "alipay", 64, true)
	if in.Kind == AccountAlipay && in.Alipay != "" {
		c.That(alipayForm.MatchString(in.Alipay), "alipay", "format", "支付宝账号是手机号或邮箱，不是姓名或昵称", "an Alipay login is a mobile number or an e-mail address, not a name")
	}
	if in.Kind != AccountBank {
		return
	}
	c.That(in.CNAPS == "" || cnapsForm.MatchString(in.CNAPS), "cnaps", "format", "应为 12 位联行号", "must be a CNAPS code of 12 digits")
	if in.Type.invoices() {
		c.That(digits.MatchString(in.CardNo), "card_no", "format", "应为 8 到 30 位账号", "must be an account number of 8 to 30 digits")
	} else {
		c.That(luhn(in.CardNo), "card_no", "format", "卡号有误，请核对", "is not a card number; check it")
	}
}

func plain(s string) bool { return !strings.ContainsFunc(s, unicode.IsControl) }

// luhn says whether a text of 12 to 19 digits carries its check digit.
func luhn(card string) bool {
	if len(card) < 12 || len(card) > 19 {
		return false
	}
	sum := 0
	for i := range card {
		d := int(card[len(card)-1-i] - '0')
		if d < 0 || d > 9 {
			return false
		}
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// residentNo says whether the text is a resident identity number: a date of
// birth in it, and the check symbol of GB 11643.
func residentNo(s string) bool {
	if len(s) != 18 {
		return false
	}
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		d := int(s[i] - '0')
		if d < 0 || d > 9 {
			return false
		}
		sum += d * w
	}
	if "10X98765432"[sum%11] != s[17] {
		return false
	}
	_, err := time.Parse("20060102", s[6:14])
	return err == nil
}

// firmNo says whether the text is a unified social credit code: the check
// symbol of GB 32100.
func firmNo(s string) bool {
	const symbols = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	if len(s) != 18 {
		return false
	}
	sum, weight := 0, 1
	for i := range 17 {
		v := strings.IndexByte(symbols, s[i])
		if v < 0 {
			return false
		}
		sum += v * weight
		weight = weight * 3 % 31
	}
	return symbols[(31-sum%31)%31] == s[17]
}
