package httpd

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"siyu/internal/fault"
)

// namedFaults bounds how many wrong fields one answer names.
const namedFaults = 20

// shape walks valid JSON beside the Go type that is to hold it and notes each
// field that does not fit, by its path.
type shape struct {
	b      []byte
	i      int
	fields []fault.Field
}

// checkShape compares valid JSON with the type v points to.
func checkShape(b []byte, v any) error {
	w := &shape{b: b}
	w.value("", reflect.TypeOf(v).Elem())
	if len(w.fields) == 0 {
		return nil
	}
	f := *fault.Invalid
	f.Fields = w.fields
	return &f
}

func (w *shape) note(path, code, zh, en string) {
	if len(w.fields) >= namedFaults {
		return
	}
	if path == "" {
		path = "$"
	}
	w.fields = append(w.fields, fault.Field{Name: path, Code: code, ZH: zh, EN: en})
}

var (
	jsonReader = reflect.TypeFor[json.Unmarshaler]()
	textReader = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// value checks the value at the cursor against t and moves past it; a nil t
// accepts anything but still refuses repeated names.
func (w *shape) value(path string, t reflect.Type) {
	w.space()
	start := w.i
	null := w.b[w.i] == 'n'
	if t != nil && t.Kind() == reflect.Pointer {
		if null {
			w.skip()
			return
		}
		w.value(path, t.Elem())
		return
	}
	own := t != nil && reads(t)
	if own || t != nil && t.Kind() == reflect.Interface {
		w.any(path)
		if own {
			w.try(path, w.b[start:w.i], t)
		}
		return
	}
	switch {
	case t == nil:
		w.any(path)
	case null && (t.Kind() == reflect.Slice || t.Kind() == reflect.Map):
		w.skip()
	case w.b[w.i] == '{' && t.Kind() == reflect.Struct:
		w.object(path, namesOf(t))
	case w.b[w.i] == '{' && t.Kind() == reflect.Map:
		w.mapping(path, t.Elem())
	case w.b[w.i] == '[' && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array):
		w.list(path, t.Elem())
	case null:
		w.skip()
		w.mismatch(path, t)
	default:
		w.any(path)
		w.try(path, w.b[start:w.i], t)
	}
}

// plain says without decoding that a text, integer or truth value fits.
func plain(raw []byte, t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String:
		return raw[0] == '"'
	case reflect.Bool:
		return raw[0] == 't' || raw[0] == 'f'
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		_, err := strconv.ParseInt(string(raw), 10, t.Bits())
		return err == nil
	}
	return false
}

// try decodes one value on its own, to learn whether the type takes it.
func (w *shape) try(path string, raw []byte, t reflect.Type) {
	if !reads(t) && plain(raw, t) {
		return
	}
	err := json.Unmarshal(raw, reflect.New(t).Interface())
	if err == nil {
		return
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		w.mismatch(path, t)
		return
	}
	zh, en := "格式有误："+err.Error(), err.Error()
	if id, ok := reflect.New(t).Interface().(interface{ Prefix() string }); ok {
		zh, en = "应为 "+id.Prefix()+"_ 开头的编号", "must be an id that begins with "+id.Prefix()+"_"
	}
	w.note(path, "format", zh, en)
}

func (w *shape) mismatch(path string, t reflect.Type) {
	zh, en := "应为文本", "must be text"
	switch t.Kind() {
	case reflect.Bool:
		zh, en = "应为 true 或 false", "must be true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		zh, en = "应为范围内的整数", "must be an integer within range"
		if reflect.PointerTo(t).Implements(jsonReader) {
			zh, en = "应为文本", "must be text"
		}
	case reflect.Float32, reflect.Float64:
		zh, en = "应为数字", "must be a number"
	case reflect.Struct, reflect.Map:
		zh, en = "应为对象", "must be an object"
	case reflect.Slice, reflect.Array:
		zh, en = "应为列表", "must be a list"
	}
	w.note(path, "type", zh, en)
}

// object checks an object against the names a struct has.
func (w *shape) object(path string, names map[string]reflect.Type) {
	w.members(path, func(name, at string) {
		t, known := names[name]
		if !known {
			w.unknown(at, names)
		}
		w.value(at, t)
	})
}

// unknown says what the object has instead, so that nobody has to guess twice.
func (w *shape) unknown(path string, names map[string]reflect.Type) {
	if len(names) == 0 {
		w.note(path, "unknown", "没有这个字段；这里不填任何字段", "there is no such field; none is taken here")
		return
	}
	has := strings.Join(slices.Sorted(maps.Keys(names)), ", ")
	w.note(path, "unknown", "没有这个字段；有："+has, "there is no such field; there are "+has)
}

func (w *shape) mapping(path string, elem reflect.Type) {
	w.members(path, func(_, at string) { w.value(at, elem) })
}

// members calls each for every member of the object at the cursor, with the
// cursor on its value.
func (w *shape) members(path string, each func(name, at string)) {
	var seen nameSet
	w.i++ // {
	for w.more('}') {
		name := w.name()
		at := name
		if path != "" {
			at = path + "." + name
		}
		if !seen.add(name) {
			w.note(at, "duplicate", "字段重复", "the field is given twice")
		}
		w.space()
		w.i++ // :
		each(name, at)
	}
}

// name is the member's name at the cursor, which moves past it.
func (w *shape) name() string {
	start := w.i
	w.skip()
	raw := w.b[start:w.i]
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var name string
	if json.Unmarshal(raw, &name) != nil {
		return string(raw)
	}
	return name
}

// nameSet tells repeated names; a few are compared, many are hashed.
type nameSet struct {
	few  [8]string
	n    int
	many map[string]bool
}

func (s *nameSet) add(name string) bool {
	if s.many == nil {
		if slices.Contains(s.few[:s.n], name) {
			return false
		}
		if s.n < len(s.few) {
			s.few[s.n] = name
			s.n++
			return true
		}
		s.many = map[string]bool{}
		for _, x := range s.few {
			s.many[x] = true
		}
	}
	if s.many[name] {
		return false
	}
	s.many[name] = true
	return true
}

func (w *shape) list(path string, elem reflect.Type) {
	w.i++ // [
	for n := 0; w.more(']'); n++ {
		w.value(path+"["+strconv.Itoa(n)+"]", elem)
	}
}

// any walks a value whose type does not matter.
func (w *shape) any(path string) {
	switch w.b[w.i] {
	case '{':
		w.mapping(path, nil)
	case '[':
		w.list(path, nil)
	default:
		w.skip()
	}
}

// more moves to the next element, or past the closing bracket.
func (w *shape) more(end byte) bool {
	w.space()
	if w.b[w.i] == ',' {
		w.i++
		w.space()
	}
	if w.b[w.i] == end {
		w.i++
		return false
	}
	return true
}

// skip moves past a text, number or literal.
func (w *shape) skip() {
	if w.b[w.i] == '"' {
		w.i += stringEnd(w.b[w.i:])
		return
	}
	for w.i < len(w.b) && !blank(w.b[w.i]) && w.b[w.i] != ',' && w.b[w.i] != ']' && w.b[w.i] != '}' {
		w.i++
	}
}

func (w *shape) space() {
	for w.i < len(w.b) && blank(w.b[w.i]) {
		w.i++
	}
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// learned keeps what types look like: namesOf by struct, reads by type. Types
// are as many as the program has.
var learned struct{ names, reads sync.Map }

// reads says whether the type decodes itself.
func reads(t reflect.Type) bool {
	if own, ok := learned.reads.Load(t); ok {
		return own.(bool)
	}
	own := reflect.PointerTo(t).Implements(jsonReader) || reflect.PointerTo(t).Implements(textReader)
	learned.reads.Store(t, own)
	return own
}

// namesOf are a struct's JSON names with the types behind them, as
// encoding/json promotes them.
func namesOf(t reflect.Type) map[string]reflect.Type {
	if names, ok := learned.names.Load(t); ok {
		return names.(map[string]reflect.Type)
	}
	names := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("json")
		name, _, _ := strings.Cut(tag, ",")
		switch {
		case tag == "-":
		case f.Anonymous && name == "" && embedded(f.Type).Kind() == reflect.Struct:
			for n, inner := range namesOf(embedded(f.Type)) {
				if _, outer := names[n]; !outer {
					names[n] = inner
				}
			}
		case !f.IsExported():
		case !tagged || name == "":
			names[f.Name] = f.Type
		default:
			names[name] = f.Type
		}
	}
	learned.names.Store(t, names)
	return names
}

func embedded(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}
