-- A group's health: its days as they were counted from the events, what each
-- day was judged to be, and the newest of them for those who ask about many
-- groups. -1 is "unknown" wherever a figure may be.

-- To whom a reply or an answer was given; 0 says nothing of it.
ALTER TABLE activity_events ADD COLUMN to_id BIGINT NOT NULL DEFAULT 0;

-- What a person did, for a merge, his export and his silence.
CREATE INDEX activity_events_member ON activity_events (member_id, group_id, day);

-- Days of which the reporter says that all was reported, so that nothing is
-- nothing.
CREATE TABLE IF NOT EXISTS activity_reports (
  group_id BIGINT NOT NULL,
  day INT NOT NULL,
  received_at BIGINT NOT NULL,
  PRIMARY KEY (group_id, day)
){{.Table}};

-- Days to be counted anew; written and taken away under the group's row lock.
CREATE TABLE IF NOT EXISTS activity_marks (
  group_id BIGINT NOT NULL,
  day INT NOT NULL,
  PRIMARY KEY (group_id, day)
){{.Table}};

-- Ads that were shown; the guard writes a row with each slot that was.
CREATE TABLE IF NOT EXISTS group_ads (
  group_id BIGINT NOT NULL,
  ref BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (group_id, ref)
){{.Table}};

CREATE TABLE IF NOT EXISTS group_days (
  group_id BIGINT NOT NULL,
  day INT NOT NULL,
  covered INT NOT NULL,
  complete INT NOT NULL,
  size INT NOT NULL,
  joins INT NOT NULL,
  leaves INT NOT NULL,
  people INT NOT NULL,
  events INT NOT NULL,
  points INT NOT NULL,
  topic_people INT NOT NULL,
  drawn INT NOT NULL,
  content INT NOT NULL,
  said INT NOT NULL,
  talk INT NOT NULL,
  host INT NOT NULL,
  checkins INT NOT NULL,
  incentives INT NOT NULL,
  violations INT NOT NULL,
  off_topic INT NOT NULL,
  PRIMARY KEY (group_id, day)
){{.Table}};

CREATE TABLE IF NOT EXISTS group_health (
  group_id BIGINT NOT NULL,
  day INT NOT NULL,
  state VARCHAR(16) NOT NULL,
  coverage INT NOT NULL,
  metrics {{.Text}} NOT NULL,
  PRIMARY KEY (group_id, day)
){{.Table}};

CREATE TABLE IF NOT EXISTS group_standings (
  group_id {{.ID}},
  day INT NOT NULL,
  state VARCHAR(16) NOT NULL,
  since INT NOT NULL,
  coverage INT NOT NULL,
  dar INT NOT NULL,
  fatigue INT NOT NULL,
  content INT NOT NULL,
  ads INT NOT NULL,
  held INT NOT NULL,
  redo INT NOT NULL,
  judged_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL
){{.Table}};
