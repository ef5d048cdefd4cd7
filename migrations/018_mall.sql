-- When a webhook was told that a coupon ran out unused; 0 is not yet.

ALTER TABLE member_coupons ADD COLUMN expiry_told BIGINT NOT NULL DEFAULT 0;

CREATE INDEX member_coupons_until ON member_coupons (valid_until);
