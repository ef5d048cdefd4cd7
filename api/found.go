package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/internal/database"
)

// found answers with what a room finds by the id in the path.
func found[I, T any, P readableID[I]](find func(context.Context, I) (T, error)) handler {
	return func(c *gin.Context) error {
		of, err := pathID[I, P](c, "id")
		if err != nil {
			return err
		}
		it, err := find(c.Request.Context(), of)
		if err != nil {
			return err
		}
		return render(c, http.StatusOK, it)
	}
}

// listed answers with a page of what a room lists under the id in the path.
func listed[I, T any, P readableID[I]](list func(context.Context, I, database.Page) (T, error)) handler {
	return func(c *gin.Context) error {
		of, err := pathID[I, P](c, "id")
		if err != nil {
			return err
		}
		p, err := page(c)
		if err != nil {
			return err
		}
		some, err := list(c.Request.Context(), of, p)
		if err != nil {
			return err
		}
		return render(c, http.StatusOK, some)
	}
}

// paged answers with a page of all that a room lists to its caller.
func paged[T any](list func(context.Context, database.Page) (T, error)) handler {
	return func(c *gin.Context) error {
		p, err := page(c)
		if err != nil {
			return err
		}
		some, err := list(c.Request.Context(), p)
		if err != nil {
			return err
		}
		return render(c, http.StatusOK, some)
	}
}
