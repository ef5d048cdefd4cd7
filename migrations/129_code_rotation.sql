-- The code a rotated one leads on to. Printed codes outlive rotations, so the
-- index finds all that led to a code that is rotated in turn.

ALTER TABLE codes ADD COLUMN successor_id BIGINT NOT NULL DEFAULT 0;

CREATE INDEX codes_successor ON codes (successor_id);
