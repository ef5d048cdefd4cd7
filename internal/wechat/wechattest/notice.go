package wechattest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"
	"time"
)

// Notice is the request by which the platform tells of a bill, to url.
func (p *Pay) Notice(t testing.TB, url, billNo string) *http.Request {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.bills[billNo]
	if b == nil {
		t.Fatalf("no bill %s", billNo)
	}
	p.age(b)
	return p.NoticeOf(t, url, map[string]any{
		"mch_id": p.Merchant.ID, "out_bill_no": b.BillNo, "transfer_bill_no": b.PlatformNo, "state": b.State, "transfer_amount": b.asked.Amount,
		"openid": b.asked.OpenID, "fail_reason": b.FailReason, "create_time": b.CreateTime, "update_time": p.Now().Format(time.RFC3339),
	})
}

// NoticeOf is a notice of what a test makes up, sealed and signed.
func (p *Pay) NoticeOf(t testing.TB, url string, resource any) *http.Request {
	t.Helper()
	text, err := json.Marshal(resource)
	if err != nil {
		t.Fatal(err)
	}
	return p.Sealed(t, url, text)
}

// Sealed is a notice of any text, sealed and signed.
func (p *Pay) Sealed(t testing.TB, url string, text []byte) *http.Request {
	t.Helper()
	block, err := aes.NewCipher(p.Merchant.Notices)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	nonce := rand.Text()[:aead.NonceSize()]
	body, err := json.Marshal(map[string]any{
		"id": rand.Text(), "create_time": p.Now().Format(time.RFC3339), "event_type": "MCHTRANSFER.BILL.FINISHED", "resource_type": "encrypt-resource",
		"summary": "商家转账单据终态通知", "resource": map[string]string{
			"original_type": "mch_payment", "algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": "mch_payment",
			"ciphertext": base64.StdEncoding.EncodeToString(aead.Seal(nil, []byte(nonce), text, []byte("mch_payment"))),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p.Signed(t, url, body)
}

// Signed is a notice of any bytes, signed.
func (p *Pay) Signed(t testing.TB, url string, body []byte) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	p.sign(r.Header, body)
	return r
}
