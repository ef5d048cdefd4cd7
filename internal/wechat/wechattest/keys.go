package wechattest

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"siyu/internal/wechat"
)

// The files of a merchant's keys, as settings name them.
const (
	KeyFile      = "apiclient_key.pem"
	PlatformFile = "pub_key.pem"
	NoticesFile  = "apiv3.key"
)

// WriteKeys writes the merchant's keys into the folder, for a process of its
// own.
func (p *Pay) WriteKeys(t testing.TB, dir string) {
	t.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(p.Merchant.Key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(p.Merchant.Platform)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		KeyFile:      pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		PlatformFile: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}),
		NoticesFile:  p.Merchant.Notices,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// ReadKeys reads what WriteKeys wrote.
func ReadKeys(dir string) (wechat.Merchant, error) {
	m := wechat.Merchant{ID: MerchantID, Serial: serial, NoticeID: noticeID}
	var err error
	if m.Key, err = wechat.ReadKey(filepath.Join(dir, KeyFile)); err != nil {
		return m, err
	}
	if m.Platform, err = wechat.ReadPlatform(filepath.Join(dir, PlatformFile)); err != nil {
		return m, err
	}
	m.Notices, err = os.ReadFile(filepath.Join(dir, NoticesFile))
	return m, err
}
