package configs

import (
	"net/url"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Wechat is the merchant whose account pays rewards by WeChat transfer bills;
// without a merchant number nothing does.
type Wechat struct {
	MerchantID  string   `yaml:"mch_id"`
	Serial      string   `yaml:"serial"`       // of the merchant's certificate
	Key         string   `yaml:"key"`          // the file of its key, apiclient_key.pem
	PlatformID  string   `yaml:"platform_id"`  // of the platform's public key, PUB_KEY_ID_…
	PlatformKey string   `yaml:"platform_key"` // its file, pub_key.pem
	APIv3Key    string   `yaml:"apiv3_key"`    // the file of the APIv3 key, 32 bytes
	AppID       string   `yaml:"app_id"`       // whose members are paid
	Scene       string   `yaml:"scene"`        // 转账场景
	Perception  string   `yaml:"perception"`   // what the member sees it as
	Remark      string   `yaml:"remark"`       // on the bill
	Infos       []string `yaml:"infos"`        // what the scene must be told, as type=content
	BillLeast   int      `yaml:"bill_least"`   // fen of one bill
	BillMost    int      `yaml:"bill_most"`    // fen of one bill
	Rate        int      `yaml:"rate"`         // requests a second of one process
	Host        string   `yaml:"host"`         // another platform than the real one, for trials
}

// NoticesPath is where the platform tells of bills, below the public URL.
const NoticesPath = "/v1/channels/wechat-bills/notices"

func (w *Wechat) readEnv(look func(string) (string, bool)) error {
	for name, to := range map[string]*string{
		"SIYU_WECHAT_MCH_ID": &w.MerchantID, "SIYU_WECHAT_SERIAL": &w.Serial, "SIYU_WECHAT_KEY": &w.Key, "SIYU_WECHAT_PLATFORM_ID": &w.PlatformID,
		"SIYU_WECHAT_PLATFORM_KEY": &w.PlatformKey, "SIYU_WECHAT_APIV3_KEY": &w.APIv3Key, "SIYU_WECHAT_APP_ID": &w.AppID, "SIYU_WECHAT_SCENE": &w.Scene,
		"SIYU_WECHAT_PERCEPTION": &w.Perception, "SIYU_WECHAT_REMARK": &w.Remark, "SIYU_WECHAT_HOST": &w.Host,
	} {
		if v, ok := look(name); ok {
			*to = strings.TrimSpace(v)
		}
	}
	if v, ok := look("SIYU_WECHAT_INFOS"); ok {
		w.Infos = split(v)
	}
	for name, to := range w.numbers() {
		v, ok := look(name)
		if !ok {
			continue
		}
		n, err := strconv.Atoi(v)
		if err != nil {
			return wrong(name, v, "is not a whole number", "write it in digits")
		}
		*to = n
	}
	return nil
}

func (w *Wechat) numbers() map[string]*int {
	return map[string]*int{"SIYU_WECHAT_BILL_LEAST": &w.BillLeast, "SIYU_WECHAT_BILL_MOST": &w.BillMost, "SIYU_WECHAT_RATE": &w.Rate}
}

// checkWechat wants all of it or nothing, and what the platform would refuse
// bill by bill it refuses at the start.
func (c Config) checkWechat() error {
	w := c.Wechat
	if w.MerchantID == "" {
		return nil
	}
	for _, x := range []struct{ name, value string }{{"SIYU_WECHAT_SERIAL", w.Serial}, {"SIYU_WECHAT_PLATFORM_ID", w.PlatformID}, {"SIYU_WECHAT_APP_ID", w.AppID},
		{"SIYU_WECHAT_SCENE", w.Scene}, {"SIYU_WECHAT_REMARK", w.Remark}} {
		if x.value == "" || utf8.RuneCountInString(x.value) > 64 {
			return wrong(x.name, x.value, "is missing or too long", "copy it from the merchant platform, or leave SIYU_WECHAT_MCH_ID empty")
		}
	}
	for _, x := range []struct{ name, value string }{{"SIYU_WECHAT_KEY", w.Key}, {"SIYU_WECHAT_PLATFORM_KEY", w.PlatformKey}, {"SIYU_WECHAT_APIV3_KEY", w.APIv3Key}} {
		if at, err := os.Stat(x.value); err != nil || !at.Mode().IsRegular() {
			return wrong(x.name, x.value, "is not a file that can be read", "name the file of the key")
		}
	}
	for _, v := range append([]string{"remark=" + w.Remark}, w.Infos...) {
		kind, text, ok := strings.Cut(v, "=")
		if n := utf8.RuneCountInString(text); !ok || kind == "" || n < 1 || n > 32 {
			return wrong("SIYU_WECHAT_INFOS", v, "is not type=content with 1 to 32 characters", "write it like 活动名称=老友推荐,奖励说明=邀请好友下单奖励")
		}
	}
	if u, err := url.Parse(c.PublicURL); w.Host == "" && (err != nil || u.Scheme != "https") {
		return wrong("SIYU_PUBLIC_URL", c.PublicURL, "is not what WeChat Pay tells bills to", "write one with https://")
	}
	if w.BillLeast < 1 || w.BillMost < w.BillLeast || w.Rate < 1 || w.Rate > 100 {
		return wrong("SIYU_WECHAT_RATE", strconv.Itoa(w.Rate), "or the amounts of a bill are out of bounds", "write 1 to 100 requests a second, and a least bill of at least 1 fen below the most")
	}
	return nil
}
