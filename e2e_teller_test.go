package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// example is one request of a file under docs/examples with what it must be
// answered; docs/examples/README.md says how it is written.
type example struct {
	at           string // file:line
	method, path string
	headers      [][2]string
	body         string
	status       int
	within       time.Duration // asked again for so long; 0 is once
	expects      []string      // "field = JSON" or "name := field"
}

var (
	httpBlock   = regexp.MustCompile("(?ms)^```http\n(.*?)^```$")
	requestLine = regexp.MustCompile(`^(GET|POST|PUT|PATCH|DELETE) (/\S+)$`)
	headerLine  = regexp.MustCompile(`^([A-Za-z-]+): (.+)$`)
	answerLine  = regexp.MustCompile(`^=> (\d{3})(?: within (\w+))?$`)
	expectLine  = regexp.MustCompile(`^(?:[\w.]+ = .+|\w+ := [\w.]+)$`)
	placeholder = regexp.MustCompile(`\{\{(.+?)\}\}`)
)

// readExamples reads the blocks of a file. One that asks for nothing is an
// error, as is a line that means nothing.
func readExamples(name, text string) ([]example, error) {
	var out []example
	for _, m := range httpBlock.FindAllStringSubmatchIndex(text, -1) {
		x := example{at: fmt.Sprintf("%s:%d", name, 2+strings.Count(text[:m[0]], "\n"))}
		if err := x.read(strings.Split(strings.TrimRight(text[m[2]:m[3]], "\n"), "\n")); err != nil {
			return nil, fmt.Errorf("%s: %w", x.at, err)
		}
		out = append(out, x)
	}
	return out, nil
}

func (x *example) read(lines []string) error {
	m := requestLine.FindStringSubmatch(lines[0])
	if m == nil {
		return fmt.Errorf("%q is no request", lines[0])
	}
	x.method, x.path = m[1], m[2]
	lines = lines[1:]
	for ; len(lines) > 0 && headerLine.MatchString(lines[0]); lines = lines[1:] {
		h := headerLine.FindStringSubmatch(lines[0])
		x.headers = append(x.headers, [2]string{h[1], h[2]})
	}
	end := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "=> ") })
	if end < 0 {
		return fmt.Errorf("%s %s says no answer", x.method, x.path)
	}
	x.body = strings.TrimSpace(strings.Join(lines[:end], "\n"))
	if m = answerLine.FindStringSubmatch(lines[end]); m == nil {
		return fmt.Errorf("%q is no answer", lines[end])
	}
	x.status, _ = strconv.Atoi(m[1])
	var err error
	if m[2] != "" {
		if x.within, err = time.ParseDuration(m[2]); err != nil {
			return err
		}
	}
	x.expects = lines[end+1:]
	for _, l := range x.expects {
		if !expectLine.MatchString(l) {
			return fmt.Errorf("%q expects nothing", l)
		}
	}
	if len(x.expects) == 0 && x.status != http.StatusNoContent {
		return fmt.Errorf("%s %s expects nothing of its answer", x.method, x.path)
	}
	return nil
}

// teller plays files to a house. It keeps what they name.
type teller struct {
	url   string
	named map[string]string
	hurry func() // has done now what the house does every few minutes
}

// fill puts in what has been named, and moments like {{now+1h}}.
func (e *teller) fill(text string) (string, error) {
	var missing error
	out := placeholder.ReplaceAllStringFunc(text, func(p string) string {
		name := p[2 : len(p)-2]
		if v, ok := e.named[name]; ok {
			return v
		}
		if shift, ok := strings.CutPrefix(name, "now"); ok {
			d, err := time.ParseDuration(shift)
			if err == nil || shift == "" {
				return time.Now().Add(d).UTC().Format(time.RFC3339)
			}
		}
		missing = fmt.Errorf("%s was not named before", p)
		return p
	})
	return out, missing
}

// play asks, and asks again where the file says so, until the answer is as
// expected.
func (e *teller) play(x example) error {
	err := e.ask(x)
	if err == nil || x.within == 0 {
		return err
	}
	e.hurry()
	for end := time.Now().Add(x.within); err != nil && time.Now().Before(end); err = e.ask(x) {
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

func (e *teller) ask(x example) error {
	path, err := e.fill(x.path)
	if err != nil {
		return err
	}
	body, err := e.fill(x.body)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(x.method, e.url+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	for _, h := range x.headers {
		v, err := e.fill(h[1])
		if err != nil {
			return err
		}
		req.Header.Set(h[0], v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		return err
	}
	if res.StatusCode != x.status {
		return fmt.Errorf("%s %s: answered %d %s, want %d", x.method, path, res.StatusCode, text, x.status)
	}
	for _, l := range x.expects {
		if err := e.expect(l, string(text)); err != nil {
			return fmt.Errorf("%s %s: %w in %s", x.method, path, err, text)
		}
	}
	return nil
}

// expect compares one field, or names it.
func (e *teller) expect(line, text string) error {
	if name, field, ok := strings.Cut(line, " := "); ok {
		v, err := fieldOf(text, field)
		if err != nil {
			return err
		}
		e.named[name] = strings.Trim(string(v), `"`)
		return nil
	}
	field, value, _ := strings.Cut(line, " = ")
	value, err := e.fill(value)
	if err != nil {
		return err
	}
	got, err := fieldOf(text, field)
	if err != nil {
		return err
	}
	var is, want any
	if err := json.Unmarshal([]byte(value), &want); err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	if err := json.Unmarshal(got, &is); err != nil {
		return err
	}
	if !reflect.DeepEqual(is, want) {
		return fmt.Errorf("%s is %s, want %s", field, got, value)
	}
	return nil
}

// fieldOf finds a field like items.0.id in JSON.
func fieldOf(text, field string) (json.RawMessage, error) {
	at := json.RawMessage(text)
	for name := range strings.SplitSeq(field, ".") {
		if i, err := strconv.Atoi(name); err == nil {
			var list []json.RawMessage
			if json.Unmarshal(at, &list) != nil || i >= len(list) {
				return nil, fmt.Errorf("there is no %s", field)
			}
			at = list[i]
			continue
		}
		var fields map[string]json.RawMessage
		if json.Unmarshal(at, &fields) != nil || fields[name] == nil {
			return nil, fmt.Errorf("there is no %s", field)
		}
		at = fields[name]
	}
	return at, nil
}
