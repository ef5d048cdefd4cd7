-- Decisions are found by their group; only the proof looks for those of a slot,
-- and it knows the group. Every reservation paid for this index.

DROP INDEX decisions_slot{{.On "decisions"}};
