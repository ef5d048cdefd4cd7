-- Topics planned for one day, and the steps of a daily SOP with whether each was
-- done. remind_at and due_at are moments; a topic that was called off has
-- cancelled_at.

CREATE TABLE IF NOT EXISTS topics (
  id {{.ID}},
  group_id BIGINT NOT NULL,
  day INT NOT NULL,
  title VARCHAR(100) NOT NULL,
  due_at BIGINT NOT NULL,
  remind_minutes INT NOT NULL,
  remind_at BIGINT NOT NULL,
  reminded_at BIGINT NOT NULL,
  held_at BIGINT NOT NULL,
  people INT NOT NULL,
  held_by BIGINT NOT NULL,
  cancelled_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX topics_group ON topics (group_id, day);

CREATE INDEX topics_remind ON topics (remind_at, id);

CREATE TABLE IF NOT EXISTS ritual_steps (
  ritual_id BIGINT NOT NULL,
  step INT NOT NULL,
  minute_of_day INT NOT NULL,
  title VARCHAR(100) NOT NULL,
  PRIMARY KEY (ritual_id, step)
){{.Table}};

CREATE TABLE IF NOT EXISTS ritual_step_days (
  ritual_id BIGINT NOT NULL,
  day INT NOT NULL,
  step INT NOT NULL,
  due_at BIGINT NOT NULL,
  reminded_at BIGINT NOT NULL,
  held_at BIGINT NOT NULL,
  held_by BIGINT NOT NULL,
  PRIMARY KEY (ritual_id, day, step)
){{.Table}};
