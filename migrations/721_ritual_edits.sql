-- Rituals are edited in versions. What was due before edited_at stands as rows of
-- its days; the times in force count from then. A step that was taken out keeps
-- its number and its days.

ALTER TABLE rituals ADD COLUMN version INT NOT NULL DEFAULT 1;

ALTER TABLE rituals ADD COLUMN edited_at BIGINT NOT NULL DEFAULT 0;

ALTER TABLE ritual_steps ADD COLUMN ended_at BIGINT NOT NULL DEFAULT 0;
