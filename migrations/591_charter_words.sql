-- What a charter says in words beside its purpose: whom the group is for, what
-- members get of it, and the rules that they agree to.

ALTER TABLE charters ADD COLUMN audience VARCHAR(500) NOT NULL DEFAULT '';

ALTER TABLE charters ADD COLUMN benefits VARCHAR(500) NOT NULL DEFAULT '';

ALTER TABLE charters ADD COLUMN rules VARCHAR(1000) NOT NULL DEFAULT '';
