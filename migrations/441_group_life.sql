-- How a group ends, changes hands or is merged into another by invitation.
-- closed is 0 while a hand-over or a merger is under way and its own id once it
-- is over, so that a group has one at a time.

ALTER TABLE chat_groups ADD COLUMN ends_at BIGINT NOT NULL DEFAULT 0;

ALTER TABLE chat_groups ADD COLUMN end_reason VARCHAR(200) NOT NULL DEFAULT '';

CREATE INDEX chat_groups_ends ON chat_groups (ends_at, id);

CREATE TABLE IF NOT EXISTS group_handovers (
  id {{.ID}},
  group_id BIGINT NOT NULL,
  from_id BIGINT NOT NULL,
  to_id BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  status VARCHAR(16) NOT NULL,
  closed BIGINT NOT NULL,
  given_at BIGINT NOT NULL,
  given_by BIGINT NOT NULL,
  taken_at BIGINT NOT NULL,
  started_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX group_handovers_once ON group_handovers (group_id, closed);

CREATE INDEX group_handovers_group ON group_handovers (group_id, id);

CREATE TABLE IF NOT EXISTS group_mergers (
  id {{.ID}},
  from_id BIGINT NOT NULL,
  into_id BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  status VARCHAR(16) NOT NULL,
  closed BIGINT NOT NULL,
  by_at BIGINT NOT NULL,
  started_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX group_mergers_once ON group_mergers (from_id, closed);

CREATE INDEX group_mergers_into ON group_mergers (into_id, closed, id);

CREATE INDEX group_mergers_open ON group_mergers (closed, id);

CREATE TABLE IF NOT EXISTS merger_invites (
  merger_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  invited_at BIGINT NOT NULL,
  declined_at BIGINT NOT NULL,
  PRIMARY KEY (merger_id, member_id)
){{.Table}};

CREATE INDEX merger_invites_member ON merger_invites (member_id, merger_id);
