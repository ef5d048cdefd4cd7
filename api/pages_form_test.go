package api

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sheet is a form of a page with what stands in it.
type sheet struct {
	method, action, id string
	files              bool
	fields             []field
	wild               bool // something in it is not what the page offered
}

// field is one input: what it holds, and what it may hold.
type field struct {
	name, value, sort string
	min, max          int64
	options           []string
	required          bool
}

var (
	formTag   = regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	inputTag  = regexp.MustCompile(`(?s)<(input|select|textarea|button)\b([^>]*)>`)
	optionTag = regexp.MustCompile(`(?s)<option\b([^>]*)>`)
	attribute = regexp.MustCompile(`([a-z_-]+)(?:="([^"]*)")?`)
	linkTag   = regexp.MustCompile(`(?:href|src)="([^"]*)"`)
)

func attributes(text string) map[string]string {
	m := map[string]string{}
	for _, a := range attribute.FindAllStringSubmatch(text, -1) {
		m[a[1]] = html.UnescapeString(a[2])
	}
	return m
}

// linksOf are the addresses that a page names.
func linksOf(body string) []string {
	var list []string
	for _, l := range linkTag.FindAllStringSubmatch(body, -1) {
		if href := html.UnescapeString(l[1]); href != "" && !strings.HasPrefix(href, "#") {
			href, _, _ = strings.Cut(href, "#")
			list = append(list, href)
		}
	}
	return list
}

// formsOf are the forms of a page, with the fields elsewhere on it that belong
// to them.
func formsOf(body string) []sheet {
	var list []sheet
	rest := formTag.ReplaceAllString(body, "")
	for _, f := range formTag.FindAllStringSubmatch(body, -1) {
		a := attributes(f[1])
		s := sheet{method: strings.ToUpper(a["method"]), action: a["action"], id: a["id"], files: a["enctype"] == "multipart/form-data", fields: fieldsIn(f[2], "")}
		if s.id != "" {
			s.fields = append(s.fields, fieldsIn(rest, s.id)...)
		}
		list = append(list, s)
	}
	return list
}

// fieldsIn are the fields in a part of a page that belong to a form.
func fieldsIn(part, form string) []field {
	var list []field
	for _, at := range inputTag.FindAllStringSubmatchIndex(part, -1) {
		tag, a := part[at[2]:at[3]], attributes(part[at[4]:at[5]])
		if a["name"] == "" || a["form"] != form {
			continue
		}
		f := field{name: a["name"], value: a["value"], sort: a["type"], min: 0, max: 1000}
		_, f.required = a["required"]
		if n, err := strconv.ParseInt(a["min"], 10, 64); err == nil {
			f.min = n
		}
		if n, err := strconv.ParseInt(a["max"], 10, 64); err == nil {
			f.max = n
		}
		switch tag {
		case "select":
			f.sort = "select"
			inside, _, _ := strings.Cut(part[at[1]:], "</select>")
			for _, o := range optionTag.FindAllStringSubmatch(inside, -1) {
				f.options = append(f.options, attributes(o[1])["value"])
			}
		case "textarea":
			f.sort = "textarea"
			f.value, _, _ = strings.Cut(part[at[1]:], "</textarea>")
			f.value = html.UnescapeString(f.value)
		case "button":
			f.sort = "button"
		}
		list = append(list, f)
	}
	return list
}

// hiddenOf are the hidden fields of the page's form that goes to action.
func hiddenOf(body, action string) []field {
	for _, f := range formsOf(body) {
		if f.action == action {
			return slices.DeleteFunc(f.fields, func(x field) bool { return x.sort != "hidden" })
		}
	}
	return nil
}

// same says whether two are one form, seen twice: keys and tokens differ.
func (f sheet) same(other sheet) bool {
	return f.action == other.action && slices.Equal(f.fixed(), other.fixed())
}

func (f sheet) fixed() []string {
	var list []string
	for _, x := range f.fields {
		if x.sort == "hidden" && x.name != "form" && x.name != "key" {
			list = append(list, x.name+"="+x.value)
		}
	}
	return list
}

func (f sheet) verb() string {
	if f.method == http.MethodGet {
		return http.MethodGet
	}
	return http.MethodPost
}

// encode is the form's body and its content type.
func (f sheet) encode() (io.Reader, string) {
	if f.files {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		for _, x := range f.fields {
			if x.sort == "file" {
				part, _ := m.CreateFormFile(x.name, "a.csv") // a buffer takes all
				io.WriteString(part, x.value)
			} else {
				m.WriteField(x.name, x.value)
			}
		}
		m.Close()
		return &b, m.FormDataContentType()
	}
	return strings.NewReader(f.values().Encode()), "application/x-www-form-urlencoded"
}

func (f sheet) values() url.Values {
	v := url.Values{}
	for _, x := range f.fields {
		v.Add(x.name, x.value)
	}
	return v
}

// hostile is what tries to get out of its place on a page.
var hostile = []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(2)>`, `{{.}}'--<svg/onload=alert(3)>`}

// odd is what a form does not expect.
var odd = []string{
	"", " ", "0", "-1", "9223372036854775807", "99999999999999999999999", "1e309", "0.001", "NaN", "2026-02-30T25:61", "0000-00-00T00:00", "9999-12-31T23:59",
	"\x00", "\xff\xfe", "\u202e\u2066抽", "茶\U0001F375", strings.Repeat("长", 5000), "%00%0a", "a\r\nSet-Cookie: x=1", "mem_7", "=1+1", "null", "[]", "on",
}

// fill draws what somebody writes into a form: mostly what it asks for, at
// times something else in one or two of its fields.
func (w *readers) fill(f sheet) sheet {
	var fields []field
	pressed, chosen := w.pick(f.fields, "button"), w.pick(f.fields, "radio")
	for i, x := range f.fields {
		switch x.sort {
		case "button":
			if i != pressed {
				continue
			}
		case "radio":
			if i != chosen {
				continue
			}
		case "checkbox":
			if !x.required && w.draw.IntN(2) == 0 {
				continue
			}
		default:
			x.value = w.written(x)
		}
		fields = append(fields, x)
	}
	f.fields = fields
	if len(fields) > 0 && w.draw.IntN(3) == 0 {
		f.wild = true
		for range 1 + w.draw.IntN(2) {
			x := &fields[w.draw.IntN(len(fields))]
			if w.draw.IntN(2) == 0 || x.name == "form" || x.name == "key" {
				x.value = anyOf(w.wanderer, hostile)
			} else {
				x.value = anyOf(w.wanderer, odd)
			}
		}
	}
	return f
}

// pick draws one of the fields of a sort, by its place.
func (w *readers) pick(fields []field, sort string) int {
	var at []int
	for i, x := range fields {
		if x.sort == sort {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return -1
	}
	return anyOf(w.wanderer, at)
}

// written is what somebody who means it writes into a field.
func (w *readers) written(x field) string {
	n := w.draw.IntN(1 << 20)
	if x.value != "" && (x.sort == "hidden" || n%2 == 0) {
		return x.value
	}
	switch x.sort {
	case "hidden":
		return x.value
	case "select":
		options := slices.DeleteFunc(slices.Clone(x.options), func(o string) bool { return o == "" && x.required })
		if len(options) > 0 {
			return anyOf(w.wanderer, options)
		}
		return ""
	case "number":
		return strconv.FormatInt(x.min+int64(n)%(min(x.max-x.min, 50)+1), 10)
	case "time":
		return fmt.Sprintf("%02d:%02d", n%24, n%60)
	case "datetime-local":
		return w.DB.Clock.Now().Add(time.Duration(n%240) * time.Hour).In(time.FixedZone("", 8*3600)).Format("2006-01-02T15:04")
	case "textarea":
		return "09:00 早安\n20:00 晒一晒"
	case "file":
		return "序号,状态\n1,成功\n"
	}
	return w.typed(x.name, n)
}

// typed is a text for a field by its name.
func (w *readers) typed(name string, n int) string {
	switch name {
	case "price", "limit":
		return fmt.Sprintf("%d.%02d", 1+n%200, n%100)
	case "points":
		return strconv.Itoa(n % 500)
	case "sku":
		return anyOf(w.wanderer, []string{"fig", "pear", "a"})
	case "id_no", "tax_no":
		return "11010519491231002X"
	case "account", "bank_account":
		return "6214830100000000"
	case "label":
		return fmt.Sprintf("2026-%02d 邀请奖", 1+n%12)
	}
	if n%12 == 0 {
		return hostile[n%len(hostile)]
	}
	return anyOf(w.wanderer, []string{"已当面核对", "孙晓丽", "looks right to me", "12", "明天再来"})
}
