-- When the owner was reminded of an ad he has not posted.

ALTER TABLE promotion_sends ADD COLUMN reminded_at BIGINT NOT NULL DEFAULT 0;
