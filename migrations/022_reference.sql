-- The lowest price an item's product was dealt at here in the seven days before
-- its campaign starts; 0 is none known.

ALTER TABLE items ADD COLUMN reference BIGINT NOT NULL DEFAULT 0;
