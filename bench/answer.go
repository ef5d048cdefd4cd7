package main

import (
	"bytes"
	"errors"
	"strconv"
)

// answer is what the load reads of an HTTP response.
type answer struct {
	status int
	body   []byte
}

var (
	headEnd  = []byte("\r\n\r\n")
	lengthIs = []byte("\r\nContent-Length: ")

	errAnswer = errors.New("an answer without status or Content-Length")
)

// parse reads one HTTP/1.1 response and tells whether it is whole. It knows
// what net/http sends for a short answer: a Content-Length in canonical case.
func parse(b []byte) (a answer, whole bool, err error) {
	head := bytes.Index(b, headEnd)
	if head < 0 {
		return a, false, nil
	}
	if a.status, err = strconv.Atoi(string(b[9:12])); err != nil {
		return a, false, errAnswer
	}
	at := bytes.Index(b[:head], lengthIs)
	if at < 0 {
		return a, false, errAnswer
	}
	size := 0
	for _, d := range b[at+len(lengthIs) : head] {
		if d < '0' || d > '9' {
			break
		}
		size = size*10 + int(d-'0')
	}
	a.body = b[head+len(headEnd):]
	if len(a.body) < size {
		return a, false, nil
	}
	a.body = a.body[:size]
	return a, true, nil
}

// field is the value of the first "name":"value" in a JSON text, which in an
// order is its own id.
func field(body []byte, name string) string {
	_, rest, ok := bytes.Cut(body, []byte(`"`+name+`":"`))
	if !ok {
		return ""
	}
	value, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(value)
}
