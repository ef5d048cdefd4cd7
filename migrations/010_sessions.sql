-- The waiting lines of items that are sold out: one place per member, served by
-- ascending seq. items.waiting counts the places that wait.

CREATE TABLE IF NOT EXISTS waits (
  id {{.ID}},
  campaign_id BIGINT NOT NULL,
  item_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  reason VARCHAR(64) NOT NULL,
  order_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX waits_member ON waits (item_id, member_id);

CREATE UNIQUE INDEX waits_seq ON waits (item_id, seq);

CREATE INDEX waits_line ON waits (item_id, status, seq);

ALTER TABLE items ADD COLUMN waiting BIGINT NOT NULL DEFAULT 0;
