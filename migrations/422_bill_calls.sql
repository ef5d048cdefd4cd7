-- Who called a bill off while it waited for its person, and when. What became
-- of it is the channel's word: it may have been confirmed meanwhile.

ALTER TABLE payout_bills ADD COLUMN called_by BIGINT NOT NULL DEFAULT 0;

ALTER TABLE payout_bills ADD COLUMN called_at BIGINT NOT NULL DEFAULT 0;
