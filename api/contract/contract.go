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
		if err := add(root, part, name); err != nil {
			return nil, err
		}
	}
	answerAll(child(root, "paths"))
	for _, list := range []string{"paths", "tags"} { // which base.yaml holds empty, in one line
		if n := child(root, list); n != nil {
			n.Style &^= yaml.FlowStyle
		}
	}
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

// add puts a fragment into the document.
func add(root, part *yaml.Node, file string) error {
	for i := 0; i < len(part.Content); i += 2 {
		key, value := part.Content[i], part.Content[i+1]
		var err error
		switch key.Value {
		case "tags":
			tags := child(root, "tags")
			tags.Content = append(tags.Content, value.Content...)
		case "paths":
			err = addPaths(child(root, "paths"), value)
		case "components":
			err = addComponents(child(root, "components"), value)
		default:
			err = fmt.Errorf("has %q; a fragment has only tags, paths and components", key.Value)
		}
		if err != nil {
			return fmt.Errorf("contract: %s %w", file, err)
		}
	}
	return nil
}

// addPaths lets several rooms serve one path by different methods; what they
// say of its parameters must be the same.
func addPaths(paths, from *yaml.Node) error {
	for i := 0; i < len(from.Content); i += 2 {
		path, item := from.Content[i], from.Content[i+1]
		there := child(paths, path.Value)
		if there == nil {
			paths.Content = append(paths.Content, path, item)
			continue
		}
		for j := 0; j < len(item.Content); j += 2 {
			key, value := item.Content[j], item.Content[j+1]
			other := child(there, key.Value)
			switch {
			case other == nil:
				there.Content = append(there.Content, key, value)
			case key.Value != "parameters" || !same(other, value):
				return fmt.Errorf("defines %s of %s, which another file has", key.Value, path.Value)
			}
		}
	}
	return nil
}

func addComponents(components, from *yaml.Node) error {
	for i := 0; i < len(from.Content); i += 2 {
		section, names := from.Content[i], from.Content[i+1]
		there := child(components, section.Value)
		if there == nil || section.Value == "securitySchemes" {
			return fmt.Errorf("adds to components.%s, which belongs to base.yaml", section.Value)
		}
		for j := 0; j < len(names.Content); j += 2 {
			if child(there, names.Content[j].Value) != nil {
				return fmt.Errorf("defines %s, which another file has", names.Content[j].Value)
			}
			there.Content = append(there.Content, names.Content[j], names.Content[j+1])
		}
	}
	return nil
}

func same(a, b *yaml.Node) bool {
	x, errX := yaml.Marshal(a)
	y, errY := yaml.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
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
