-- The calendar: what campaigns say of themselves, a unit's own days, feeds of
-- calendar apps, templates, and the reminders members asked for.

-- One row per campaign that says more than its name; claims never read it.
CREATE TABLE IF NOT EXISTS campaign_faces (
  campaign_id {{.ID}},
  sort_no INT NOT NULL,
  banner VARCHAR(500) NOT NULL,
  body {{.Text}} NOT NULL
){{.Table}};

CREATE INDEX campaigns_window ON campaigns (starts_at, id);

CREATE TABLE IF NOT EXISTS calendar_days (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  from_day INT NOT NULL,
  to_day INT NOT NULL,
  avoid INT NOT NULL,
  name_zh VARCHAR(60) NOT NULL,
  name_en VARCHAR(120) NOT NULL,
  version INT NOT NULL,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX calendar_days_from ON calendar_days (from_day, id);

CREATE TABLE IF NOT EXISTS calendar_feeds (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  name VARCHAR(100) NOT NULL,
  lang VARCHAR(8) NOT NULL,
  hash VARCHAR(64) NOT NULL,
  status VARCHAR(16) NOT NULL,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX calendar_feeds_hash ON calendar_feeds (hash);

CREATE TABLE IF NOT EXISTS campaign_templates (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  name VARCHAR(100) NOT NULL,
  body {{.Text}} NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS reminders (
  id {{.ID}},
  campaign_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  session_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  created_at BIGINT NOT NULL,
  told_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX reminders_member ON reminders (member_id, campaign_id, session_at);

CREATE INDEX reminders_due ON reminders (campaign_id, session_at, status, due_at, id);

-- Which moments already have their task, so that a rush of subscribers makes one.
CREATE TABLE IF NOT EXISTS reminder_runs (
  campaign_id BIGINT NOT NULL,
  session_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  PRIMARY KEY (campaign_id, session_at, due_at)
){{.Table}};
