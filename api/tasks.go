package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/internal/id"
	"siyu/internal/task"
)

func (s *Server) taskRoutes(r *routes) {
	r.get("/v1/dead-tasks", s.listDeadTasks, staff())
	r.post("/v1/dead-tasks/:id/redrive", s.redriveTask, staff(), keyed)
}

func (s *Server) listDeadTasks(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	list, err := task.ListDead(c.Request.Context(), s.DB, c.Query("kind"), p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) redriveTask(c *gin.Context) error {
	t, err := pathID[id.Task](c, "id")
	if err != nil {
		return err
	}
	if err := done(task.Redrive(c.Request.Context(), s.DB, t))(c); err != nil {
		return err
	}
	return render(c, http.StatusAccepted, struct {
		ID id.Task `json:"id"`
	}{t})
}
