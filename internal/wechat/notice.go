package wechat

import (
	"encoding/json"
	"fmt"
	"net/http"
)

const (
	noticeBill = "MCHTRANSFER.BILL.FINISHED"
	algorithm  = "AEAD_AES_256_GCM"
)

// ReadNotice reads what the platform tells of a bill that became final, from
// the headers and the body of its request. Notices may come twice, late, or
// never; the bill's number tells which bill it is.
func (c *Client) ReadNotice(h http.Header, body []byte) (Bill, error) {
	if err := c.verified(h, body); err != nil {
		return Bill{}, fmt.Errorf("%w: %w", ErrUnconfirmed, err)
	}
	var envelope struct {
		Type     string `json:"event_type"`
		Resource struct {
			Algorithm  string `json:"algorithm"`
			Ciphertext string `json:"ciphertext"`
			Nonce      string `json:"nonce"`
			Belongs    string `json:"associated_data"`
		} `json:"resource"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return Bill{}, fmt.Errorf("wechat: a notice of another form: %w", err)
	}
	r := envelope.Resource
	if envelope.Type != noticeBill || r.Algorithm != algorithm {
		return Bill{}, fmt.Errorf("wechat: a notice of %q sealed with %q", envelope.Type, r.Algorithm)
	}
	text, err := open(c.m.Notices, r.Nonce, r.Ciphertext, r.Belongs)
	if err != nil {
		return Bill{}, fmt.Errorf("wechat: open notice: %w", err)
	}
	var b struct {
		Bill
		Merchant string `json:"mch_id"`
		Older    string `json:"mchid"`
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return Bill{}, fmt.Errorf("wechat: a notice of another form: %w", err)
	}
	switch {
	case b.Merchant != c.m.ID && b.Older != c.m.ID:
		return Bill{}, fmt.Errorf("wechat: a notice for another merchant")
	case b.BillNo == "" || b.State == "":
		return Bill{}, fmt.Errorf("wechat: a notice without a number or a state")
	}
	return b.Bill, nil
}
