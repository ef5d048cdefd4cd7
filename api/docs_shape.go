package api

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// shape is a schema of the contract, as far as it is told in words.
type shape struct {
	Ref         string   `yaml:"$ref"`
	Type        kinds    `yaml:"type"`
	Format      string   `yaml:"format"`
	Description string   `yaml:"description"`
	Enum        []string `yaml:"enum"`
	Minimum     *int64   `yaml:"minimum"`
	Maximum     *int64   `yaml:"maximum"`
	MinLength   *int64   `yaml:"minLength"`
	MaxLength   *int64   `yaml:"maxLength"`
	MinItems    *int64   `yaml:"minItems"`
	MaxItems    *int64   `yaml:"maxItems"`
	Required    []string `yaml:"required"`
	Properties  shapes   `yaml:"properties"`
	Items       *shape   `yaml:"items"`
	AllOf       []shape  `yaml:"allOf"`
	OneOf       []shape  `yaml:"oneOf"`
	AnyOf       []shape  `yaml:"anyOf"`
}

// kinds is a type, or several.
type kinds []string

// UnmarshalYAML reads either.
func (k *kinds) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*k = kinds{n.Value}
		return nil
	}
	return n.Decode((*[]string)(k))
}

// shapes are named schemas in the order in which they are written.
type shapes []struct {
	name string
	of   shape
}

// UnmarshalYAML keeps the order.
func (s *shapes) UnmarshalYAML(n *yaml.Node) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		var of shape
		if err := n.Content[i+1].Decode(&of); err != nil {
			return err
		}
		*s = append(*s, struct {
			name string
			of   shape
		}{n.Content[i].Value, of})
	}
	return nil
}

// schema tells a schema with its fields.
func (x shape) schema(name string) manualSchema {
	out := manualSchema{Name: name, Description: x.Description, Kind: x.kind()}
	if out.Kind.Ref == "" {
		out.Fields = x.fields("")
	}
	return out
}

// fields are all that the schema describes; those of objects within follow
// theirs, each by its whole path.
func (x shape) fields(at string) (list []manualField) {
	for _, part := range slices.Concat(x.AllOf, x.OneOf, x.AnyOf) {
		list = append(list, part.fields(at)...)
	}
	for _, p := range x.Properties {
		path := strings.TrimPrefix(at+"."+p.name, ".")
		list = append(list, manualField{Name: path, Description: p.of.Description, Required: slices.Contains(x.Required, p.name), Kind: p.of.kind()})
		if p.of.kind().Ref == "" {
			list = append(list, p.of.fields(path)...)
		}
	}
	if x.Items != nil && x.Items.kind().Ref == "" {
		list = append(list, x.Items.fields(at+"[]")...)
	}
	return list
}

// kind is the type in words.
func (x shape) kind() manualKind {
	if name, is := strings.CutPrefix(x.Ref, "#/components/schemas/"); is {
		return manualKind{Ref: name}
	}
	if parts := slices.Concat(x.AllOf, x.OneOf, x.AnyOf); len(parts) > 0 {
		return joined(parts)
	}
	if x.Items != nil {
		of := x.Items.kind()
		return manualKind{Text: "array" + within(x.MinItems, x.MaxItems, "") + " of " + of.Text, Ref: of.Ref}
	}
	var words []string
	if len(x.Enum) > 0 {
		words = append(words, strings.Join(x.Enum, " | "))
	} else if len(x.Type) > 0 {
		words = append(words, strings.Join(x.Type, " or "))
	}
	if x.Format != "" {
		words = append(words, x.Format)
	}
	return manualKind{Text: strings.Join(words, ", ") + within(x.Minimum, x.Maximum, "") + within(x.MinLength, x.MaxLength, " characters")}
}

// joined tells a schema that is made of others; a page has one link for it.
func joined(parts []shape) (k manualKind) {
	var words []string
	for _, p := range parts {
		of := p.kind()
		if of.Ref != "" && k.Ref == "" {
			k.Ref = of.Ref
		} else if of.Text != "" || of.Ref != "" {
			words = append(words, of.Text+of.Ref)
		}
	}
	k.Text = strings.Join(words, " or ")
	if k.Ref != "" && k.Text != "" {
		k.Text += " or "
	}
	return k
}

// within tells bounds, as far as there are any.
func within(least, most *int64, of string) string {
	switch {
	case least != nil && most != nil:
		return fmt.Sprintf(", %d to %d%s", *least, *most, of)
	case least != nil:
		return fmt.Sprintf(", at least %d%s", *least, of)
	case most != nil:
		return fmt.Sprintf(", at most %d%s", *most, of)
	}
	return ""
}
