-- Editing an offline event, whom it was reminded of, and the hand-overs that
-- wait for a colleague.

ALTER TABLE gatherings ADD COLUMN version INT NOT NULL DEFAULT 1;

ALTER TABLE gathering_seats ADD COLUMN reminded_for BIGINT NOT NULL DEFAULT 0;

CREATE INDEX group_handovers_taker ON group_handovers (to_id, closed, id);
