package community

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// ActivityKind is what a person did in a group.
type ActivityKind string

// Counts says whether the kind is talk: what was noted about a person is not.
func (k ActivityKind) Counts() bool {
	return k != ActivityIncentive && k != ActivityViolation && k != ActivityOffTopic
}

// Points is what one of the kind weighs.
func (k ActivityKind) Points() int {
	switch {
	case !k.Counts():
		return 0
	case k == ActivityPost || k == ActivityAnswer:
		return 3
	}
	return 1
}

// The kinds. A check-in is a task done with text or picture, not a daily tap.
// The last three are notes: a host encouraged the member, the member broke a
// rule of the charter, or what he said was off topic.
const (
	ActivityCheckin ActivityKind = "checkin"
	ActivityReply   ActivityKind = "reply"
	ActivityTopic   ActivityKind = "topic_join"
	ActivityPost    ActivityKind = "ugc_post"
	ActivityAnswer  ActivityKind = "helpful_answer"
	ActivityGame    ActivityKind = "game"
	ActivityQuiz    ActivityKind = "quiz"
	ActivityMessage ActivityKind = "plain_message"

	ActivityIncentive ActivityKind = "incentive"
	ActivityViolation ActivityKind = "violation"
	ActivityOffTopic  ActivityKind = "off_topic"
)

func activityKinds() []string {
	return []string{
		string(ActivityCheckin), string(ActivityReply), string(ActivityTopic), string(ActivityPost),
		string(ActivityAnswer), string(ActivityGame), string(ActivityQuiz), string(ActivityMessage),
		string(ActivityIncentive), string(ActivityViolation), string(ActivityOffTopic),
	}
}

// ActivityIn is one thing somebody did in a group. EventID is the reporter's
// name for it: within the group the same one is the same thing. ToID is whom a
// reply or an answer was given to, if that is known. Topic is what a topic_join
// took part in: the id of a planned topic, or the reporter's own name for it;
// those without one are of one topic. What was said is not taken.
type ActivityIn struct {
	EventID  string       `json:"event_id"`
	MemberID id.Member    `json:"member_id"`
	Kind     ActivityKind `json:"kind"`
	At       clock.Milli  `json:"at"`
	ToID     id.Member    `json:"to_member_id"`
	Topic    string       `json:"topic"`
}

// activityMax bounds a batch.
const activityMax = 500

// ActivityBatch is what PutActivity takes at once. CompleteDays are local days
// that are over and of which all was reported: then nothing is nothing, and
// not unknown.
type ActivityBatch struct {
	Events       []ActivityIn `json:"events"`
	CompleteDays []int        `json:"complete_days"`
}

// completeMax bounds the days one batch may close.
const completeMax = 100

// Validate checks every event's form.
func (b ActivityBatch) Validate() error {
	var c fault.Check
	c.Range(int64(len(b.CompleteDays)), "complete_days", 0, completeMax)
	least := int64(1)
	if len(b.CompleteDays) > 0 {
		least = 0
	}
	c.Range(int64(len(b.Events)), "events", least, activityMax)
	for i, in := range b.Events[:min(len(b.Events), activityMax)] {
		at := fmt.Sprintf("events[%d].", i)
		c.Required(in.EventID, at+"event_id")
		c.Length(in.EventID, at+"event_id", 64)
		c.That(plain(in.EventID), at+"event_id", "format", "不能含空白或控制字符", "must hold neither spaces nor control characters")
		c.That(in.MemberID != 0, at+"member_id", "required", "必填", "is required")
		c.OneOf(string(in.Kind), at+"kind", activityKinds()...)
		c.That(in.ToID == 0 || in.Kind == ActivityReply || in.Kind == ActivityAnswer, at+"to_member_id", "not_allowed", "仅回复和解答可填", "is for replies and answers alone")
		c.That(in.ToID == 0 || in.ToID != in.MemberID, at+"to_member_id", "not_allowed", "不能是本人", "cannot be the member himself")
		c.That(in.Topic == "" || in.Kind == ActivityTopic, at+"topic", "not_allowed", "仅参与话题可填", "is for topic_join alone")
		c.Length(in.Topic, at+"topic", 64)
		c.That(plain(in.Topic), at+"topic", "format", "不能含空白或控制字符", "must hold neither spaces nor control characters")
		c.That(in.At > 0, at+"at", "required", "必填，且不早于 1970 年", "is required and lies after 1970")
	}
	return c.Err()
}

// ActivityResult is what became of one event. Err says why it was not written,
// with the field to mend.
type ActivityResult struct {
	EventID string          `json:"event_id"`
	Result  ActivityOutcome `json:"result"`
	Err     *fault.Fault    `json:"-"`
}

// ActivityOutcome is how one event of a batch ended.
type ActivityOutcome string

// The outcomes: written, there already with the same words, there already with
// others, or not an event that can be written at all.
const (
	ActivityRecorded ActivityOutcome = "recorded"
	ActivityRepeated ActivityOutcome = "repeated"
	ActivityConflict ActivityOutcome = "conflict"
	ActivityRefused  ActivityOutcome = "refused"
)

// The refusals of single events.
var (
	ErrActivityAhead = fault.New(fault.KindUnprocessable, "community.activity_ahead",
		"互动时间不能晚于现在", "what somebody did cannot lie ahead")
	ErrActivityOld = fault.New(fault.KindUnprocessable, "community.activity_old",
		"互动时间超过 {days} 天，不再收录", "what happened more than {days} days ago is not taken any more")
	ErrActivityDiffers = fault.New(fault.KindConflict, "community.activity_differs",
		"事件 {event} 已记录过，内容不同", "event {event} was reported before, with other content")
)
