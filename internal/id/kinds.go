package id

// The kinds, one line each: the type, then its public prefix.
type (
	account        struct{}
	apiKey         struct{}
	audit          struct{}
	binding        struct{}
	application    struct{}
	calendarDay    struct{}
	campaign       struct{}
	code           struct{}
	coupon         struct{}
	couponBatch    struct{}
	decision       struct{}
	delivery       struct{}
	event          struct{}
	feed           struct{}
	gathering      struct{}
	group          struct{}
	groupSplit     struct{}
	handover       struct{}
	importFile     struct{}
	item           struct{}
	job            struct{}
	material       struct{}
	member         struct{}
	merger         struct{}
	notice         struct{}
	memberCoupon   struct{}
	objection      struct{}
	kocProposal    struct{}
	order          struct{}
	payee          struct{}
	payer          struct{}
	payment        struct{}
	payout         struct{}
	permit         struct{}
	picture        struct{}
	posterTemplate struct{}
	priceApproval  struct{}
	stepReward     struct{}
	product        struct{}
	program        struct{}
	promoter       struct{}
	promotion      struct{}
	refund         struct{}
	rehearsal      struct{}
	reminder       struct{}
	request        struct{}
	reviewCase     struct{}
	reward         struct{}
	ritual         struct{}
	settlement     struct{}
	silence        struct{}
	slot           struct{}
	staff          struct{}
	tag            struct{}
	task           struct{}
	team           struct{}
	template       struct{}
	tieOut         struct{}
	touch          struct{}
	transfer       struct{}
	unit           struct{}
	violation      struct{}
	vouch          struct{}
	wait           struct{}
	webhook        struct{}
	withdrawal     struct{}
)

func (account) prefix() string        { return "acc" }
func (apiKey) prefix() string         { return "key" }
func (audit) prefix() string          { return "aud" }
func (binding) prefix() string        { return "bnd" }
func (application) prefix() string    { return "apl" }
func (calendarDay) prefix() string    { return "day" }
func (campaign) prefix() string       { return "cmp" }
func (code) prefix() string           { return "cod" }
func (coupon) prefix() string         { return "cpn" }
func (couponBatch) prefix() string    { return "cbt" }
func (decision) prefix() string       { return "dcs" }
func (delivery) prefix() string       { return "dlv" }
func (event) prefix() string          { return "evt" }
func (feed) prefix() string           { return "fed" }
func (gathering) prefix() string      { return "gat" }
func (group) prefix() string          { return "grp" }
func (groupSplit) prefix() string     { return "spl" }
func (handover) prefix() string       { return "hov" }
func (importFile) prefix() string     { return "imp" }
func (item) prefix() string           { return "itm" }
func (job) prefix() string            { return "job" }
func (material) prefix() string       { return "mat" }
func (member) prefix() string         { return "mem" }
func (merger) prefix() string         { return "mrg" }
func (memberCoupon) prefix() string   { return "mcp" }
func (notice) prefix() string         { return "ntc" }
func (objection) prefix() string      { return "obj" }
func (kocProposal) prefix() string    { return "kpr" }
func (order) prefix() string          { return "ord" }
func (payee) prefix() string          { return "pye" }
func (payer) prefix() string          { return "ent" }
func (payment) prefix() string        { return "pmt" }
func (payout) prefix() string         { return "pay" }
func (picture) prefix() string        { return "pic" }
func (posterTemplate) prefix() string { return "ptm" }
func (priceApproval) prefix() string  { return "pap" }
func (product) prefix() string        { return "prd" }
func (program) prefix() string        { return "prg" }
func (promoter) prefix() string       { return "pro" }
func (promotion) prefix() string      { return "prm" }
func (refund) prefix() string         { return "rfd" }
func (rehearsal) prefix() string      { return "rhs" }
func (reminder) prefix() string       { return "rmd" }
func (request) prefix() string        { return "req" }
func (reviewCase) prefix() string     { return "rvc" }
func (reward) prefix() string         { return "rwd" }
func (ritual) prefix() string         { return "rit" }
func (settlement) prefix() string     { return "stl" }
func (permit) prefix() string         { return "per" }
func (silence) prefix() string        { return "sil" }
func (slot) prefix() string           { return "slt" }
func (staff) prefix() string          { return "stf" }
func (tag) prefix() string            { return "tag" }
func (stepReward) prefix() string     { return "srw" }
func (task) prefix() string           { return "tsk" }
func (team) prefix() string           { return "tem" }
func (template) prefix() string       { return "tpl" }
func (tieOut) prefix() string         { return "tie" }
func (touch) prefix() string          { return "tch" }
func (transfer) prefix() string       { return "trf" }
func (unit) prefix() string           { return "unt" }
func (violation) prefix() string      { return "vio" }
func (vouch) prefix() string          { return "vch" }
func (wait) prefix() string           { return "wat" }
func (webhook) prefix() string        { return "whk" }
func (withdrawal) prefix() string     { return "wdr" }

// The id types the rooms use. Account is a ledger account, APIKey a staff key,
// Audit an audit row, Binding an invitee's inviter, Code an invite code,
// Coupon a coupon's definition, CouponBatch codes for one, MemberCoupon one
// that a member holds, CalendarDay a day a unit added, Feed a calendar app's
// subscription, Decision a guard decision, Delivery a webhook delivery,
// Event a published event, Application somebody who wants
// into a group, Gathering an offline event of a group, Group a chat group,
// GroupSplit a proposal to make two of one, Handover a group's change of
// owner, Merger an invitation of one group into another, Import a file of what was
// before, Item a product in a campaign,
// Job long work a person watches, Material what an ad shows, Picture an
// uploaded one, PosterTemplate what codes are printed on,
// PriceApproval a price under the floor that
// two people agree on, Rehearsal a campaign played on a store of its own,
// Promoter a member who asked to promote, Silence a stop of ads, Permit what
// lifts a policy, KOCProposal what KOCs of a group are to be paid for a month, Objection what a member finds wrong in his statement, Payee who receives a member's money, Payer the entity that pays it,
// ReviewCase a reward stopped for a human, StepReward what a step of a
// referral campaign gives, Touch one scan, Transfer a ledger fact, Withdrawal a member's request to be paid, Unit
// a region or store; the others are what their names say.
type (
	Account        = ID[account]
	APIKey         = ID[apiKey]
	Audit          = ID[audit]
	Binding        = ID[binding]
	Application    = ID[application]
	CalendarDay    = ID[calendarDay]
	Campaign       = ID[campaign]
	Code           = ID[code]
	Coupon         = ID[coupon]
	CouponBatch    = ID[couponBatch]
	Decision       = ID[decision]
	Delivery       = ID[delivery]
	Event          = ID[event]
	Feed           = ID[feed]
	Gathering      = ID[gathering]
	Group          = ID[group]
	GroupSplit     = ID[groupSplit]
	Handover       = ID[handover]
	Import         = ID[importFile]
	Item           = ID[item]
	Job            = ID[job]
	Material       = ID[material]
	Member         = ID[member]
	Merger         = ID[merger]
	MemberCoupon   = ID[memberCoupon]
	Notice         = ID[notice]
	Objection      = ID[objection]
	Order          = ID[order]
	Payee          = ID[payee]
	Payer          = ID[payer]
	Payment        = ID[payment]
	Payout         = ID[payout]
	Permit         = ID[permit]
	KOCProposal    = ID[kocProposal]
	Picture        = ID[picture]
	PosterTemplate = ID[posterTemplate]
	PriceApproval  = ID[priceApproval]
	Product        = ID[product]
	Program        = ID[program]
	Promoter       = ID[promoter]
	Promotion      = ID[promotion]
	Refund         = ID[refund]
	Rehearsal      = ID[rehearsal]
	Reminder       = ID[reminder]
	Request        = ID[request]
	ReviewCase     = ID[reviewCase]
	Reward         = ID[reward]
	Ritual         = ID[ritual]
	Settlement     = ID[settlement]
	Silence        = ID[silence]
	Slot           = ID[slot]
	Staff          = ID[staff]
	Tag            = ID[tag]
	StepReward     = ID[stepReward]
	Task           = ID[task]
	Team           = ID[team]
	Template       = ID[template]
	TieOut         = ID[tieOut]
	Touch          = ID[touch]
	Transfer       = ID[transfer]
	Unit           = ID[unit]
	Violation      = ID[violation]
	Vouch          = ID[vouch]
	Wait           = ID[wait]
	Webhook        = ID[webhook]
	Withdrawal     = ID[withdrawal]
)
