package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"siyu/configs"
	"siyu/internal/wechat/wechattest"
)

// TestBillsOfSettings makes the channel from settings alone and has a bill
// made by it: every setting reaches the platform.
func TestBillsOfSettings(t *testing.T) {
	p := wechattest.New(t, time.Now)
	dir := t.TempDir()
	p.WriteKeys(t, dir)
	cfg := configs.Default()
	if b, err := billsOf(cfg); b != nil || err != nil {
		t.Fatalf("without a merchant: %+v, %v", b, err)
	}
	w := &cfg.Wechat
	w.MerchantID, w.Serial, w.PlatformID, w.AppID, w.Host = p.Merchant.ID, p.Merchant.Serial, p.Merchant.NoticeID, wechattest.AppID, p.URL
	w.Key, w.PlatformKey, w.APIv3Key = filepath.Join(dir, wechattest.KeyFile), filepath.Join(dir, wechattest.PlatformFile), filepath.Join(dir, wechattest.NoticesFile)
	cfg.PublicURL = "https://shop.example"
	b, err := billsOf(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if b.NotifyURL != "https://shop.example/v1/channels/wechat-bills/notices" || b.Least != 10 || b.Most != 200_00 || b.Rate != 20 || b.MerchantID != p.Merchant.ID {
		t.Errorf("made: %+v", b)
	}
	if _, err := b.Teller.Find(context.Background(), "P1"); err == nil || len(b.Infos) != 2 || b.Infos[0].Type != "活动名称" {
		t.Errorf("asked by it: %v, %+v", err, b.Infos)
	}
	w.APIv3Key = w.Key
	if _, err := billsOf(cfg); err == nil {
		t.Error("a key that is not of 32 bytes")
	}
}
