package wechat

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	scheme     = "WECHATPAY2-SHA256-RSA2048"
	answerMost = 64 << 10
	skew       = 5 * time.Minute // beyond it a signature is a replay
)

// call makes one signed request and reads its verified answer into out.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.host+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	auth, err := c.authorization(method, path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", auth)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Siyu/1")
	// It names the key that sealed names, and the one to sign the answer with.
	req.Header.Set("Wechatpay-Serial", c.m.NoticeID)
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("wechat: no answer: %w", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, answerMost+1))
	switch {
	case err != nil:
		return fmt.Errorf("wechat: half an answer: %w", err)
	case len(text) > answerMost:
		return fmt.Errorf("wechat: an answer of more than %d bytes", answerMost)
	}
	return c.read(res, text, out)
}

// read believes an answer if it is signed. Only that our own signature is bad
// the platform says unsigned.
func (c *Client) read(res *http.Response, text []byte, out any) error {
	if err := c.verified(res.Header, text); err != nil && res.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("%w (%d): %w", ErrUnconfirmed, res.StatusCode, err)
	}
	if res.StatusCode/100 != 2 {
		e := &Error{Status: res.StatusCode}
		if err := json.Unmarshal(text, e); err != nil || e.Code == "" {
			e.Code = "HTTP_" + strconv.Itoa(res.StatusCode)
		}
		return e
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("wechat: an answer of another form: %w", err)
	}
	return nil
}

func (c *Client) authorization(method, path string, body []byte) (string, error) {
	nonce, now := rand.Text(), c.now().Unix()
	sig, err := sign(c.m.Key, fmt.Sprintf("%s\n%s\n%d\n%s\n%s\n", method, path, now, nonce, body))
	if err != nil {
		return "", fmt.Errorf("wechat: sign: %w", err)
	}
	return fmt.Sprintf(`%s mchid="%s",nonce_str="%s",timestamp="%d",serial_no="%s",signature="%s"`, scheme, c.m.ID, nonce, now, c.m.Serial, sig), nil
}

// verified says why the platform did not sign the text just now, if it did
// not.
func (c *Client) verified(h http.Header, text []byte) error {
	at, err := strconv.ParseInt(h.Get("Wechatpay-Timestamp"), 10, 64)
	if err != nil {
		return fmt.Errorf("no time: %w", err)
	}
	if serial := h.Get("Wechatpay-Serial"); serial != c.m.NoticeID {
		return fmt.Errorf("signed with another key")
	}
	if off := c.now().Unix() - at; off > int64(skew/time.Second) || off < -int64(skew/time.Second) {
		return fmt.Errorf("signed %d s from now", off)
	}
	return verify(c.m.Platform, fmt.Sprintf("%d\n%s\n%s\n", at, h.Get("Wechatpay-Nonce"), text), h.Get("Wechatpay-Signature"))
}
