-- A program's rewards, newest first, without sorting all of them for a page.
CREATE INDEX rewards_program ON rewards (program_id, id);
