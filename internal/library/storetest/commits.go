package storetest

import (
	"bytes"
	"sync"
)

// Loss is when a connection to PostgreSQL breaks around a commit.
type Loss string

// Losses, in the order of time.
const (
	BeforeCommit   Loss = "before the server hears of it"
	WhileCommitted Loss = "while the server does it"
	BeforeAnswer   Loss = "before its answer comes"
	AmidAnswer     Loss = "amid its answer"
)

// On PostgreSQL's wire: a simple query, and CommandComplete with its tag. ReadyForQuery
// follows, for which a client waits too.
var (
	commitQuery = []byte("commit\x00")
	commitDone  = []byte("C\x00\x00\x00\x0bCOMMIT\x00")
)

// LostCommits is a fault for a proxy in front of PostgreSQL: so many commits lose their
// connection. then, unless it is nil, is called each time.
func LostCommits(when Loss, times int, then func()) Fault {
	var mu sync.Mutex
	now := func() bool {
		mu.Lock()
		defer mu.Unlock()
		if times--; times >= 0 && then != nil {
			then()
		}
		return times >= 0
	}
	return Fault{Look: func(down bool, piece []byte) Verdict {
		sought := commitQuery
		if when == BeforeAnswer || when == AmidAnswer {
			sought = commitDone
		}
		at := bytes.Index(piece, sought)
		if down != (when == BeforeAnswer || when == AmidAnswer) || at < 0 || !now() {
			return Verdict{}
		}
		switch when {
		case WhileCommitted:
			return Verdict{Orphan: true}
		case AmidAnswer:
			at += len(commitDone)
		}
		return Verdict{Cut: true, After: at}
	}}
}
