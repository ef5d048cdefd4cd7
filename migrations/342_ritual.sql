-- What a group does at a fixed time, and whether it was done.

CREATE TABLE IF NOT EXISTS rituals (
  id {{.ID}},
  group_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  title VARCHAR(100) NOT NULL,
  weekdays INT NOT NULL,
  minute_of_day INT NOT NULL,
  remind_minutes INT NOT NULL,
  ended_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX rituals_group ON rituals (group_id, ended_at, id);

CREATE TABLE IF NOT EXISTS ritual_days (
  ritual_id BIGINT NOT NULL,
  day INT NOT NULL,
  due_at BIGINT NOT NULL,
  reminded_at BIGINT NOT NULL,
  held_at BIGINT NOT NULL,
  people INT NOT NULL,
  held_by BIGINT NOT NULL,
  PRIMARY KEY (ritual_id, day)
){{.Table}};
