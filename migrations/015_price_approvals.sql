-- Prices under a product's floor, each asked for by one person and approved by
-- another. The digest is over item, price and what was known of the product.
-- closed is 0 while a row stands, its id once it was rejected or voided: at
-- most one stands per digest.

CREATE TABLE IF NOT EXISTS price_approvals (
  id {{.ID}},
  campaign_id BIGINT NOT NULL,
  item_id BIGINT NOT NULL,
  price BIGINT NOT NULL,
  floor_price BIGINT NOT NULL,
  cost BIGINT NOT NULL,
  list_price BIGINT NOT NULL,
  digest VARCHAR(64) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  status VARCHAR(16) NOT NULL,
  closed BIGINT NOT NULL,
  asked_by BIGINT NOT NULL,
  asked_at BIGINT NOT NULL,
  decided_by BIGINT NOT NULL,
  decided_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX price_approvals_live ON price_approvals (item_id, digest, closed);

CREATE INDEX price_approvals_campaign ON price_approvals (campaign_id, id);

-- What else is on with a product is asked before a campaign is published.
CREATE INDEX items_product ON items (product_id);
