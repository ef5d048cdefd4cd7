-- What a campaign gives and takes in coupons and points: what it allows and
-- may spend, and what each order that used a coupon or points took off.

ALTER TABLE campaigns ADD COLUMN accepts_coupons INT NOT NULL DEFAULT 0;

ALTER TABLE campaigns ADD COLUMN accepts_points BIGINT NOT NULL DEFAULT 0;

ALTER TABLE campaigns ADD COLUMN budget BIGINT NOT NULL DEFAULT 0;

ALTER TABLE orders ADD COLUMN member_coupon_id BIGINT NOT NULL DEFAULT 0;

ALTER TABLE orders ADD COLUMN discount_coupon BIGINT NOT NULL DEFAULT 0;

ALTER TABLE orders ADD COLUMN discount_points BIGINT NOT NULL DEFAULT 0;

-- The campaign whose budget a reward is paid from; 0 is the program's own.
ALTER TABLE rewards ADD COLUMN funded_by BIGINT NOT NULL DEFAULT 0;

-- A row per order with a discount: where it stands, and what went back.
CREATE TABLE IF NOT EXISTS order_discounts (
  order_id BIGINT NOT NULL PRIMARY KEY,
  campaign_id BIGINT NOT NULL,
  member_coupon_id BIGINT NOT NULL,
  coupon BIGINT NOT NULL,
  points BIGINT NOT NULL,
  budgeted INT NOT NULL,
  status VARCHAR(16) NOT NULL,
  back BIGINT NOT NULL,
  points_back BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT order_discounts_back CHECK (points_back >= 0 AND points_back <= points AND back >= 0 AND back <= coupon + points)
){{.Table}};

CREATE INDEX order_discounts_campaign ON order_discounts (campaign_id, status);

-- When a campaign's budget was first nearly and wholly used up, so that it is
-- said once.
CREATE TABLE IF NOT EXISTS budget_marks (
  campaign_id BIGINT NOT NULL PRIMARY KEY,
  low_at BIGINT NOT NULL,
  exhausted_at BIGINT NOT NULL
){{.Table}};
