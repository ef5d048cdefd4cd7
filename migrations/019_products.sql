-- What a product is, beside its price; and what a campaign is meant to reach.

ALTER TABLE products ADD COLUMN spec VARCHAR(100) NOT NULL DEFAULT '';

ALTER TABLE products ADD COLUMN category VARCHAR(64) NOT NULL DEFAULT '';

ALTER TABLE products ADD COLUMN tags VARCHAR(700) NOT NULL DEFAULT '';

CREATE INDEX products_category ON products (category, id);

CREATE TABLE IF NOT EXISTS campaign_targets (
  campaign_id BIGINT NOT NULL PRIMARY KEY,
  paid_orders BIGINT NOT NULL,
  pieces BIGINT NOT NULL,
  net BIGINT NOT NULL,
  version INT NOT NULL
){{.Table}};
