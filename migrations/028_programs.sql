-- Rewards in points and coupons beside cash: what one costs the budget, which
-- coupon it is, for how many days points live; and a coupon that was taken
-- back because the order it was earned with was refunded.

ALTER TABLE rewards ADD COLUMN unit_cost BIGINT NOT NULL DEFAULT 1;

ALTER TABLE rewards ADD COLUMN coupon_id BIGINT NOT NULL DEFAULT 0;

ALTER TABLE rewards ADD COLUMN valid_days INT NOT NULL DEFAULT 0;

ALTER TABLE member_coupons ADD COLUMN withdrawn_at BIGINT NOT NULL DEFAULT 0;

-- What a reward gave is found again by the reward.
CREATE INDEX member_coupons_given ON member_coupons (source_kind, source_id);
