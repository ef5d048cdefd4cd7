package api

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"siyu/community"
	"siyu/internal/fault"
	"siyu/internal/httpd"
)

// streamBody holds StreamMax lines of some 300 bytes.
const streamBody = 16 << 20

var (
	errNotLines  = fault.New(fault.Kind(415), "content_type", "请以 Content-Type: application/x-ndjson 发送", "send it as Content-Type: application/x-ndjson")
	errLines     = fault.New(fault.KindUnprocessable, "lines", "一次应有 1 到 {max} 行", "send 1 to {max} lines at once")
	ndjsonFormat = "application/x-ndjson"
)

// activityTold is a line of the answer.
type activityTold struct {
	Line int `json:"line"`
	community.ActivityResult
	Error *rowError `json:"error,omitempty"`
}

// streamActivity answers each line with one of its own, in order. A line that
// cannot be read is refused like others.
func (s *Server) streamActivity(c *gin.Context) error {
	kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || kind != ndjsonFormat {
		return errNotLines
	}
	body, err := httpd.Body(c)
	if err != nil {
		return err
	}
	raw := bytes.Split(bytes.TrimRight(body, "\r\n"), []byte("\n"))
	if len(body) == 0 || len(raw) > community.StreamMax {
		return errLines.With("max", community.StreamMax)
	}
	told := make([]activityTold, len(raw))
	lines, at := make([]community.ActivityLine, 0, len(raw)), make([]int, 0, len(raw))
	for i, text := range raw {
		var in activityLine
		told[i] = activityTold{Line: i + 1, ActivityResult: community.ActivityResult{Result: community.ActivityRefused}}
		err := in.decode(text)
		if f, ok := fault.As(err); ok {
			told[i].Error = rowErrorOf(c, f)
			continue
		}
		if err != nil {
			return err
		}
		at = append(at, i)
		lines = append(lines, community.ActivityLine{GroupID: in.GroupID, CompleteDay: in.CompleteDay, ActivityIn: community.ActivityIn{
			EventID: in.EventID, MemberID: in.MemberID, Kind: in.Kind, At: in.At, ToID: in.ToID,
		}})
	}
	results, err := s.Community.StreamActivity(c.Request.Context(), lines)
	if err != nil {
		return err
	}
	for k, r := range results {
		told[at[k]].ActivityResult, told[at[k]].Error = r, lineErrorOf(c, r.Err)
	}
	var out bytes.Buffer
	write := json.NewEncoder(&out)
	for _, one := range told {
		if err := write.Encode(one); err != nil {
			return err
		}
	}
	c.Data(http.StatusOK, ndjsonFormat, out.Bytes())
	return nil
}

// lineErrorOf is rowErrorOf of a line, which holds one event and so names its
// fields without a place.
func lineErrorOf(c *gin.Context, f *fault.Fault) *rowError {
	e := rowErrorOf(c, f)
	if e == nil {
		return nil
	}
	for i := range e.Fields {
		e.Fields[i].Name = strings.TrimPrefix(e.Fields[i].Name, "events[0].")
	}
	return e
}
