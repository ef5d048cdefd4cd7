// Package wechat is a thin client of WeChat Pay's transfer bills (商家转账,
// API v3): one bill pays one person, who confirms it on the phone within 24
// hours.
//
// Every request is signed with the merchant's key and every answer is checked
// against the platform's public key before a word of it is believed. What was
// answered is a value: a Bill, or an *Error with the platform's code. Whatever
// else happened, a lost connection or an answer nobody signed, says nothing
// about the bill: the caller asks by its number, and never sends it again
// under another.
//
// It has no tables and no opinion about money. Its caller is
// referral/settlement, through the channel that main wires.
package wechat

import (
	"crypto/rsa"
	"errors"
	"net/http"
	"strings"
	"time"
)

// Host is where the platform listens.
const Host = "https://api.mch.weixin.qq.com"

// Merchant is one merchant's account with its keys.
type Merchant struct {
	ID       string          // 商户号
	Serial   string          // of the certificate that Key belongs to
	Key      *rsa.PrivateKey // signs requests
	NoticeID string          // of the platform's public key, PUB_KEY_ID_…
	Platform *rsa.PublicKey  // verifies answers and notices, seals names
	Notices  []byte          // the APIv3 key of 32 bytes, which opens notices
}

// Client calls the platform for one merchant. It may be used by many
// goroutines.
type Client struct {
	m    Merchant
	host string
	http *http.Client
	now  func() time.Time
}

// answerFor bounds one call; the caller's context may end it sooner.
const answerFor = 10 * time.Second

// New makes a client of the platform at host, which is Host unless a test has
// one of its own. Time is wall time, because that is what the platform
// compares with.
func New(m Merchant, host string) (*Client, error) {
	switch {
	case m.ID == "" || m.Serial == "" || m.NoticeID == "":
		return nil, errors.New("wechat: the merchant, its certificate serial and the id of the platform's key must be named")
	case m.Key == nil || m.Platform == nil:
		return nil, errors.New("wechat: the merchant's key or the platform's public key is missing")
	case len(m.Notices) != 32:
		return nil, errors.New("wechat: the APIv3 key must have 32 bytes")
	}
	return &Client{m: m, host: strings.TrimSuffix(host, "/"), now: time.Now, http: &http.Client{
		Timeout: answerFor,
		// An answer is signed for the address that was asked.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// MerchantID is the merchant's number, which the page that confirms a bill
// needs.
func (c *Client) MerchantID() string { return c.m.ID }
