package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"siyu/configs"
	"siyu/internal/money"
	"siyu/internal/wechat"
	"siyu/referral/settlement"
)

// billsOf makes the channel of transfer bills, or none where the settings name
// no merchant.
func billsOf(cfg configs.Config) (*settlement.Bills, error) {
	w := cfg.Wechat
	if w.MerchantID == "" {
		return nil, nil
	}
	m := wechat.Merchant{ID: w.MerchantID, Serial: w.Serial, NoticeID: w.PlatformID}
	var err error
	if m.Key, err = wechat.ReadKey(w.Key); err != nil {
		return nil, fmt.Errorf("SIYU_WECHAT_KEY: %w", err)
	}
	if m.Platform, err = wechat.ReadPlatform(w.PlatformKey); err != nil {
		return nil, fmt.Errorf("SIYU_WECHAT_PLATFORM_KEY: %w", err)
	}
	if m.Notices, err = os.ReadFile(w.APIv3Key); err != nil {
		return nil, fmt.Errorf("SIYU_WECHAT_APIV3_KEY: %w", err)
	}
	m.Notices = bytes.TrimSpace(m.Notices)
	host := w.Host
	if host == "" {
		host = wechat.Host
	}
	c, err := wechat.New(m, host)
	if err != nil {
		return nil, fmt.Errorf("SIYU_WECHAT: %w", err)
	}
	b := &settlement.Bills{Teller: c, MerchantID: w.MerchantID, AppID: w.AppID, Scene: w.Scene, Perception: w.Perception, Remark: w.Remark,
		Least: money.Amount(w.BillLeast), Most: money.Amount(w.BillMost), Rate: w.Rate}
	for _, v := range w.Infos {
		kind, text, _ := strings.Cut(v, "=")
		b.Infos = append(b.Infos, wechat.Info{Type: kind, Content: text})
	}
	if strings.HasPrefix(cfg.PublicURL, "https://") {
		b.NotifyURL = cfg.PublicURL + configs.NoticesPath
	}
	return b, nil
}
