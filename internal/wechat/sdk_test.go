package wechat_test

import (
	"context"
	"testing"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"siyu/internal/wechat"
	"siyu/internal/wechat/wechattest"
)

// The platform's own SDK signs what our platform for tests accepts, accepts
// what it signs, and reads its notices: so both sides of ours are the ones the
// platform means.
func TestTheSDKAgrees(t *testing.T) {
	p, c, _ := open(t)
	ctx := context.Background()
	m := p.Merchant
	verifier := verifiers.NewSHA256WithRSAPubkeyVerifier(m.NoticeID, *m.Platform)
	sdk, err := core.NewClient(ctx, option.WithMerchantCredential(m.ID, m.Serial, m.Key), option.WithVerifier(verifier))
	if err != nil {
		t.Fatal(err)
	}
	const bills = "/v3/fund-app/mch-transfer/transfer-bills"
	named := reward("P1")
	named.Name = "李雷"
	sealed, err := utils.EncryptOAEPWithPublicKey(named.Name, m.Platform)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sdk.Post(ctx, p.URL+bills, struct {
		wechat.Transfer
		Sealed string `json:"user_name"`
	}{named, sealed})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(ctx, named); err != nil {
		t.Errorf("the name that ours seals is not the one that the SDK sealed: %v", err)
	}
	if b, err := c.Find(ctx, "P1"); err != nil || b.Amount != 1200 {
		t.Errorf("ours finds the SDK's bill as %+v, %v", b, err)
	}
	if _, err := sdk.Get(ctx, p.URL+bills+"/out-bill-no/P2"); !core.IsAPIError(err, "NOT_FOUND") {
		t.Errorf("a bill that is not there: %v", err)
	}
	p.Next(wechattest.Forged)
	if _, err := sdk.Post(ctx, p.URL+bills, reward("P3")); err == nil {
		t.Error("the SDK believes a forged answer")
	}

	p.Confirm(t, "P1")
	var told map[string]any
	r, err := notify.NewRSANotifyHandler(string(m.Notices), verifier)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.ParseNotifyRequest(ctx, p.Notice(t, "/", "P1"), &told); err != nil || told["state"] != string(wechat.StateSuccess) {
		t.Errorf("the SDK reads a notice as %v, %v", told, err)
	}
	changed := p.Notice(t, "/", "P1")
	changed.Header.Set("Wechatpay-Nonce", "x")
	if _, err := r.ParseNotifyRequest(ctx, changed, &told); err == nil {
		t.Error("the SDK believes a changed notice")
	}
}
