package api

import (
	"testing"

	"siyu/access"
)

func permitOf(t *testing.T, h *house) string {
	g := h.make(t, access.Marketer, "POST /v1/groups", `{"name":"南京路大促群","preset":"benefit"}`)
	return h.make(t, access.Marketer, "POST /v1/guard/passes", `{"groups":["`+g+`"],"reason":"双十一","from_at":"2036-11-08T00:00:00+08:00","to_at":"2036-11-12T00:00:00+08:00"}`)
}

func silenceOf(t *testing.T, h *house) string {
	g := h.make(t, access.Marketer, "POST /v1/groups", `{"name":"南京路静默群","preset":"benefit"}`)
	return h.make(t, access.Marketer, "POST /v1/guard/silences", `{"scope":"group","group_id":"`+g+`","reason":"群主请假","until_at":"2026-06-01T00:00:00+08:00"}`)
}
