package community

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// ActivityKind is what a person did in a group.
type ActivityKind string

// The kinds. A check-in is a task done with text or picture, not a daily tap.
const (
	ActivityCheckin ActivityKind = "checkin"
	ActivityReply   ActivityKind = "reply"
	ActivityTopic   ActivityKind = "topic_join"
	ActivityPost    ActivityKind = "ugc_post"
	ActivityAnswer  ActivityKind = "helpful_answer"
	ActivityGame    ActivityKind = "game"
	ActivityQuiz    ActivityKind = "quiz"
	ActivityMessage ActivityKind = "plain_message"
)

func activityKinds() []string {
	return []string{
		string(ActivityCheckin), string(ActivityReply), string(ActivityTopic), string(ActivityPost),
		string(ActivityAnswer), string(ActivityGame), string(ActivityQuiz), string(ActivityMessage),
	}
}

// ActivityIn is one thing somebody did in a group. EventID is the reporter's
// name for it: within the group the same one is the same thing. What was said
// is not taken.
type ActivityIn struct {
	EventID  string       `json:"event_id"`
	MemberID id.Member    `json:"member_id"`
	Kind     ActivityKind `json:"kind"`
	At       clock.Milli  `json:"at"`
}

// activityMax bounds a batch.
const activityMax = 500

// ActivityBatch is what PutActivity takes at once.
type ActivityBatch struct {
	Events []ActivityIn `json:"events"`
}

// Validate checks every event's form.
func (b ActivityBatch) Validate() error {
	var c fault.Check
	c.Range(int64(len(b.Events)), "events", 1, activityMax)
	for i, in := range b.Events[:min(len(b.Events), activityMax)] {
		at := fmt.Sprintf("events[%d].", i)
		c.Required(in.EventID, at+"event_id")
		c.Length(in.EventID, at+"event_id", 64)
		c.That(plain(in.EventID), at+"event_id", "format", "不能含空白或控制字符", "must hold neither spaces nor control characters")
		c.That(in.MemberID != 0, at+"member_id", "required", "必填", "is required")
		c.OneOf(string(in.Kind), at+"kind", activityKinds()...)
		c.That(in.At > 0, at+"at", "required", "必填，且不早于 1970 年", "is required and lies after 1970")
	}
	return c.Err()
}

// ActivityResult is what became of one event. Err says why it is a conflict.
type ActivityResult struct {
	EventID string          `json:"event_id"`
	Result  ActivityOutcome `json:"result"`
	Err     *fault.Fault    `json:"-"`
}

// ActivityOutcome is how one event of a batch ended.
type ActivityOutcome string

// The outcomes: written, there already with the same words, or refused.
const (
	ActivityRecorded ActivityOutcome = "recorded"
	ActivityRepeated ActivityOutcome = "repeated"
	ActivityConflict ActivityOutcome = "conflict"
)

// The refusals of single events.
var (
	ErrActivityAhead = fault.New(fault.KindUnprocessable, "community.activity_ahead",
		"互动时间不能晚于现在", "what somebody did cannot lie ahead")
	ErrActivityDiffers = fault.New(fault.KindConflict, "community.activity_differs",
		"事件 {event} 已记录过，内容不同", "event {event} was reported before, with other content")
)
