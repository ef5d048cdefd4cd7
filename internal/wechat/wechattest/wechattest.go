// Package wechattest is WeChat Pay's transfer bills on this machine, for
// tests: it speaks HTTP, checks signatures, keeps the limits and answers with
// the codes of the platform, loses answers when told to, and tells of final
// bills by signed and sealed notices.
//
// It follows the platform where the difference costs money: a number is one
// bill for ever, the same parameters again are the same bill, others are
// refused; a bill waits for its person for 24 hours and then fails; an answer
// other than 200 says nothing certain about the bill.
package wechattest

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"siyu/internal/wechat"
)

// The merchant and the app of every Pay.
const (
	MerchantID = "1900000109"
	AppID      = "wx0000000000000001"

	serial   = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
	noticeID = "PUB_KEY_ID_0119000001092024121200000000"
)

// keys are made once: they cost more than a test.
var keys = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var out [2]*rsa.PrivateKey
	for i := range out {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		out[i] = k
	}
	return out
})

// Pay is the platform with one merchant.
type Pay struct {
	URL      string
	Merchant wechat.Merchant
	// Now is the business time by which bills expire; signatures are of wall
	// time, as those of the client.
	Now func() time.Time

	platform *rsa.PrivateKey
	mu       sync.Mutex
	bills    map[string]*bill
	balance  int64
	day      map[string]int64 // given to a person per day
	second   int64
	asked    int // in that second
	rate     int
	next     []Mishap
	sends    map[string]int // requests to send, by number
	most     int            // a person's day
}

// New starts a platform that ends with the test. The merchant has a million
// yuan.
func New(t testing.TB, now func() time.Time) *Pay {
	t.Helper()
	k := keys()
	p := &Pay{
		Now: now, platform: k[1], bills: map[string]*bill{}, balance: 100_000_000, day: map[string]int64{}, rate: 100, most: 2_000_000, sends: map[string]int{},
		Merchant: wechat.Merchant{ID: MerchantID, Serial: serial, Key: k[0],
			NoticeID: noticeID, Platform: &k[1].PublicKey, Notices: []byte("0123456789abcdef0123456789abcdef")},
	}
	s := httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(s.Close)
	p.URL = s.URL
	return p
}

// Client is the merchant's client of it.
func (p *Pay) Client(t testing.TB) *wechat.Client {
	t.Helper()
	c, err := wechat.New(p.Merchant, p.URL)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Mishap is what befalls the next request.
type Mishap string

// The mishaps: an answer that is lost, after the request was worked or before
// it was, an answer by somebody else, a failure of the platform's with and
// without its effect, and a code nobody knows, with its effect.
const (
	LostAfter    Mishap = "lost after"
	LostBefore   Mishap = "lost before"
	Unsigned     Mishap = "unsigned"
	Forged       Mishap = "forged"
	SystemAfter  Mishap = "system error after"
	SystemBefore Mishap = "system error before"
	UnknownCode  Mishap = "unknown code"
)

// Next lines up mishaps, one for each coming request.
func (p *Pay) Next(m ...Mishap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = append(p.next, m...)
}

// SetBalance sets what the merchant has.
func (p *Pay) SetBalance(fen int64) { p.mu.Lock(); defer p.mu.Unlock(); p.balance = fen }

// SetRate sets how many requests a second are answered.
func (p *Pay) SetRate(n int) { p.mu.Lock(); defer p.mu.Unlock(); p.rate = n }

// SetPersonMost sets what one person may get in a day.
func (p *Pay) SetPersonMost(fen int) { p.mu.Lock(); defer p.mu.Unlock(); p.most = fen }

// Confirm is the person's tap: it moves the money of a bill that waits.
func (p *Pay) Confirm(t testing.TB, billNo string) {
	t.Helper()
	p.end(t, billNo, wechat.StateSuccess, "")
}

// Fail ends a bill that waits as the platform does when the person's account
// may not receive.
func (p *Pay) Fail(t testing.TB, billNo, reason string) {
	t.Helper()
	p.end(t, billNo, wechat.StateFail, reason)
}

func (p *Pay) end(t testing.TB, billNo string, s wechat.State, reason string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.bills[billNo]
	if b == nil {
		t.Fatalf("no bill %s", billNo)
	}
	p.age(b)
	if b.State != wechat.StateWait {
		t.Fatalf("bill %s is %s and waits for nobody", billNo, b.State)
	}
	p.finish(b, s, reason)
}

// State is where a bill stands, if there is one.
func (p *Pay) State(billNo string) (wechat.State, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.bills[billNo]
	if b == nil {
		return "", false
	}
	p.age(b)
	return b.State, true
}

// Paid is what persons got, by openid.
func (p *Pay) Paid() map[string]int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[string]int64{}
	for _, b := range p.bills {
		if b.State == wechat.StateSuccess {
			out[b.asked.OpenID] += b.asked.Amount
		}
	}
	return out
}

// Numbers are the numbers of all bills, and how often each was asked for.
func (p *Pay) Numbers() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[string]int{}
	for no := range p.bills {
		out[no] = p.sends[no]
	}
	return out
}
