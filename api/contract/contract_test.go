package contract

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"gopkg.in/yaml.v3"
)

const head = "openapi: 3.1.0\ntags: []\npaths: {}\ncomponents:\n  schemas: {}\n"

func TestJoin(t *testing.T) {
	folder := func(parts ...string) fstest.MapFS {
		m := fstest.MapFS{"base.yaml": {Data: []byte(head)}}
		for i, p := range parts {
			m[string(rune('a'+i))+".yaml"] = &fstest.MapFile{Data: []byte(p)}
		}
		return m
	}
	t.Run("fragments stand side by side", func(t *testing.T) {
		doc, err := Join(folder("paths:\n  /a: {get: {summary: a}}\n", "paths:\n  /a: {post: {summary: c}}\n  /b: {get: {summary: b, responses: {default: {description: own}}}}\ncomponents: {schemas: {B: {type: object}}}\n"))
		if err != nil {
			t.Fatal(err)
		}
		text := string(doc)
		for _, want := range []string{"/a:", "/b:", "B: {type: object}", "#/components/responses/Problem", "description: own"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing in\n%s", want, text)
			}
		}
		if strings.Count(text, "responses/Problem") != 2 {
			t.Errorf("an operation's own default response was replaced:\n%s", text)
		}
	})
	for name, parts := range map[string][]string{
		"an operation twice": {"paths: {/a: {get: {}}}", "paths: {/a: {get: {}}}"},
		"other parameters":   {"paths: {/a: {parameters: [{name: x}]}}", "paths: {/a: {parameters: [{name: y}]}}"},
		"a schema twice":     {"components: {schemas: {A: {}}}", "components: {schemas: {A: {}}}"},
		"a key of base":      {"info: {title: mine}"},
		"not an object":      {"- a"},
		"not YAML":           {"a: ["},
		"a security scheme":  {"components: {securitySchemes: {x: {}}}"},
		"an empty fragment":  {""},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			if _, err := Join(folder(parts...)); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// TestReferences: every $ref of the joined contract leads somewhere, and every
// schema is led to.
func TestReferences(t *testing.T) {
	text, err := Join(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
			if n.Content[i].Value == "$ref" {
				used[n.Content[i+1].Value] = true
			}
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(&doc)
	for ref := range used {
		at := doc.Content[0]
		for _, part := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			if at != nil {
				at = child(at, part)
			}
		}
		if at == nil {
			t.Errorf("%s leads nowhere", ref)
		}
	}
	schemas := child(child(doc.Content[0], "components"), "schemas")
	for i := 0; i < len(schemas.Content); i += 2 {
		if name := schemas.Content[i].Value; !used["#/components/schemas/"+name] {
			t.Errorf("the schema %s is used nowhere", name)
		}
	}
}
