// Package contract joins the fragments of the API's contract into one OpenAPI
// document. base.yaml holds what is common; every other *.yaml here is one
// room's fragment with `paths` and `components.schemas`. It is used by
// `go generate ./api` and by the test that finds a stale openapi.yaml.
package contract

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"

	"gopkg.in/yaml.v3"
)

const base = "base.yaml"

// Join reads base.yaml and the fragments and writes the document. A path or
// schema that two files define is an error. Every operation gets the common
// problem as its default response, unless it has its own.
func Join(dir fs.FS) ([]byte, error) {
	names, err := fs.Glob(dir, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	root, err := read(dir, base)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	for _, name := range names {
		if name == base {
			continue
		}
		part, err := read(dir, name)
		if err != nil {
			return nil, err
		}
		for i := 0; i < len(part.Content); i += 2 {
			if key := part.Content[i].Value; key != "paths" && key != "components" && key != "tags" {
				return nil, fmt.Errorf("contract: %s has %q; a fragment has only paths, components and tags", name, key)
			}
		}
		if err := merge(root, part, name, ""); err != nil {
			return nil, err
		}
	}
	answerAll(child(root, "paths"))
	var b bytes.Buffer
	b.WriteString("# Made by `go generate ./api` from api/contract/*.yaml; edit those.\n")
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	return b.Bytes(), nil
}

func read(dir fs.FS, name string) (*yaml.Node, error) {
	text, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("contract: %s: %w", name, err)
	}
	if doc.Kind != yaml.DocumentNode || doc.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("contract: %s is not a YAML object", name)
	}
	return doc.Content[0], nil
}

// shared are the objects that files add to together; below them a name may
// stand once only.
var shared = []string{"/paths", "/components", "/components/schemas", "/components/parameters", "/components/responses"}

func merge(into, from *yaml.Node, file, at string) error {
	for i := 0; i < len(from.Content); i += 2 {
		key, value := from.Content[i], from.Content[i+1]
		path := at + "/" + key.Value
		there := child(into, key.Value)
		switch {
		case there == nil:
			into.Content = append(into.Content, key, value)
		case path == "/tags":
			there.Content = append(there.Content, value.Content...)
		case slices.Contains(shared, path) && there.Kind == yaml.MappingNode && value.Kind == yaml.MappingNode:
			if err := merge(there, value, file, path); err != nil {
				return err
			}
		default:
			return fmt.Errorf("contract: %s defines %s, which another file has", file, path)
		}
	}
	return nil
}

func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

var methods = []string{"get", "post", "put", "patch", "delete"}

// answerAll gives every operation the problem as its default response.
func answerAll(paths *yaml.Node) {
	for i := 1; paths != nil && i < len(paths.Content); i += 2 {
		for _, m := range methods {
			op := child(paths.Content[i], m)
			if op == nil {
				continue
			}
			responses := child(op, "responses")
			if responses == nil {
				responses = &yaml.Node{Kind: yaml.MappingNode}
				op.Content = append(op.Content, text("responses"), responses)
			}
			if child(responses, "default") == nil {
				ref := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{text("$ref"), text("#/components/responses/Problem")}}
				responses.Content = append(responses.Content, text("default"), ref)
			}
		}
	}
}

func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }
