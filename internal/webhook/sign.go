package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
)

// showSecret is the form in which the receiver's library takes a secret.
func showSecret(raw []byte) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(raw)
}

// sign is the webhook-signature header: v1 over id, timestamp and body.
func sign(raw []byte, messageID string, unix int64, body []byte) string {
	h := hmac.New(sha256.New, raw)
	h.Write([]byte(messageID + "." + strconv.FormatInt(unix, 10) + "."))
	h.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}
