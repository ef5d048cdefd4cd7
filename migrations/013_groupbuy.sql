-- Teams of several sizes with a price each, formed at the deadline by fewer
-- than all if that was said, handed over, opened again; refunds a failed team
-- still has to request; and the choice of who paid too late.

CREATE TABLE IF NOT EXISTS item_prices (
  item_id BIGINT NOT NULL,
  size INT NOT NULL,
  price BIGINT NOT NULL,
  opener_price BIGINT NOT NULL,
  PRIMARY KEY (item_id, size)
){{.Table}};

ALTER TABLE teams ADD COLUMN min_size INT NOT NULL DEFAULT 0;

ALTER TABLE teams ADD COLUMN unit_price BIGINT NOT NULL DEFAULT 0;

ALTER TABLE teams ADD COLUMN opener_order BIGINT NOT NULL DEFAULT 0;

ALTER TABLE teams ADD COLUMN counted INT NOT NULL DEFAULT 0;

ALTER TABLE teams ADD COLUMN end_reason VARCHAR(16) NOT NULL DEFAULT '';

ALTER TABLE teams ADD COLUMN again_of BIGINT NOT NULL DEFAULT 0;

ALTER TABLE teams ADD COLUMN again_as BIGINT NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS team_handovers (
  id {{.ID}},
  team_id BIGINT NOT NULL,
  from_order BIGINT NOT NULL,
  to_order BIGINT NOT NULL,
  at BIGINT NOT NULL
){{.Table}};

CREATE INDEX team_handovers_team ON team_handovers (team_id, id);

CREATE TABLE IF NOT EXISTS team_refunds (
  order_id BIGINT NOT NULL PRIMARY KEY,
  team_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  tries INT NOT NULL,
  next_at BIGINT NOT NULL,
  alerted_at BIGINT NOT NULL,
  last_error VARCHAR(200) NOT NULL
){{.Table}};

CREATE INDEX team_refunds_due ON team_refunds (next_at, order_id);

CREATE TABLE IF NOT EXISTS late_choices (
  payment_id BIGINT NOT NULL PRIMARY KEY,
  order_id BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  until_at BIGINT NOT NULL,
  team_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX late_choices_order ON late_choices (order_id, status);

CREATE INDEX late_choices_due ON late_choices (status, until_at);
