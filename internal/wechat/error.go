package wechat

import (
	"errors"
	"fmt"
	"strings"
)

// Error is a refusal of the platform. Errors are compared by code.
type Error struct {
	Status  int
	Code    string
	Message string // the platform's sentence; it may quote what was sent, so it is not logged
}

// Error names the code alone.
func (e *Error) Error() string { return fmt.Sprintf("wechat: %s (%d)", e.Code, e.Status) }

// Is matches by code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// The refusals a caller tells apart.
var (
	ErrNotFound    = &Error{Status: 404, Code: "NOT_FOUND"}         // no bill has the number
	ErrNotEnough   = &Error{Status: 403, Code: "NOT_ENOUGH"}        // the merchant's balance
	ErrQuota       = &Error{Status: 403, Code: "QUOTA_EXCEED"}      // of the day, of the merchant or the person
	ErrFrequency   = &Error{Status: 429, Code: "FREQUENCY_LIMITED"} // asked too often
	ErrSystem      = &Error{Status: 500, Code: "SYSTEM_ERROR"}      // what became of the request is unknown
	ErrParam       = &Error{Status: 400, Code: "PARAM_ERROR"}
	ErrInvalid     = &Error{Status: 400, Code: "INVALID_REQUEST"} // also: the scene, the app or our address is not allowed
	ErrExists      = &Error{Status: 400, Code: "ALREADY_EXISTS"}  // the number belongs to a bill with other parameters
	ErrNoAuth      = &Error{Status: 403, Code: "NO_AUTH"}
	ErrAccount     = &Error{Status: 403, Code: "ACCOUNT_ERROR"} // the person's account
	ErrSign        = &Error{Status: 401, Code: "SIGN_ERROR"}
	ErrUnconfirmed = errors.New("wechat: the answer carries no valid signature") // nothing it says counts
)

// Sort is what a failed call means for the bill it was about.
type Sort int

// The sorts, from what is known least to what is known best.
const (
	SortUnsure  Sort = iota // it may exist: ask by its number
	SortBusy                // not made now; the same number again later
	SortRefused             // not made as it was sent; a person must look
	SortAbsent              // asked for by its number: there is none
)

// SortOf says what the failure of a call means. A code that is not in the
// table leaves it open: the platform says so of its new codes.
func SortOf(err error) Sort {
	var e *Error
	if !errors.As(err, &e) {
		return SortUnsure
	}
	switch {
	case e.Is(ErrNotFound):
		return SortAbsent
	case e.Is(ErrNotEnough), e.Is(ErrQuota), e.Is(ErrFrequency), e.Code == "RATELIMIT_EXCEEDED", e.Code == "FREQUENCY_LIMIT_EXCEED":
		return SortBusy
	case e.Is(ErrParam), e.Is(ErrInvalid), e.Is(ErrExists), e.Is(ErrNoAuth), e.Is(ErrAccount), e.Is(ErrSign):
		return SortRefused
	}
	return SortUnsure
}

// Code is the platform's code of a failure, or what stands for it: a word that
// may be stored and shown.
func Code(err error) string {
	var e *Error
	switch {
	case errors.As(err, &e) && len(e.Code) <= 40 && strings.Trim(e.Code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == "":
		return e.Code
	case errors.As(err, &e):
		return "OTHER"
	case errors.Is(err, ErrUnconfirmed):
		return "UNSIGNED"
	}
	return "NO_ANSWER"
}
