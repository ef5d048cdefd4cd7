-- Tags of members, given by hand or by a rule over known facts, and the
-- blocklist: what a campaign's audience may ask for beside groups.

CREATE TABLE IF NOT EXISTS tags (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  seq INT NOT NULL,
  name_zh VARCHAR(20) NOT NULL,
  name_en VARCHAR(40) NOT NULL,
  rule {{.Text}} NOT NULL,
  version INT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

-- A unit has as many tags as there are numbers.
CREATE UNIQUE INDEX tags_seq ON tags (unit_id, seq);

CREATE UNIQUE INDEX tags_name ON tags (unit_id, name_zh);

CREATE TABLE IF NOT EXISTS member_tags (
  member_id BIGINT NOT NULL,
  tag_id BIGINT NOT NULL,
  source VARCHAR(8) NOT NULL,
  day INT NOT NULL,
  PRIMARY KEY (member_id, tag_id)
){{.Table}};

CREATE INDEX member_tags_tag ON member_tags (tag_id, member_id);

CREATE TABLE IF NOT EXISTS member_blocks (
  member_id BIGINT NOT NULL PRIMARY KEY,
  reason VARCHAR(200) NOT NULL,
  until_at BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

-- What a paid order was worth, for rules over amounts; older ones count as 0.
ALTER TABLE member_facts ADD COLUMN amount BIGINT NOT NULL DEFAULT 0;
