-- When a webhook was told that a coupon ran out unused; 0 is not yet.

ALTER TABLE member_coupons ADD COLUMN expiry_told BIGINT NOT NULL DEFAULT 0;

CREATE INDEX member_coupons_until ON member_coupons (valid_until);

-- Texts of notices that the brand has changed; without a row the default of
-- the binary stands.
CREATE TABLE IF NOT EXISTS notice_templates (
  name VARCHAR(32) NOT NULL PRIMARY KEY,
  text_zh {{.Text}} NOT NULL,
  text_en {{.Text}} NOT NULL,
  version INT NOT NULL,
  edited_at BIGINT NOT NULL
){{.Table}};

-- What a member was told, once per fact.
CREATE TABLE IF NOT EXISTS notices (
  id {{.ID}},
  member_id BIGINT NOT NULL,
  template VARCHAR(32) NOT NULL,
  fact VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX notices_fact ON notices (template, fact, member_id);

CREATE INDEX notices_member ON notices (member_id);

-- Who asked to be reminded of a campaign's start.
CREATE TABLE IF NOT EXISTS reminders (
  id {{.ID}},
  campaign_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX reminders_member ON reminders (campaign_id, member_id);
