-- Proposals to split a large group into sub-groups that keep ties together.
-- closed is 0 while one is proposed or under way and its own id once it is
-- over, so that a group has one at a time.

ALTER TABLE chat_groups ADD COLUMN parent_group_id BIGINT NOT NULL DEFAULT 0;

CREATE INDEX chat_groups_parent ON chat_groups (parent_group_id, id);

CREATE TABLE IF NOT EXISTS group_splits (
  id {{.ID}},
  group_id BIGINT NOT NULL,
  version INT NOT NULL,
  rules INT NOT NULL,
  status VARCHAR(16) NOT NULL,
  closed BIGINT NOT NULL,
  size INT NOT NULL,
  people INT NOT NULL,
  ties INT NOT NULL,
  kept INT NOT NULL,
  chance INT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  expires_at BIGINT NOT NULL,
  by_at BIGINT NOT NULL,
  proposed_by BIGINT NOT NULL,
  decided_by BIGINT NOT NULL,
  decided_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX group_splits_once ON group_splits (group_id, closed);

CREATE INDEX group_splits_group ON group_splits (group_id, id);

CREATE INDEX group_splits_open ON group_splits (closed, id);

CREATE TABLE IF NOT EXISTS group_split_parts (
  split_id BIGINT NOT NULL,
  part INT NOT NULL,
  people INT NOT NULL,
  group_id BIGINT NOT NULL,
  PRIMARY KEY (split_id, part)
){{.Table}};

CREATE TABLE IF NOT EXISTS group_split_seats (
  split_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  part INT NOT NULL,
  talked INT NOT NULL,
  met INT NOT NULL,
  team INT NOT NULL,
  asked INT NOT NULL,
  came INT NOT NULL,
  elsewhere INT NOT NULL,
  invited_at BIGINT NOT NULL,
  declined_at BIGINT NOT NULL,
  PRIMARY KEY (split_id, member_id)
){{.Table}};

CREATE INDEX group_split_seats_todo ON group_split_seats (split_id, invited_at, member_id);

CREATE INDEX group_split_seats_member ON group_split_seats (member_id, split_id);
