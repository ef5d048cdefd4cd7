-- Who pays a reward where its program names nobody: the payer of its campaign.
-- 0: its program's payer, or the default one.

ALTER TABLE rewards ADD COLUMN payer_id BIGINT NOT NULL DEFAULT 0;

ALTER TABLE clearings ADD COLUMN payer_id BIGINT NOT NULL DEFAULT 0;
