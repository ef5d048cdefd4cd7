package main

import (
	"encoding/json"
	"errors"
	"os"
	"sync"
)

// state is all the mall remembers.
type state struct {
	Members map[string]string   `json:"members"` // the mall's id → Siyu's
	Webhook string              `json:"webhook"`
	Secret  string              `json:"secret"` // of the webhook, shown by Siyu once
	Seen    map[string]string   `json:"seen"`   // events by webhook-id → type
	Orders  map[string]string   `json:"orders"` // orders heard of → their last event
	Refunds map[string]*request `json:"refunds"`
}

// request is money Siyu asked the mall to send back, and how far that came.
type request struct {
	Order    string `json:"order"`
	No       string `json:"no"`
	Amount   int64  `json:"amount"`
	Goods    int64  `json:"goods"`
	Qty      int    `json:"qty"`
	Paid     bool   `json:"paid"`     // the bank has sent it
	Tries    int    `json:"tries"`    // of the bank
	Reported string `json:"reported"` // what Siyu was told last
}

// store keeps the state in a file. Every change is one write that happens
// whole or not at all; a database would call it a transaction.
type store struct {
	file string
	mu   sync.Mutex
	now  state
}

func openStore(file string) (*store, error) {
	s := &store{file: file}
	raw, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &s.now); err != nil {
			return nil, err
		}
	}
	for _, m := range []*map[string]string{&s.now.Members, &s.now.Seen, &s.now.Orders} {
		if *m == nil {
			*m = map[string]string{}
		}
	}
	if s.now.Refunds == nil {
		s.now.Refunds = map[string]*request{}
	}
	return s, nil
}

// change applies a change and writes it down before anybody is answered.
func (s *store) change(apply func(*state)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	apply(&s.now)
	raw, err := json.MarshalIndent(s.now, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.file+".new", raw, 0o600); err != nil {
		return err
	}
	return os.Rename(s.file+".new", s.file)
}

// read looks at the state.
func (s *store) read(look func(state)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	look(s.now)
}
