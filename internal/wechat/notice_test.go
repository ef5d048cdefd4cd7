package wechat_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"unicode/utf8"

	"siyu/internal/wechat"
)

func read(t testing.TB, c *wechat.Client, r *http.Request) (wechat.Bill, error) {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return c.ReadNotice(r.Header, body)
}

func TestNotice(t *testing.T) {
	p, c, _ := open(t)
	if _, err := c.Send(context.Background(), reward("P1")); err != nil {
		t.Fatal(err)
	}
	p.Fail(t, "P1", "REAL_NAME_CHECK_FAIL")
	b, err := read(t, c, p.Notice(t, "/", "P1"))
	if err != nil || b.BillNo != "P1" || b.State != wechat.StateFail || b.FailReason != "REAL_NAME_CHECK_FAIL" || b.Amount != 1200 {
		t.Errorf("got %+v, %v", b, err)
	}
	older := map[string]any{"mchid": p.Merchant.ID, "out_bill_no": "P1", "state": "SUCCESS"}
	if b, err := read(t, c, p.NoticeOf(t, "/", older)); err != nil || b.State != wechat.StateSuccess {
		t.Errorf("the older name of the merchant: %+v, %v", b, err)
	}
}

func TestNoticeIsRefused(t *testing.T) {
	p, c, _ := open(t)
	good := map[string]any{"mch_id": p.Merchant.ID, "out_bill_no": "P1", "state": "SUCCESS"}
	for name, change := range map[string]func(r *http.Request){
		"unsigned":         func(r *http.Request) { r.Header.Del("Wechatpay-Signature") },
		"a test signature": func(r *http.Request) { r.Header.Set("Wechatpay-Signature", "WECHATPAY/SIGNTEST/AAAA") },
		"another nonce":    func(r *http.Request) { r.Header.Set("Wechatpay-Nonce", "x") },
		"another key":      func(r *http.Request) { r.Header.Set("Wechatpay-Serial", "PUB_KEY_ID_other") },
		"old":              func(r *http.Request) { r.Header.Set("Wechatpay-Timestamp", "1700000000") },
		"no time":          func(r *http.Request) { r.Header.Del("Wechatpay-Timestamp") },
	} {
		r := p.NoticeOf(t, "/", good)
		change(r)
		if b, err := read(t, c, r); !errors.Is(err, wechat.ErrUnconfirmed) || b != (wechat.Bill{}) {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
	for name, resource := range map[string]map[string]any{
		"another merchant": {"mch_id": "1900000110", "out_bill_no": "P1", "state": "SUCCESS"},
		"no merchant":      {"out_bill_no": "P1", "state": "SUCCESS"},
		"no number":        {"mch_id": p.Merchant.ID, "state": "SUCCESS"},
		"no state":         {"mch_id": p.Merchant.ID, "out_bill_no": "P1"},
	} {
		if b, err := read(t, c, p.NoticeOf(t, "/", resource)); err == nil {
			t.Errorf("%s: read as %+v", name, b)
		}
	}
	for name, body := range map[string]string{
		"no JSON":         "x",
		"another event":   `{"event_type":"TRANSACTION.SUCCESS","resource":{"algorithm":"AEAD_AES_256_GCM"}}`,
		"another sealing": `{"event_type":"MCHTRANSFER.BILL.FINISHED","resource":{"algorithm":"none","ciphertext":"e30="}}`,
		"no nonce":        `{"event_type":"MCHTRANSFER.BILL.FINISHED","resource":{"algorithm":"AEAD_AES_256_GCM","ciphertext":"e30="}}`,
		"not sealed":      `{"event_type":"MCHTRANSFER.BILL.FINISHED","resource":{"algorithm":"AEAD_AES_256_GCM","nonce":"123456789012","ciphertext":"e30="}}`,
	} {
		if b, err := read(t, c, p.Signed(t, "/", []byte(body))); err == nil {
			t.Errorf("%s: read as %+v", name, b)
		}
	}
}

// FuzzNotice gives the decoder any bytes that the platform might have signed:
// it never panics, and what it reads has a number and a state.
func FuzzNotice(f *testing.F) {
	m := &moved{start}
	p := newPay(f, m)
	c := p.Client(f)
	f.Add([]byte(`{"event_type":"MCHTRANSFER.BILL.FINISHED","resource":{"algorithm":"AEAD_AES_256_GCM","nonce":"123456789012","ciphertext":"e30="}}`))
	f.Add([]byte(`{"mch_id":"1900000109","out_bill_no":"P1","state":"SUCCESS","transfer_amount":1}`))
	f.Add([]byte(`{"mch_id":"1900000109","out_bill_no":"P1","state":7}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) {
		outer := p.Signed(t, "/", text)
		_, _ = read(t, c, outer)
		if !utf8.Valid(text) {
			return
		}
		b, err := read(t, c, p.Sealed(t, "/", text))
		if err == nil && (b.BillNo == "" || b.State == "") {
			t.Errorf("%q is read as %+v", text, b)
		}
	})
}
