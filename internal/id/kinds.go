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
	topic          struct{}
	settlement     struct{}
	silence        struct{}
	slot           struct{}
	split          struct{}
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
	workLink       struct{}
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
func (topic) prefix() string          { return "tpc" }
func (settlement) prefix() string     { return "stl" }
func (permit) prefix() string         { return "per" }
func (silence) prefix() string        { return "sil" }
func (slot) prefix() string           { return "slt" }
func (split) prefix() string          { return "spl" }
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
func (workLink) prefix() string       { return "wln" }

// The id types the rooms use; those without a word are what their names say.
type (
	Account        = ID[account]     // a ledger account
	APIKey         = ID[apiKey]      // a key of a colleague
	Audit          = ID[audit]       // an audit row
	Binding        = ID[binding]     // an invitee's inviter
	Application    = ID[application] // somebody who wants into a group
	CalendarDay    = ID[calendarDay] // a day that a unit added
	Campaign       = ID[campaign]
	Code           = ID[code]        // an invite code
	Coupon         = ID[coupon]      // a coupon's definition
	CouponBatch    = ID[couponBatch] // codes for one
	Decision       = ID[decision]    // the guard's word
	Delivery       = ID[delivery]    // a webhook's delivery
	Event          = ID[event]       // a published event
	Feed           = ID[feed]        // a calendar app's subscription
	Gathering      = ID[gathering]   // an offline event of a group
	Group          = ID[group]       // a chat group
	Handover       = ID[handover]    // a group's change of owner
	Import         = ID[importFile]  // a file of what was before
	Item           = ID[item]        // a product in a campaign
	Job            = ID[job]         // long work that a person watches
	Material       = ID[material]    // what an ad shows
	Member         = ID[member]
	Merger         = ID[merger]       // an invitation of one group into another
	MemberCoupon   = ID[memberCoupon] // one that a member holds
	Notice         = ID[notice]
	Objection      = ID[objection] // what a member finds wrong in his statement
	Order          = ID[order]
	Payee          = ID[payee] // who receives a member's money
	Payer          = ID[payer] // the entity that pays it
	Payment        = ID[payment]
	Payout         = ID[payout]
	Permit         = ID[permit]         // what lifts the guard's policy
	KOCProposal    = ID[kocProposal]    // what KOCs of a group are to be paid for a month
	Picture        = ID[picture]        // an uploaded one
	PosterTemplate = ID[posterTemplate] // what codes are printed on
	PriceApproval  = ID[priceApproval]  // a price under the floor that two people agree on
	Product        = ID[product]
	Program        = ID[program]
	Promoter       = ID[promoter] // a member who asked to promote
	Promotion      = ID[promotion]
	Refund         = ID[refund]
	Rehearsal      = ID[rehearsal] // a campaign played on a store of its own
	Reminder       = ID[reminder]
	Request        = ID[request]
	ReviewCase     = ID[reviewCase] // a reward stopped for a human
	Reward         = ID[reward]
	Ritual         = ID[ritual]
	Settlement     = ID[settlement]
	Silence        = ID[silence] // a stop of ads
	Slot           = ID[slot]
	Split          = ID[split] // a proposal to split a group
	Staff          = ID[staff]
	Tag            = ID[tag]
	StepReward     = ID[stepReward] // what a step of a referral campaign gives
	Task           = ID[task]
	Team           = ID[team]
	Template       = ID[template]
	TieOut         = ID[tieOut]
	Topic          = ID[topic]    // what a group talks about on one day
	Touch          = ID[touch]    // one scan
	Transfer       = ID[transfer] // a ledger fact
	Unit           = ID[unit]     // a region or store
	Violation      = ID[violation]
	Vouch          = ID[vouch]
	Wait           = ID[wait]
	Webhook        = ID[webhook]
	Withdrawal     = ID[withdrawal] // a member's request to be paid
	WorkLink       = ID[workLink]   // with which a group owner opens his work page
)
