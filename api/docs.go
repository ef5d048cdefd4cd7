package api

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"gopkg.in/yaml.v3"
)

//go:embed docs.html
var docsText string

var docsPage = template.Must(template.New("docs").Funcs(template.FuncMap{"prose": prose}).Parse(docsText))

// prose is a text of the contract in which `words` stand for code.
func prose(text string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		part = template.HTMLEscapeString(part)
		if i%2 == 1 {
			part = "<code>" + part + "</code>"
		}
		b.WriteString(part)
	}
	return template.HTML(b.String())
}

// manual is the contract as the page shows it: operations by tag, and the
// schemas that they name.
type manual struct {
	Intro   []string
	Parts   []manualPart
	Schemas []manualSchema
}

type manualPart struct {
	Tag, Description string
	Operations       []manualOperation
}

type manualOperation struct {
	Method, Path, Summary, Description, Callers string
	Keyed                                       bool
	Parameters                                  []manualField
	Body                                        manualSchema
	Answers                                     []manualAnswer
}

type manualAnswer struct {
	Status, Description string
	Schema              manualSchema
}

// manualSchema is a schema by name, or its fields where it has none.
type manualSchema struct {
	Name, Description string
	Kind              manualKind
	Fields            []manualField
}

// Some says whether there is anything to show.
func (m manualSchema) Some() bool { return m.Kind.Text != "" || m.Kind.Ref != "" }

type manualField struct {
	Name, Description string
	Required          bool
	Kind              manualKind
}

// manualKind is a type in words; Ref names the schema that it leads to.
type manualKind struct{ Text, Ref string }

// contractText is the whole contract as the page reads it, in written order.
type contractText struct {
	Info struct {
		Description string `yaml:"description"`
	} `yaml:"info"`
	Tags []struct {
		Name        string `yaml:"name"`
		Description string `yaml:"description"`
	} `yaml:"tags"`
	Paths      map[string]map[string]operationText `yaml:"paths"`
	Components struct {
		Schemas   shapes                    `yaml:"schemas"`
		Responses map[string]responseText   `yaml:"responses"`
		Params    map[string]parameterShape `yaml:"parameters"`
	} `yaml:"components"`
}

type operationText struct {
	Tags        []string `yaml:"tags"`
	Summary     string   `yaml:"summary"`
	Description string   `yaml:"description"`
	RequestBody struct {
		Content map[string]mediaText `yaml:"content"`
	} `yaml:"requestBody"`
	Parameters []parameterShape `yaml:"parameters"`
	Responses  responses        `yaml:"responses"`
}

// UnmarshalYAML passes over the parameters that stand beside a path's
// operations; they name what the path already shows.
func (o *operationText) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	type plain operationText
	return n.Decode((*plain)(o))
}

type parameterShape struct {
	Ref         string `yaml:"$ref"`
	Name        string `yaml:"name"`
	In          string `yaml:"in"`
	Required    bool   `yaml:"required"`
	Description string `yaml:"description"`
	Schema      shape  `yaml:"schema"`
}

type responseText struct {
	Ref         string               `yaml:"$ref"`
	Description string               `yaml:"description"`
	Content     map[string]mediaText `yaml:"content"`
}

type mediaText struct {
	Schema shape `yaml:"schema"`
}

// responses are answers in the order in which they are written.
type responses []struct {
	status string
	text   responseText
}

// UnmarshalYAML keeps the order.
func (r *responses) UnmarshalYAML(n *yaml.Node) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		var text responseText
		if err := n.Content[i+1].Decode(&text); err != nil {
			return err
		}
		*r = append(*r, struct {
			status string
			text   responseText
		}{n.Content[i].Value, text})
	}
	return nil
}

// readManual brings the contract into the page's form; callers of the routes
// come from the table.
func (s *Server) readManual() (manual, error) {
	var text contractText
	if err := yaml.Unmarshal(openapi, &text); err != nil {
		return manual{}, fmt.Errorf("api: openapi.yaml: %w", err)
	}
	m := manual{Intro: strings.Split(strings.TrimSpace(text.Info.Description), "\n")}
	at := map[string]int{}
	for _, t := range text.Tags {
		at[t.Name] = len(m.Parts)
		m.Parts = append(m.Parts, manualPart{Tag: t.Name, Description: t.Description})
	}
	for _, rt := range s.table().list {
		path := contractPath(rt.path)
		op := text.Paths[path][strings.ToLower(rt.method)]
		if len(op.Tags) == 0 {
			return m, fmt.Errorf("api: %s has no tag in the contract", rt.name())
		}
		i, known := at[op.Tags[0]]
		if !known {
			return m, fmt.Errorf("api: the contract does not describe the tag %s", op.Tags[0])
		}
		m.Parts[i].Operations = append(m.Parts[i].Operations, text.operation(rt, path, op))
	}
	m.Parts = slices.DeleteFunc(m.Parts, func(p manualPart) bool { return len(p.Operations) == 0 })
	for _, x := range text.Components.Schemas {
		m.Schemas = append(m.Schemas, x.of.schema(x.name))
	}
	return m, nil
}

func (text contractText) operation(rt *route, path string, op operationText) manualOperation {
	out := manualOperation{Method: rt.method, Path: path, Summary: op.Summary, Description: op.Description, Callers: rt.callers(), Keyed: rt.keyed}
	for _, p := range op.Parameters {
		if name, is := strings.CutPrefix(p.Ref, "#/components/parameters/"); is {
			p = text.Components.Params[name]
		}
		out.Parameters = append(out.Parameters, manualField{Name: p.Name + " (" + p.In + ")", Description: p.Description, Required: p.Required, Kind: p.Schema.kind()})
	}
	for kind, media := range op.RequestBody.Content {
		out.Body = media.schema(kind)
	}
	for _, r := range op.Responses {
		if name, is := strings.CutPrefix(r.text.Ref, "#/components/responses/"); is {
			r.text = text.Components.Responses[name]
		}
		a := manualAnswer{Status: r.status, Description: r.text.Description}
		for kind, media := range r.text.Content {
			a.Schema = media.schema(kind)
		}
		out.Answers = append(out.Answers, a)
	}
	return out
}

// schema is what a body of the media type holds.
func (m mediaText) schema(kind string) manualSchema {
	if !strings.HasSuffix(kind, "json") {
		return manualSchema{Kind: manualKind{Text: kind}}
	}
	return m.Schema.schema("")
}

// showDocs shows what the contract says of each route of this server; no
// script, nothing from elsewhere.
func (s *Server) showDocs(c *gin.Context) error {
	page, err := s.docs()
	if err != nil {
		return err
	}
	c.Header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	c.Header("Cache-Control", "public, max-age=300")
	c.Data(http.StatusOK, "text/html; charset=utf-8", page)
	return nil
}

// drawDocs makes the page, which is the same for everybody.
func (s *Server) drawDocs() ([]byte, error) {
	m, err := s.readManual()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := docsPage.Execute(&b, m); err != nil {
		return nil, fmt.Errorf("api: docs: %w", err)
	}
	return b.Bytes(), nil
}
