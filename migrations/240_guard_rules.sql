-- How strictly a group keeps single rules, as rule:mode joined by commas.
ALTER TABLE group_guards ADD COLUMN rules VARCHAR(200) NOT NULL DEFAULT '';
