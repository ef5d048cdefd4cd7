package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// event is the body of a webhook.
type event struct {
	ID   string          `json:"id"`
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// hook receives an event. It answers 204 once what the event asks for is
// written down; then Siyu never sends it again. Any other answer, or none, has
// Siyu try for three days.
func (m *mall) hook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 128<<10))
	if err != nil {
		http.Error(w, "the body is too long", http.StatusRequestEntityTooLarge)
		return
	}
	var secret string
	m.store.read(func(s state) { secret = s.Secret })
	if err := verified(secret, r.Header, body, time.Now()); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		http.Error(w, "not an event", http.StatusBadRequest)
		return
	}
	if err := m.note(e); err != nil {
		log.Printf("event %s %s: %v", e.ID, e.Type, err)
		http.Error(w, "try again", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// verified checks the Standard Webhooks signature: HMAC-SHA256 over
// id.timestamp.body with the secret after whsec_. The header may hold several
// signatures, while a secret is being changed. A timestamp far from now is
// somebody else's recording.
func verified(secret string, h http.Header, body []byte, now time.Time) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) == 0 {
		return errors.New("the mall has no secret yet")
	}
	id, stamp := h.Get("webhook-id"), h.Get("webhook-timestamp")
	unix, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || now.Sub(time.Unix(unix, 0)).Abs() > 5*time.Minute {
		return errors.New("the timestamp is not of now")
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	want := mac.Sum(nil)
	for _, one := range strings.Fields(h.Get("webhook-signature")) {
		version, text, _ := strings.Cut(one, ",")
		got, err := base64.StdEncoding.DecodeString(text)
		if version == "v1" && err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return errors.New("the signature does not fit")
}

// note writes an event down, once: the event's id and what it asks for are one
// change, so a repeat finds the id and changes nothing.
func (m *mall) note(e event) error {
	var of struct {
		ID       string `json:"id"`
		OrderID  string `json:"order_id"`
		RefundNo string `json:"refund_no"`
		Amount   int64  `json:"amount_fen"`
		Goods    int64  `json:"goods_fen"`
		Qty      int    `json:"qty"`
		Member   string `json:"member_id"`
		Text     string `json:"text_zh"`
	}
	if err := json.Unmarshal(e.Data, &of); err != nil {
		return err
	}
	fresh := false
	err := m.store.change(func(s *state) {
		if fresh = s.Seen[e.ID] == ""; !fresh {
			return
		}
		s.Seen[e.ID] = e.Type
		switch {
		case e.Type == "refund.requested":
			no := of.OrderID + " " + of.RefundNo
			if s.Refunds[no] == nil { // two events may ask for the same money
				s.Refunds[no] = &request{Order: of.OrderID, No: of.RefundNo, Amount: of.Amount, Goods: of.Goods, Qty: of.Qty}
			}
		case strings.HasPrefix(e.Type, "order."):
			order := of.ID
			if of.OrderID != "" {
				order = of.OrderID
			}
			s.Orders[order] = e.Type // events come in no promised order: ask Siyu for the state
		}
	})
	if err == nil && fresh && e.Type == "notice.due" { // a real mall sends it to the member's phone
		fmt.Printf("to %s: %s\n", of.Member, of.Text)
	}
	return err
}
