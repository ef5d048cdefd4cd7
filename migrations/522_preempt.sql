-- How many of its slots a promotion lost to others of higher priority.
ALTER TABLE promotions ADD COLUMN lost INT NOT NULL DEFAULT 0;
