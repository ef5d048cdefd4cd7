-- done_at may be the mall's word; when it was reported is kept beside it. Of
-- older refunds both are one, and this stays 0.

ALTER TABLE refunds ADD COLUMN reported_at BIGINT NOT NULL DEFAULT 0;
