-- Who did what in which group and when; no text of any message. An event is
-- known by the reporter's id for it, and lies on the group's local day. It
-- keeps the member it was reported of; reads follow members.merged_into.

CREATE TABLE IF NOT EXISTS activity_events (
  group_id BIGINT NOT NULL,
  event_id VARCHAR(64) NOT NULL,
  member_id BIGINT NOT NULL,
  kind VARCHAR(24) NOT NULL,
  at BIGINT NOT NULL,
  day INT NOT NULL,
  received_at BIGINT NOT NULL,
  PRIMARY KEY (group_id, event_id)
){{.Table}};

-- Covering: a group's days are counted from it.
CREATE INDEX activity_events_day ON activity_events (group_id, day, kind, member_id);
