package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"image/color"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode"

	"siyu/access"
	"siyu/internal/database/dbtest"
)

// stray is a value that the contract does not allow at a place of a body.
type stray struct {
	field string // as a refusal names it
	body  map[string]any
	why   string
}

// strays are the bodies that break one thing each: every field of the schema
// once by its type and once by each bound that it has.
func (s *spec) strays(schema any, wrap func(v any) map[string]any, at string, depth int) (list []stray) {
	_, node := s.follow(nil, asNode(schema))
	properties, _ := s.members(node)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		in := func(v any) map[string]any { return wrap(map[string]any{name: v}) }
		field := strings.TrimPrefix(at+"."+name, ".")
		_, of := s.follow(nil, asNode(properties[name]))
		for why, v := range s.wrong(of) {
			list = append(list, stray{field, in(v), why})
		}
		if depth == 0 {
			continue
		}
		if _, is := of["properties"]; is {
			list = append(list, s.strays(of, in, field, depth-1)...)
		}
		if item := s.items(of); item != nil {
			if _, of := s.follow(nil, asNode(item)); of["properties"] != nil {
				list = append(list, s.strays(of, func(v any) map[string]any { return in([]any{v}) }, field+"[0]", depth-1)...)
			}
		}
	}
	return list
}

func asNode(schema any) map[string]any {
	node, _ := schema.(map[string]any)
	return node
}

// wrong are values that a schema refuses, by what of it they break.
func (s *spec) wrong(of map[string]any) map[string]any {
	list := map[string]any{}
	kinds, _ := of["type"].([]any)
	if one, is := of["type"].(string); is {
		kinds = []any{one}
	}
	has := func(kind string) bool { return slices.Contains(kinds, any(kind)) }
	if len(kinds) > 0 && !has("object") {
		list["type"] = map[string]any{"x": true}
	} else if has("object") {
		list["type"] = "x"
	}
	if of["enum"] != nil && has("string") {
		list["enum"] = "no-such-word"
	}
	if n, is := number(of["minimum"]); is {
		list["minimum"] = n - 1
	}
	if n, is := number(of["maximum"]); is && n < 1<<52 {
		list["maximum"] = n + 1
	}
	if n, is := number(of["maxLength"]); is {
		list["maxLength"] = strings.Repeat("长", int(n)+1)
	}
	if n, is := number(of["minLength"]); is && n > 0 {
		list["minLength"] = strings.Repeat("x", int(n)-1)
	}
	if of["format"] == "date-time" {
		list["format"] = "yesterday"
	}
	return list
}

func number(v any) (int64, bool) {
	n, is := v.(json.Number)
	if !is {
		return 0, false
	}
	i, err := n.Int64()
	return i, err == nil
}

// unread are routes whose bodies are not read by the contract, and why.
var unread = map[string]string{
	"POST /v1/channels/wechat-bills/notices": "it is WeChat's, and nothing of it is believed before its signature",
}

// firsts are bodies of calls that make something, so that what is wrong in one
// place is all that is wrong.
var firsts = map[string]func(t *testing.T, h *house, target string) string{
	"POST /v1/programs":                    saying(`{"name":"老带新","budget_fen":100,"rules":` + someRules + `}`),
	"POST /v1/campaigns":                   saying(`{"kind":"flash_sale","name":"周一","starts_at":"2036-01-01T09:00:00+08:00","ends_at":"2036-01-02T09:00:00+08:00"}`),
	"PUT /v1/notice-templates/:name":       saying(`{"text_zh":"好","text_en":"good"}`),
	"POST /v1/codes":                       func(t *testing.T, h *house, _ string) string { return fmt.Sprintf(`{"program_id":%q}`, program(t, h)) },
	"PUT /v1/promoter-levels":              saying(`{"period_days":0,"levels":[]}`),
	"POST /v1/members/:id/points/freeze":   saying(`{"order_ref":"o-1","points":1}`),
	"POST /v1/members/:id/points/spend":    saying(`{"order_ref":"o-1","points":1}`),
	"POST /v1/members/:id/points/unfreeze": saying(`{"order_ref":"o-1"}`),
	"POST /v1/tieouts/:id/explain":         saying(`{"run":1,"difference":"twice","reason":"已核实"}`),
	"PUT /v1/poster-templates": func(t *testing.T, h *house, _ string) string {
		return fmt.Sprintf(`{"name":"card","image":%q,"layout":{"qr":{"x":100,"y":200,"size":300},"lines":[{"x":10,"y":20,"size":20,"color":"#000000","text":"一"}]}}`, backdrop(t, color.RGBA{200, 30, 30, 255}))
	},
	"PATCH /v1/campaigns/:id": func(t *testing.T, h *house, target string) string {
		var c struct {
			Items []struct {
				ID string `json:"id"`
			} `json:"items"`
		}
		h.call(t, h.keys[""][access.Admin], "GET "+target, "").into(t, &c)
		return fmt.Sprintf(`{"items":[{"id":%q}]}`, c.Items[0].ID)
	},
}

func saying(body string) func(*testing.T, *house, string) string {
	return func(*testing.T, *house, string) string { return body }
}

// TestStraysAreRefused sends every write bodies that the contract does not
// allow, each wrong in one place, and wants a refusal that names the field and
// says in both languages how to mend it.
func TestStraysAreRefused(t *testing.T) {
	h := newHouse(t, dbtest.Open(t, "sqlite"))
	s, err := theSpec()
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]string{}
	sent := 0
	for _, rt := range h.table().list {
		path := contractPath(rt.path)
		at := []string{"paths", path, strings.ToLower(rt.method), "requestBody", "content", "application/json"}
		media := s.at(at)
		if media == nil || unread[rt.name()] != "" {
			continue
		}
		target := rt.path
		if strings.Contains(target, ":") {
			if begin := longest(rt.path, keysOf(things)); begin != "" {
				if made[begin] == "" {
					made[begin] = things[begin](t, h)
				}
				target = strings.Replace(target, ":"+lastParam(begin), made[begin], 1)
			}
			target = strings.Replace(target, "/notice-templates/:name", "/notice-templates/refund_done", 1)
			for name, v := range others {
				target = strings.Replace(target, name, v, 1)
			}
			if strings.Contains(target, ":") {
				t.Errorf("%s is not asked: add what fills its path to others", rt.name())
				continue
			}
		}
		bearer := ""
		switch {
		case rt.staff && len(rt.roles) > 0:
			bearer = h.keys[""][rt.roles[0]]
		case rt.staff:
			bearer = h.keys[""][access.Admin]
		case rt.member:
			bearer = tokenOf(t, h, cmp.Or(made["/v1/members/:id"], member1(t, h)))
		}
		base := map[string]any{}
		b := bodies[rt.name()]
		if first := firsts[rt.name()]; first != nil {
			b = first(t, h, target)
		}
		if b != "" && json.Unmarshal([]byte(b), &base) != nil {
			t.Fatalf("%s: %s", rt.name(), b)
		}
		version := `"1"`
		if got, err := h.try(bearer, "GET "+target, ""); err == nil && got.header.Get("ETag") != "" {
			version = got.header.Get("ETag")
		}
		list := append(s.strays(media["schema"], func(v any) map[string]any { return v.(map[string]any) }, "", 2),
			stray{"no_such_field", map[string]any{"no_such_field": 1}, "additionalProperties"})
		_, of := s.follow(nil, asNode(media["schema"]))
		required, _ := of["required"].([]any)
		for _, name := range required {
			list = append(list, stray{name.(string), map[string]any{}, "required"})
		}
		for _, x := range list {
			whole := laid(base, x.body).(map[string]any)
			if x.why == "required" {
				delete(whole, x.field)
			}
			b, err := json.Marshal(whole)
			if err != nil {
				t.Fatal(err)
			}
			sent++
			for _, lang := range []string{"zh-CN", "en"} {
				got, err := h.try(bearer, rt.method+" "+target, string(b), h.newKey(), "If-Match: "+version, "Accept-Language: "+lang)
				if err != nil {
					t.Fatal(err)
				}
				if said := refusedAt(got, x.field, lang); said != "" {
					t.Errorf("%s, %s of %s: %s; sent %.120s; got %d %.400s", rt.name(), x.why, x.field, said, b, got.status, got.body)
					break
				}
			}
		}
	}
	t.Logf("%d bodies sent", sent)
}

// laid is a body with what another says of it; of two lists the first rows are
// laid over each other.
func laid(base, over any) any {
	switch over := over.(type) {
	case map[string]any:
		under, is := base.(map[string]any)
		if !is {
			return over
		}
		body := maps.Clone(under)
		for name, v := range over {
			body[name] = laid(under[name], v)
		}
		return body
	case []any:
		if under, is := base.([]any); is && len(under) > 0 && len(over) > 0 {
			return append([]any{laid(under[0], over[0])}, under[1:]...)
		}
	}
	return over
}

// refusedAt says what is wrong with a refusal of a field, "" if nothing is.
func refusedAt(a answer, field, lang string) string {
	if a.status != http.StatusUnprocessableEntity && a.status != http.StatusBadRequest {
		return "not refused for its body"
	}
	for _, f := range a.problem().Fields {
		if f.Name != field && !strings.HasPrefix(f.Name, field) && !strings.HasPrefix(field, f.Name) {
			continue
		}
		if han := strings.ContainsFunc(f.Message, func(r rune) bool { return unicode.Is(unicode.Han, r) }); han != (lang == "zh-CN") {
			return fmt.Sprintf("the remedy is in another language: %q", f.Message)
		}
		return ""
	}
	return "the field is not named"
}

// TestRequiredQueries asks without what the query of a call must name.
func TestRequiredQueries(t *testing.T) {
	h := newHouse(t, dbtest.Open(t, "sqlite"))
	of, err := contractDemands()
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, rt := range h.table().list {
		for _, p := range of.queries[rt.name()] {
			if !p.Required || rt.open {
				continue
			}
			asked++
			got := h.call(t, h.keys[""][access.Admin], rt.method+" "+rt.path, "", h.newKey())
			if said := refusedAt(got, p.Name, "en"); said != "" {
				t.Errorf("%s without %s: %s; got %d %s", rt.name(), p.Name, said, got.status, got.body)
			}
		}
	}
	if asked == 0 {
		t.Error("no call needs a query")
	}
}
