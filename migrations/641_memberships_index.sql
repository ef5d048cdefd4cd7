-- memberships_joined holds the same columns in the same order.

DROP INDEX memberships_since{{.On "memberships"}};
