package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

// spec is the contract as tests hold answers against it.
type spec struct {
	doc      map[string]any
	compiler *jsonschema.Compiler
	mu       sync.Mutex
	compiled map[string]*jsonschema.Schema
}

var theSpec = sync.OnceValues(func() (*spec, error) {
	var doc any
	if err := yaml.Unmarshal(openapi, &doc); err != nil {
		return nil, err
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	if doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(b)); err != nil {
		return nil, err
	}
	s := &spec{doc: doc.(map[string]any), compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}}
	s.compiler.AssertFormat()
	return s, s.compiler.AddResource("contract.json", doc)
})

// answers fails the test unless the contract says that the request may be
// answered so: the status, and a JSON body with nothing that its schema does
// not describe. What is answered so with success counts as seen.
func answers(t testing.TB, method, path string, status int, header http.Header, body []byte) {
	t.Helper()
	s, err := theSpec()
	if err != nil {
		t.Fatal(err)
	}
	path, _, _ = strings.Cut(path, "?")
	template := s.template(path, strings.ToLower(method))
	if template == "" {
		return // no route of the contract, which is answered 404
	}
	if err := s.check([]string{"paths", template, strings.ToLower(method), "responses"}, status, header.Get("Content-Type"), body); err != nil {
		t.Errorf("%s %s answers %d, which the contract does not: %v\n%s", method, template, status, err, body)
	} else if status/100 == 2 {
		succeeded.Store(method+" "+template, true)
	}
}

// template is the contract's path for a request; one that says a segment wins
// over one that leaves it open.
func (s *spec) template(path, method string) (found string) {
	want := strings.Split(path, "/")
	open := len(want) + 1
	for template, operations := range s.doc["paths"].(map[string]any) {
		if operations.(map[string]any)[method] == nil {
			continue
		}
		parts, blanks := strings.Split(template, "/"), 0
		fits := len(parts) == len(want)
		for i := 0; fits && i < len(parts); i++ {
			if strings.Contains(parts[i], "{") {
				blanks++
			} else {
				fits = parts[i] == want[i]
			}
		}
		if fits && blanks < open {
			found, open = template, blanks
		}
	}
	return found
}

// check validates an answer against the responses at a place of the contract.
func (s *spec) check(at []string, status int, kind string, body []byte) error {
	at = append(at, strconv.Itoa(status))
	response := s.at(at)
	if response == nil && status >= 400 {
		at[len(at)-1] = "default"
		response = s.at(at)
	}
	if response == nil {
		return fmt.Errorf("there is no such status")
	}
	at, response = s.follow(at, response)
	kind, _, _ = strings.Cut(kind, ";")
	content, _ := response["content"].(map[string]any)
	if len(body) == 0 && len(content) == 0 {
		return nil
	}
	media, known := content[kind].(map[string]any)
	if !known {
		return fmt.Errorf("there is no content of type %q", kind)
	}
	if !strings.HasSuffix(kind, "json") || media["schema"] == nil {
		return nil
	}
	schema, err := s.compile(append(slices.Clone(at), "content", kind, "schema"))
	if err != nil {
		return err
	}
	documents := [][]byte{body}
	if strings.HasSuffix(kind, "ndjson") {
		documents = bytes.Split(bytes.TrimSpace(body), []byte("\n"))
	}
	for _, d := range documents {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(d))
		if err != nil {
			return err
		}
		if err := cmp.Or(schema.Validate(value), s.described(media["schema"], value, "")); err != nil {
			return err
		}
	}
	return nil
}

// at is what stands at a place of the contract, nil if nothing does.
func (s *spec) at(place []string) map[string]any {
	node := s.doc
	for _, key := range place {
		if node, _ = node[key].(map[string]any); node == nil {
			return nil
		}
	}
	return node
}

// follow goes where a reference leads.
func (s *spec) follow(at []string, node map[string]any) ([]string, map[string]any) {
	for node["$ref"] != nil {
		at = strings.Split(strings.TrimPrefix(node["$ref"].(string), "#/"), "/")
		node = s.at(at)
	}
	return at, node
}

func (s *spec) compile(at []string) (*jsonschema.Schema, error) {
	pointer := ""
	for _, key := range at {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.compiled[pointer] == nil {
		schema, err := s.compiler.Compile("contract.json#" + pointer)
		if err != nil {
			return nil, err
		}
		s.compiled[pointer] = schema
	}
	return s.compiled[pointer], nil
}

// described refuses members of objects that no schema describes: a field that
// is answered and not written down is one that nobody may rely on.
func (s *spec) described(schema, value any, where string) error {
	switch value := value.(type) {
	case map[string]any:
		properties, open := s.members(schema)
		for name, v := range value {
			of, known := properties[name]
			if !known && !open {
				return fmt.Errorf("%s/%s is not described", where, name)
			}
			if err := s.described(of, v, where+"/"+name); err != nil {
				return err
			}
		}
	case []any:
		items := s.items(schema)
		for i, v := range value {
			if err := s.described(items, v, fmt.Sprintf("%s/%d", where, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// members are the properties that a schema and its parts describe; open says
// that it takes others too.
func (s *spec) members(schema any) (properties map[string]any, open bool) {
	node, _ := schema.(map[string]any)
	if node == nil {
		return nil, true // whatever it is, more was not said of it
	}
	_, node = s.follow(nil, node)
	properties = map[string]any{}
	own, says := node["properties"].(map[string]any)
	for name, of := range own {
		properties[name] = of
	}
	parts := 0
	for _, key := range []string{"allOf", "oneOf", "anyOf"} {
		list, _ := node[key].([]any)
		for _, part := range list {
			parts++
			more, _ := s.members(part)
			for name, of := range more {
				properties[name] = of
			}
		}
	}
	extra, some := node["additionalProperties"]
	return properties, some && extra != false || !says && parts == 0
}

func (s *spec) items(schema any) any {
	node, _ := schema.(map[string]any)
	if node == nil {
		return nil
	}
	_, node = s.follow(nil, node)
	if node["items"] != nil {
		return node["items"]
	}
	for _, key := range []string{"allOf", "oneOf", "anyOf"} {
		list, _ := node[key].([]any)
		for _, part := range list {
			if items := s.items(part); items != nil {
				return items
			}
		}
	}
	return nil
}
