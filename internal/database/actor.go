package database

import (
	"cmp"
	"context"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/id"
)

// ActorKind is on whose behalf work runs.
type ActorKind int

// The kinds of actor. The system is the worker, a command or a test.
const (
	ActorSystem ActorKind = iota
	ActorStaff
	ActorMember
	ActorGuest
)

// Actor is who acts: api, web and worker put it into the context, rooms read
// it for maker ≠ checker and for the unit filter of every Find and List.
type Actor struct {
	Kind    ActorKind
	Staff   id.Staff
	Key     id.APIKey
	Role    string
	Member  id.Member   // a member or a guest
	Named   id.Member   // whom his token names, if he was merged since
	Since   clock.Milli // since when a member's token has named him
	Unit    id.Unit     // where a staff member works
	Units   []id.Unit   // the subtree a staff member sees; nil sees all
	Own     bool        // of chat groups he sees none but those he owns
	Request string
}

type actorKey struct{}

// WithActor puts the actor into the context.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorOf is the context's actor; without one it is the system.
func ActorOf(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}

// Sees says whether the actor may see what belongs to the unit.
func (a Actor) Sees(u id.Unit) bool {
	return a.Kind != ActorStaff || a.Units == nil || slices.Contains(a.Units, u)
}

// Within is a condition on a unit column that keeps a staff member to his
// subtree: " AND col IN (…)" with its argument, or nothing.
func (a Actor) Within(column string) (cond string, args []any) {
	if a.Kind != ActorStaff || a.Units == nil {
		return "", nil
	}
	return " AND " + column + " IN ?", []any{a.Units}
}

// Is says whether the actor is the member, today or by the name of his token.
func (a Actor) Is(m id.Member) bool { return m != 0 && (m == a.Member || m == a.Named) }

// Principal names the actor for idempotency: one per staff member, member or
// guest, who keeps it when he is merged.
func (a Actor) Principal() string {
	switch a.Kind {
	case ActorStaff:
		return a.Staff.String()
	case ActorMember, ActorGuest:
		return cmp.Or(a.Named, a.Member).String()
	}
	return "system"
}
