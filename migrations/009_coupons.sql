-- Coupons: definitions with their stock, what members hold of them, and what
-- each member has taken.

-- One row per member who was ever given a coupon or points: it is locked
-- before them, and leads from a merged member to the one he became.
CREATE TABLE IF NOT EXISTS holders (
  member_id BIGINT NOT NULL PRIMARY KEY,
  merged_into BIGINT NOT NULL
){{.Table}};

CREATE INDEX holders_merged ON holders (merged_into);

CREATE TABLE IF NOT EXISTS coupons (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  name_zh VARCHAR(100) NOT NULL,
  name_en VARCHAR(100) NOT NULL,
  status VARCHAR(16) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  amount BIGINT NOT NULL,
  rate BIGINT NOT NULL,
  cap BIGINT NOT NULL,
  min_spend BIGINT NOT NULL,
  include_goods {{.Text}} NOT NULL,
  exclude_goods {{.Text}} NOT NULL,
  claimable INT NOT NULL,
  claim_from BIGINT NOT NULL,
  claim_until BIGINT NOT NULL,
  valid_from BIGINT NOT NULL,
  valid_until BIGINT NOT NULL,
  valid_days INT NOT NULL,
  zone VARCHAR(64) NOT NULL,
  total_qty BIGINT NOT NULL,
  issued_qty BIGINT NOT NULL,
  per_member INT NOT NULL,
  per_day INT NOT NULL,
  return_on_refund INT NOT NULL,
  version INT NOT NULL,
  created_at BIGINT NOT NULL,
  CHECK (issued_qty >= 0 AND issued_qty <= total_qty)
){{.Table}};

CREATE INDEX coupons_unit ON coupons (unit_id, id);

-- taken_by, the numbers and the source never change; member_id follows merges.
CREATE TABLE IF NOT EXISTS member_coupons (
  id {{.ID}},
  coupon_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  taken_by BIGINT NOT NULL,
  issue_no BIGINT NOT NULL,
  taken_no BIGINT NOT NULL,
  issued_day INT NOT NULL,
  day_no BIGINT NOT NULL,
  source_kind VARCHAR(16) NOT NULL,
  source_id VARCHAR(64) NOT NULL,
  issued_at BIGINT NOT NULL,
  valid_from BIGINT NOT NULL,
  valid_until BIGINT NOT NULL,
  redeemed_at BIGINT NOT NULL,
  returned_at BIGINT NOT NULL
){{.Table}};

-- The second lock of the stock, of the limit per member and per day, and of
-- issuing once for one source.
CREATE UNIQUE INDEX member_coupons_stock ON member_coupons (coupon_id, issue_no);

CREATE UNIQUE INDEX member_coupons_taken ON member_coupons (coupon_id, taken_by, taken_no);

CREATE UNIQUE INDEX member_coupons_day ON member_coupons (coupon_id, taken_by, issued_day, day_no);

CREATE UNIQUE INDEX member_coupons_source ON member_coupons (coupon_id, taken_by, source_kind, source_id);

CREATE INDEX member_coupons_member ON member_coupons (member_id, id);

-- Day 0 counts a member's coupons of all days. brought_qty is what merges
-- brought in.
CREATE TABLE IF NOT EXISTS coupon_counts (
  id {{.ID}},
  coupon_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  day INT NOT NULL,
  qty BIGINT NOT NULL,
  brought_qty BIGINT NOT NULL,
  CHECK (qty >= 0 AND brought_qty >= 0)
){{.Table}};

CREATE UNIQUE INDEX coupon_counts_member ON coupon_counts (member_id, coupon_id, day);

CREATE TABLE IF NOT EXISTS coupon_redemptions (
  id {{.ID}},
  member_coupon_id BIGINT NOT NULL,
  order_ref VARCHAR(64) NOT NULL,
  discount BIGINT NOT NULL,
  redeemed_at BIGINT NOT NULL,
  returned_at BIGINT NOT NULL,
  freed BIGINT NOT NULL
){{.Table}};

-- An order takes one coupon, once and for all; a coupon stands on one order
-- that has not given it back.
CREATE UNIQUE INDEX coupon_redemptions_order ON coupon_redemptions (order_ref);

CREATE UNIQUE INDEX coupon_redemptions_live ON coupon_redemptions (member_coupon_id, freed);

-- Codes that are handed out on paper or by message; only their hash is kept.
CREATE TABLE IF NOT EXISTS coupon_batches (
  id {{.ID}},
  coupon_id BIGINT NOT NULL,
  qty INT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX coupon_batches_coupon ON coupon_batches (coupon_id, id);

CREATE TABLE IF NOT EXISTS coupon_codes (
  id {{.ID}},
  batch_id BIGINT NOT NULL,
  coupon_id BIGINT NOT NULL,
  code_hash VARCHAR(64) NOT NULL,
  used_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX coupon_codes_hash ON coupon_codes (code_hash);

CREATE INDEX coupon_codes_batch ON coupon_codes (batch_id, used_at);

-- A code gives one coupon, to whoever comes first.
CREATE TABLE IF NOT EXISTS coupon_code_uses (
  id {{.ID}},
  code_id BIGINT NOT NULL,
  member_coupon_id BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX coupon_code_uses_code ON coupon_code_uses (code_id);

-- Points: what a member has left of each day of expiry, and for which order
-- they were taken from which. The ledger holds every move beside them.
CREATE TABLE IF NOT EXISTS point_lots (
  id {{.ID}},
  member_id BIGINT NOT NULL,
  expires_day INT NOT NULL,
  left_qty BIGINT NOT NULL,
  frozen_qty BIGINT NOT NULL,
  spent_qty BIGINT NOT NULL,
  expired_qty BIGINT NOT NULL,
  CHECK (left_qty >= 0 AND frozen_qty >= 0 AND spent_qty >= 0 AND expired_qty >= 0)
){{.Table}};

CREATE UNIQUE INDEX point_lots_member ON point_lots (member_id, expires_day);

CREATE INDEX point_lots_day ON point_lots (expires_day, left_qty);

CREATE TABLE IF NOT EXISTS point_orders (
  id {{.ID}},
  order_ref VARCHAR(64) NOT NULL,
  member_id BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  qty BIGINT NOT NULL,
  back_qty BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  CHECK (back_qty >= 0 AND back_qty <= qty)
){{.Table}};

CREATE UNIQUE INDEX point_orders_ref ON point_orders (order_ref);

CREATE INDEX point_orders_member ON point_orders (member_id);

CREATE TABLE IF NOT EXISTS point_uses (
  order_id BIGINT NOT NULL,
  lot_id BIGINT NOT NULL,
  qty BIGINT NOT NULL,
  back_qty BIGINT NOT NULL,
  PRIMARY KEY (order_id, lot_id),
  CHECK (back_qty >= 0 AND back_qty <= qty)
){{.Table}};

CREATE INDEX point_uses_lot ON point_uses (lot_id);
