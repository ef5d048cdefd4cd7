package api

import (
	_ "embed"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
	"gopkg.in/yaml.v3"
)

//go:generate go run ./contract/join contract openapi.yaml

// openapi is the contract, joined from the fragments.
//
//go:embed openapi.yaml
var openapi []byte

func (s *Server) contractRoutes(r *routes) {
	r.get("/openapi.yaml", s.showContract, public)
	r.get("/docs", s.showDocs, public, browsed)
}

func (s *Server) showContract(c *gin.Context) error {
	c.Header("Cache-Control", "public, max-age=300")
	c.Data(http.StatusOK, "application/yaml; charset=utf-8", openapi)
	return nil
}

// document is what of the contract the server itself reads.
type document struct {
	Paths      map[string]pathItem `yaml:"paths"`
	Components struct {
		Parameters map[string]parameter `yaml:"parameters"`
		Schemas    map[string]schema    `yaml:"schemas"`
	} `yaml:"components"`
}

// pathItem is the operations of a path by lower-case method; parameters that
// stand beside them belong to each.
type pathItem map[string]operation

// UnmarshalYAML reads the operations and gives each the shared parameters.
func (p *pathItem) UnmarshalYAML(n *yaml.Node) error {
	var shared struct {
		Parameters []parameter `yaml:"parameters"`
	}
	if err := n.Decode(&shared); err != nil {
		return err
	}
	*p = pathItem{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "parameters" {
			continue
		}
		var op operation
		if err := n.Content[i+1].Decode(&op); err != nil {
			return err
		}
		op.Parameters = append(op.Parameters, shared.Parameters...)
		(*p)[n.Content[i].Value] = op
	}
	return nil
}

type operation struct {
	Summary    string                `yaml:"summary"`
	Tags       []string              `yaml:"tags"`
	Security   []map[string][]string `yaml:"security"`
	Parameters []parameter           `yaml:"parameters"`
	Body       struct {
		Content map[string]struct {
			Schema schema `yaml:"schema"`
		} `yaml:"content"`
	} `yaml:"requestBody"`
}

type parameter struct {
	Ref      string `yaml:"$ref"`
	Name     string `yaml:"name"`
	In       string `yaml:"in"`
	Required bool   `yaml:"required"`
	Schema   schema `yaml:"schema"`
}

// schema is what of one is looked at: its list of words, if it is one, and the
// fields it cannot be without.
type schema struct {
	Ref      string   `yaml:"$ref"`
	Enum     []string `yaml:"enum"`
	Required []string `yaml:"required"`
}

func readContract() (document, error) {
	var doc document
	if err := yaml.Unmarshal(openapi, &doc); err != nil {
		return doc, fmt.Errorf("api: openapi.yaml: %w", err)
	}
	for _, operations := range doc.Paths {
		for _, op := range operations {
			for i, p := range op.Parameters {
				if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
					op.Parameters[i] = doc.Components.Parameters[name]
				}
				if name, ok := strings.CutPrefix(p.Schema.Ref, "#/components/schemas/"); ok {
					op.Parameters[i].Schema = doc.Components.Schemas[name]
				}
			}
		}
	}
	return doc, nil
}

// demands are what the contract says of requests, by the name of their route.
type demands struct {
	queries map[string][]parameter
	needs   map[string][]string // fields a body cannot be without
}

// contractDemands reads them once.
var contractDemands = sync.OnceValues(func() (demands, error) {
	d := demands{queries: map[string][]parameter{}, needs: map[string][]string{}}
	doc, err := readContract()
	if err != nil {
		return d, err
	}
	for path, operations := range doc.Paths {
		for method, op := range operations {
			name := strings.ToUpper(method) + " " + ginPath(path)
			for _, p := range op.Parameters {
				if p.In == "query" {
					d.queries[name] = append(d.queries[name], p)
				}
			}
			body := op.Body.Content["application/json"].Schema
			if named, ok := strings.CutPrefix(body.Ref, "#/components/schemas/"); ok {
				body = doc.Components.Schemas[named]
			}
			d.needs[name] = body.Required
		}
	}
	return d, nil
})

// ginPath writes /v1/units/{id} as /v1/units/:id.
func ginPath(path string) string {
	return strings.ReplaceAll(strings.ReplaceAll(path, "{", ":"), "}", "")
}

// contractPath writes /v1/units/:id as /v1/units/{id}.
func contractPath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if name, ok := strings.CutPrefix(p, ":"); ok {
			parts[i] = "{" + name + "}"
		}
	}
	return strings.Join(parts, "/")
}

// callers says in words who may call the route.
func (rt *route) callers() string {
	var who []string
	if rt.open {
		who = append(who, "public")
	}
	if rt.staff {
		who = append(who, "admin")
	}
	for _, r := range rt.roles {
		who = append(who, string(r))
	}
	if rt.member {
		who = append(who, "member")
	}
	return strings.Join(who, ", ")
}
