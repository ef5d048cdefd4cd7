package settlement

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Verification is what VerifyOne found.
type Verification struct {
	SettlementID id.Settlement `json:"settlement_id"`
	OK           bool          `json:"ok"`
	Checked      int64         `json:"checked"`
	Broken       []string      `json:"broken"`
}

// VerifyOne proves one sealed settlement: its lines against their digests,
// their sources and the ledger, its files byte by byte, and its place in the
// chain.
func (s *Service) VerifyOne(ctx context.Context, sid id.Settlement) (Verification, error) {
	st, err := s.Find(ctx, sid)
	switch {
	case err != nil:
		return Verification{}, err
	case !sealed(st.Status):
		return Verification{}, ErrState.With("state", st.Status)
	}
	var p database.Proof
	if err := s.prove(ctx, st, &p); err != nil {
		return Verification{}, err
	}
	if err := s.provePayments(ctx, st, &p); err != nil {
		return Verification{}, err
	}
	out := Verification{SettlementID: sid, OK: len(p.Broken) == 0, Checked: p.Checked, Broken: p.Broken}
	if out.OK {
		out.Broken = []string{}
	}
	return out, nil
}

// sealed says that the settlement must have its place in the chain.
func sealed(s Status) bool {
	return s != StatusOpen && s != StatusDiscarded && s != StatusClosing && s != StatusSealing
}

// Verify proves V7, V16 and V23 for all settlements.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	s := &Service{DB: db}
	return database.Proofs(ctx, db,
		proof("V7", "settlements are sealed and whole, their lines are what their sources and the ledger say", s.proveChain, s.proveEach),
		proof("V7", "each reward due stands on one live line, and money alone on any", s.proveLive, s.proveTaken),
		proof("V16", "what a settlement owes is paid once, taxed, and where the ledger says", s.proveTotals, s.proveEachPaid, s.proveBills),
		proof("V23", "what members asked to be paid is covered once, settled whole, and charged as its terms say", s.proveRequests))
}

// proof makes one proof of several steps.
func proof(no, says string, steps ...func(context.Context, *database.Proof) error) func(context.Context, *database.DB) (database.Proof, error) {
	return func(ctx context.Context, _ *database.DB) (database.Proof, error) {
		p := database.Proof{ID: no, Says: says}
		for _, step := range steps {
			if err := step(ctx, &p); err != nil {
				return p, fmt.Errorf("settlement: verify %s: %w", no, err)
			}
		}
		return p, nil
	}
}

// proveChain walks the chain from its head: no number missing, each digest
// named by the next, and no sealed settlement outside.
func (s *Service) proveChain(ctx context.Context, p *database.Proof) error {
	const at = 5000
	type link struct {
		Seq              int64
		SettlementID     id.Settlement
		Previous, Digest string
	}
	last := link{Seq: -1}
	for {
		var links []link
		err := s.DB.Snapshot(ctx, func(q *database.Query) error {
			return q.Raw("SELECT seq, settlement_id, previous, digest FROM settlement_chain WHERE seq > ? ORDER BY seq LIMIT ?", last.Seq, at).Scan(&links).Error
		})
		if err != nil {
			return err
		}
		for _, l := range links {
			p.Checked++
			if l.Seq != last.Seq+1 {
				p.Break("chain: number %d follows %d", l.Seq, last.Seq)
			}
			if l.Previous != last.Digest {
				p.Break("chain: %s (number %d) does not name the digest of number %d", l.SettlementID, l.Seq, last.Seq)
			}
			last = l
		}
		if len(links) < at {
			break
		}
	}
	return s.DB.Snapshot(ctx, func(q *database.Query) error {
		var lost []id.Settlement
		err := q.Raw(`SELECT s.id FROM settlements s WHERE s.status IN ? AND NOT EXISTS
			(SELECT 1 FROM settlement_chain c WHERE c.settlement_id = s.id) ORDER BY s.id LIMIT 50`, append([]Status{StatusRejected}, standing...)).Scan(&lost).Error
		for _, sid := range lost {
			p.Break("chain: %s is sealed but not in it", sid)
		}
		return err
	})
}

func (s *Service) proveEach(ctx context.Context, p *database.Proof) error {
	for seq := int64(0); ; {
		var next struct {
			Seq          int64
			SettlementID id.Settlement
		}
		err := s.DB.Read(ctx).Raw("SELECT seq, settlement_id FROM settlement_chain WHERE seq > ? ORDER BY seq LIMIT 1", seq).Scan(&next).Error
		if err != nil || next.Seq == 0 {
			return err
		}
		seq = next.Seq
		st, err := s.Find(ctx, next.SettlementID)
		switch {
		case errors.Is(err, fault.NotFound):
			p.Break("%s: the chain names it, but it is gone", next.SettlementID)
			continue
		case err != nil:
			return err
		}
		if err := s.prove(ctx, st, p); err != nil {
			return err
		}
	}
}

// prove checks one sealed settlement.
func (s *Service) prove(ctx context.Context, st Settlement, p *database.Proof) error {
	p.Checked++
	if st.seal() != st.Digest {
		p.Break("%s: what is written on it does not give its digest", st.ID)
	}
	previous, err := s.digestBefore(ctx, st)
	if err != nil {
		return err
	}
	if previous != st.Previous {
		p.Break("%s: does not name the digest of the settlement before", st.ID)
	}
	if err := s.proveLines(ctx, st, p); err != nil {
		return err
	}
	for _, f := range st.Files {
		if err := s.proveFile(ctx, st.ID, f, p); err != nil {
			return err
		}
	}
	return s.provePayer(ctx, st, p)
}

func (s *Service) digestBefore(ctx context.Context, st Settlement) (string, error) {
	var digest string
	err := s.DB.Read(ctx).Raw("SELECT digest FROM settlement_chain WHERE seq = ?", st.Seq-1).Scan(&digest).Error
	return digest, err
}

// proveFile hashes a file again, piece by piece and as a whole.
func (s *Service) proveFile(ctx context.Context, sid id.Settlement, f File, p *database.Proof) error {
	whole, at := sha256.New(), int64(0)
	for no := range f.ChunkCount {
		p.Checked++
		n, err := s.proveChunk(ctx, f.FileID, no, whole)
		switch {
		case errors.Is(err, fault.NotFound):
			p.Break("%s: %s lacks chunk %d", sid, f.Name, no)
		case errors.Is(err, errChanged):
			p.Break("%s: %s was changed in chunk %d, bytes %d to %d", sid, f.Name, no, at, at+int64(n)-1)
		case err != nil:
			return err
		}
		at += int64(n)
	}
	if at != f.Size || hex.EncodeToString(whole.Sum(nil)) != f.SHA256 {
		p.Break("%s: %s does not have its SHA-256", sid, f.Name)
	}
	return nil
}

var errChanged = errors.New("settlement: a stored chunk was changed")

func (s *Service) proveChunk(ctx context.Context, file int64, no int, whole hash.Hash) (int, error) {
	c, err := readChunk(s.DB.Read(ctx), file, no)
	if err != nil {
		return 0, err
	}
	whole.Write(c.Body)
	if digest(c.Body) != c.Sha256 {
		return len(c.Body), errChanged
	}
	return len(c.Body), nil
}
