package campaign

// VerifyBy is Verify in snapshots of that many orders.
var VerifyBy = verifyBy
