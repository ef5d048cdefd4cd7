package worker

import (
	"fmt"
	"log/slog"
)

// logger writes asynq's log lines into ours.
type logger struct{}

// Debug is dropped: asynq writes one per empty poll.
func (logger) Debug(...any) {}

// Info is a detail of asynq's own life.
func (logger) Info(v ...any) { slog.Debug("asynq", "text", fmt.Sprint(v...)) }

// Warn is a warning.
func (logger) Warn(v ...any) { slog.Warn("asynq", "text", fmt.Sprint(v...)) }

// Error is a warning too: nothing is lost with Redis.
func (logger) Error(v ...any) { slog.Warn("asynq", "text", fmt.Sprint(v...)) }

// Fatal ends nothing; only main ends the process.
func (logger) Fatal(v ...any) { slog.Error("asynq", "text", fmt.Sprint(v...)) }
