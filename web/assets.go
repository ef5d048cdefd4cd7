package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/gin-gonic/gin"
)

//go:embed static
var staticFiles embed.FS

//go:embed templates
var templateFiles embed.FS

// asset is a static file under an address that carries its content's hash, so
// that a browser may keep it for ever.
type asset struct {
	href string
	kind string
	body []byte
}

// shelf holds the static files by name and by address.
type shelf struct {
	byName map[string]asset
	byHref map[string]asset
}

// stock reads the embedded files once.
func stock() (shelf, error) {
	s := shelf{map[string]asset{}, map[string]asset{}}
	files, err := staticFiles.ReadDir("static")
	if err != nil {
		return s, fmt.Errorf("web: assets: %w", err)
	}
	for _, f := range files {
		body, err := staticFiles.ReadFile("static/" + f.Name())
		if err != nil {
			return s, fmt.Errorf("web: assets: %w", err)
		}
		sum := sha256.Sum256(body)
		ext := path.Ext(f.Name())
		a := asset{
			href: "/static/" + strings.TrimSuffix(f.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext,
			kind: mime.TypeByExtension(ext), body: body,
		}
		s.byName[f.Name()] = a
		s.byHref[a.href] = a
	}
	return s, nil
}

// href is a file's address; a name that is not there is a mistake in a
// template and shows on the first render in any test.
func (s shelf) href(name string) (string, error) {
	a, ok := s.byName[name]
	if !ok {
		return "", fmt.Errorf("web: there is no asset %q", name)
	}
	return a.href, nil
}

// serve answers a file for a year, or 404.
func (s shelf) serve(c *gin.Context) {
	a, ok := s.byHref["/static/"+c.Param("file")]
	if !ok {
		c.Status(http.StatusNotFound)
		return
	}
	c.Header("Cache-Control", "public, max-age=31536000, immutable")
	c.Header("X-Content-Type-Options", "nosniff")
	c.Data(http.StatusOK, a.kind, a.body)
}
