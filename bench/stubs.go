package main

import "context"

func runMixed(ctx context.Context, l *lab) error    { return nil }
func runSoldOut(ctx context.Context, l *lab) error  { return nil }
func runGroupBuy(ctx context.Context, l *lab) error { return nil }
func runReplicas(ctx context.Context, l *lab) error { return nil }
func runMemory(ctx context.Context, l *lab) error   { return nil }
func runCrash(ctx context.Context, l *lab) error    { return nil }
