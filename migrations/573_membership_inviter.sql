-- Who brought a member into a group: whose code he came by, or who vouched for
-- him. 0: nobody, or it was before this was noted.

ALTER TABLE memberships ADD COLUMN inviter_id BIGINT NOT NULL DEFAULT 0;
