package wechattest

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const bills = "/v3/fund-app/mch-transfer/transfer-bills"

var authorization = regexp.MustCompile(`^WECHATPAY2-SHA256-RSA2048 mchid="([^"]+)",nonce_str="([^"]+)",timestamp="(\d+)",serial_no="([^"]+)",signature="([^"]+)"$`)

func (p *Pay) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.signed(r, body); err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"code":"SIGN_ERROR","message":%q}`, err.Error())
		return
	}
	var m Mishap
	if len(p.next) > 0 {
		m, p.next = p.next[0], p.next[1:]
	}
	var out any
	var bad *refusal
	switch {
	case m == LostBefore:
		panic(http.ErrAbortHandler) // cuts the connection
	case m == SystemBefore:
		bad = &refusal{500, "SYSTEM_ERROR", "系统错误"}
	case p.tooOften():
		bad = &refusal{429, "FREQUENCY_LIMITED", "频率超限"}
	default:
		out, bad = p.work(r, body)
	}
	switch m {
	case LostAfter:
		panic(http.ErrAbortHandler)
	case SystemAfter:
		bad = &refusal{500, "SYSTEM_ERROR", "系统错误"}
	case UnknownCode:
		bad = &refusal{400, "BRAND_NEW_CODE", "新错误码"}
	}
	status := http.StatusOK
	if bad != nil {
		status, out = bad.status, map[string]string{"code": bad.code, "message": bad.message}
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err)
	}
	if m != Unsigned {
		p.sign(w.Header(), text)
	}
	if m == Forged {
		text = bytes.Replace(text, []byte("WAIT_USER_CONFIRM"), []byte("SUCCESS"), 1)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(text)
}

func (p *Pay) work(r *http.Request, body []byte) (any, *refusal) {
	path := strings.TrimPrefix(r.URL.Path, bills)
	no, one := strings.CutPrefix(path, "/out-bill-no/")
	no, cancel := strings.CutSuffix(no, "/cancel")
	switch {
	case r.Method == http.MethodPost && path == "":
		var in asked
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, &refusal{400, "PARAM_ERROR", "请求格式错误"}
		}
		return split(p.send(in))
	case r.Method == http.MethodPost && one && cancel:
		return split(p.cancel(no))
	case r.Method == http.MethodGet && one:
		return split(p.find(no))
	}
	return nil, &refusal{404, "RESOURCE_NOT_EXISTS", "接口不存在"}
}

func split[T any](v T, r *refusal) (any, *refusal) { return v, r }

// signed says why the merchant did not sign the request just now.
func (p *Pay) signed(r *http.Request, body []byte) error {
	m := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil {
		return fmt.Errorf("no signature")
	}
	at, err := strconv.ParseInt(m[3], 10, 64)
	switch {
	case err != nil:
		return err
	case m[1] != p.Merchant.ID || m[4] != p.Merchant.Serial:
		return fmt.Errorf("商户证书序列号有误")
	case time.Since(time.Unix(at, 0)).Abs() > 5*time.Minute:
		return fmt.Errorf("timestamp expired")
	}
	sig, err := base64.StdEncoding.DecodeString(m[5])
	if err != nil {
		return err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d\n%s\n%s\n", r.Method, r.URL.RequestURI(), at, m[2], body))
	return rsa.VerifyPKCS1v15(&p.Merchant.Key.PublicKey, crypto.SHA256, sum[:], sig)
}

func (p *Pay) tooOften() bool {
	if s := time.Now().Unix(); s != p.second {
		p.second, p.asked = s, 0
	}
	p.asked++
	return p.asked > p.rate
}

// sign signs a text as the platform does, in an answer or in a notice.
func (p *Pay) sign(h http.Header, text []byte) {
	at, nonce := time.Now().Unix(), rand.Text()
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\n%s\n%s\n", at, nonce, text))
	sig, err := rsa.SignPKCS1v15(nil, p.platform, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	h.Set("Wechatpay-Timestamp", strconv.FormatInt(at, 10))
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Serial", p.Merchant.NoticeID)
	h.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(sig))
	h.Set("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048")
}
