package web

import (
	"cmp"
	"slices"

	"siyu/internal/id"
	"siyu/referral"
)

// treeView is the invitations around an inviter, drawn in a field 320 wide:
// who invited him, he, and those he invited in rows; marked are those a rule
// saw.
type treeView struct {
	Height int
	Nodes  []treeNode
	Lines  []treeLine
	Title  string
	More   string // how many are not drawn
}

type treeNode struct {
	X, Y, R int
	Tone    string // this, mark or plain
	Title   string
}

type treeLine struct{ X1, Y1, X2, Y2 int }

const (
	treeRead  = 100 // invitations read
	treeDrawn = 36  // invitees drawn
	treeRow   = 12  // of them in a row
	treeStep  = 26  // between two
)

// membersIn are those of the tree whom drawTree may draw.
func membersIn(t referral.Tree) []id.Member {
	list := []id.Member{t.MemberID}
	for _, e := range slices.Concat(t.InvitedBy[:min(len(t.InvitedBy), treeRow)], t.Invited.Items) {
		list = append(list, e.MemberID)
	}
	return list
}

// drawTree draws the invitee of the case first, then those marked, then the
// newest of the rest.
func drawTree(lang string, t referral.Tree, invitee id.Member, marked map[id.Member]bool, names map[id.Member]string) *treeView {
	tone := func(m id.Member) string {
		switch {
		case m == invitee:
			return "this"
		case marked[m]:
			return "mark"
		}
		return "plain"
	}
	rank := map[string]int{"this": 0, "mark": 1, "plain": 2}
	down := slices.Clone(t.Invited.Items)
	slices.SortStableFunc(down, func(a, b referral.Edge) int { return cmp.Compare(rank[tone(a.MemberID)], rank[tone(b.MemberID)]) })
	seen := map[id.Member]bool{}
	down = slices.DeleteFunc(down, func(e referral.Edge) bool { again := seen[e.MemberID]; seen[e.MemberID] = true; return again })
	v := &treeView{}
	count, suspects := len(down), 0
	for _, e := range down {
		if marked[e.MemberID] {
			suspects++
		}
	}
	v.Title = choose(lang, "邀请人带来 %d 人，其中 %d 人被规则点名", "the inviter brought %d, of whom rules name %d", count, suspects)
	if t.Invited.NextCursor != "" {
		v.More = choose(lang, "只画出最近的一部分", "only the latest are drawn")
	}
	if count > treeDrawn {
		v.More = choose(lang, "另有 %d 人未画出", "%d more are not drawn", count-treeDrawn)
		down = down[:treeDrawn]
	}
	y := 10
	if up := t.InvitedBy; len(up) > 0 {
		for i, e := range up[:min(len(up), treeRow)] {
			x := fieldWidth/2 + (2*i-min(len(up), treeRow)+1)*treeStep/2
			v.Lines = append(v.Lines, treeLine{x, y, fieldWidth / 2, y + 34})
			v.Nodes = append(v.Nodes, treeNode{x, y, 6, tone(e.MemberID), called(lang, names[e.MemberID])})
		}
		y += 34
	}
	top := y
	v.Nodes = append(v.Nodes, treeNode{fieldWidth / 2, top, 9, "root", called(lang, names[t.MemberID])})
	for i, e := range down {
		inRow := min(len(down)-i/treeRow*treeRow, treeRow)
		x := fieldWidth/2 + (2*(i%treeRow)-inRow+1)*treeStep/2
		y = top + 40 + i/treeRow*24
		if i < treeRow {
			v.Lines = append(v.Lines, treeLine{fieldWidth / 2, top, x, y})
		}
		v.Nodes = append(v.Nodes, treeNode{x, y, 7, tone(e.MemberID), called(lang, names[e.MemberID])})
	}
	v.Height = y + 12
	return v
}
