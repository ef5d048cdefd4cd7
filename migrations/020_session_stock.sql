-- How much of an item each session of a flash sale may sell; 0 is all that is
-- left. session_taken counts the live pieces of orders made since session_at,
-- when the last session began in which one was.

ALTER TABLE items ADD COLUMN session_stock BIGINT NOT NULL DEFAULT 0;

ALTER TABLE items ADD COLUMN session_at BIGINT NOT NULL DEFAULT 0;

ALTER TABLE items ADD COLUMN session_taken BIGINT NOT NULL DEFAULT 0;
