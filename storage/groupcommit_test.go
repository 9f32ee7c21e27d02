package storage_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/directory"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// company is several transactions of one SQLite database that are made to share
// a commit: while the first has its turn, the others line up behind it.
type company struct {
	t       *testing.T
	db      *storage.DB
	release chan struct{}
	outcome error // of the first
	first   chan error
	others  []chan error
}

// newCompany begins with a transaction that inserts 0.
func newCompany(t *testing.T) *company {
	t.Helper()
	c := &company{t: t, db: storagetest.Open(t).DB, release: make(chan struct{}), first: make(chan error, 1)}
	scratch(t, c.db)
	inside := make(chan struct{})
	go func() {
		c.first <- c.db.InTx(t.Context(), func(ctx context.Context) error {
			close(inside)
			<-c.release
			return errors.Join(insert(ctx, c.db, 0), c.outcome)
		})
	}()
	<-inside
	return c
}

// waits is how many have had to wait for the writer so far.
func (c *company) waits() int64 {
	for _, p := range c.db.Pools() {
		if p.Name == "writer" {
			return p.Waits
		}
	}
	c.t.Fatal("no pool of writers")
	return 0
}

// joins lines a transaction up behind the others.
func (c *company) joins(f func() error) {
	before, answer := c.waits(), make(chan error, 1)
	c.others = append(c.others, answer)
	go func() { answer <- f() }()
	for c.waits() == before {
		time.Sleep(time.Millisecond)
	}
}

// inTx lines up one that runs f in a transaction.
func (c *company) inTx(f func(ctx context.Context) error) {
	c.joins(func() error { return c.db.InTx(c.t.Context(), f) })
}

// inserts lines up one statement by itself.
func (c *company) inserts(n int) {
	c.joins(func() error { return insert(c.t.Context(), c.db, n) })
}

// proceed lets the first go on and returns what everyone was answered.
func (c *company) proceed() []error {
	close(c.release)
	answers := []error{<-c.first}
	for _, o := range c.others {
		answers = append(answers, <-o)
	}
	return answers
}

// holds checks which numbers the table has.
func (c *company) holds(want ...int) {
	c.t.Helper()
	var got []int
	err := c.db.Rows(c.t.Context(), "select n from scratch order by n", nil, func(scan func(...any) error) error {
		got = append(got, 0)
		return scan(&got[len(got)-1])
	})
	if err != nil || !slices.Equal(got, want) {
		c.t.Errorf("rows %v, %v; want %v", got, err, want)
	}
}

func TestMemberOfAGroupFailsAlone(t *testing.T) {
	c := newCompany(t)
	c.inTx(func(ctx context.Context) error { return errors.Join(insert(ctx, c.db, 1), insert(ctx, c.db, 2)) })
	c.inTx(func(ctx context.Context) error { return errors.Join(insert(ctx, c.db, 3), errStop) })
	c.inTx(func(ctx context.Context) error { return errors.Join(insert(ctx, c.db, 4), insert(ctx, c.db, 1)) })
	c.inserts(2)
	c.inserts(5)
	c.joins(func() (err error) {
		defer func() { err, _ = recover().(error) }()
		return c.db.InTx(t.Context(), func(ctx context.Context) error {
			_ = insert(ctx, c.db, 6)
			panic(errStop)
		})
	})
	c.inserts(7)
	want := []error{nil, nil, errStop, directory.ErrConflict, directory.ErrConflict, nil, errStop, nil}
	for i, err := range c.proceed() {
		if !errors.Is(err, want[i]) {
			t.Errorf("%d: %v, want %v", i, err, want[i])
		}
	}
	c.holds(0, 1, 2, 5, 7)
}

func TestFirstOfAGroupGoesBackAlone(t *testing.T) {
	c := newCompany(t)
	c.outcome = errStop
	c.inserts(0)
	c.inTx(func(ctx context.Context) error { return insert(ctx, c.db, 1) })
	if answers := c.proceed(); !errors.Is(answers[0], errStop) || answers[1] != nil || answers[2] != nil {
		t.Errorf("answers %v", answers)
	}
	c.holds(0, 1)
}

func TestNobodyIsAnsweredBeforeTheGroupIsCommitted(t *testing.T) {
	c := newCompany(t)
	inside, finish := make(chan struct{}), make(chan struct{})
	c.inserts(1)
	c.inTx(func(ctx context.Context) error {
		close(inside)
		<-finish
		var n int
		if err := c.db.Row(ctx, "select count(*) from scratch", nil, &n); err != nil || n != 2 {
			t.Errorf("%d rows before it, %v", n, err)
		}
		return errStop
	})
	close(c.release)
	<-inside // the turn has come round: the two before have had theirs
	if len(c.first) != 0 || len(c.others[0]) != 0 {
		t.Error("answered before the commit")
	}
	c.holds()
	close(finish)
	if err := errors.Join(<-c.first, <-c.others[0]); err != nil || !errors.Is(<-c.others[1], errStop) {
		t.Error(err)
	}
	c.holds(0, 1)
}

// Who comes before the group is finished joins it, whether that one has had its
// turn when the others have run, or is in the middle of it and leaves last.
func TestLatecomerSharesTheCommit(t *testing.T) {
	for _, inside := range []bool{false, true} {
		db := storagetest.Open(t).DB
		scratch(t, db)
		finish := make(chan func(), 1)
		db.AfterOthers(func(f func()) { finish <- f })
		answers, arrived, leave := make(chan error, 2), make(chan struct{}), make(chan struct{})
		go func() { answers <- insert(t.Context(), db, 1) }()
		first := <-finish
		go func() {
			answers <- db.InTx(t.Context(), func(ctx context.Context) error {
				err := insert(ctx, db, 2)
				close(arrived)
				<-leave
				return err
			})
		}()
		<-arrived
		if inside {
			first()
			close(leave)
			first = <-finish
		} else {
			close(leave)
			for db.Pools()[1].InUse > 0 {
				time.Sleep(time.Millisecond)
			}
		}
		if n := count(t, db); n != 0 || len(answers) != 0 {
			t.Errorf("inside %v: %d rows and %d answers before the commit", inside, n, len(answers))
		}
		first()
		if n := count(t, db); n != 2 {
			t.Errorf("inside %v: %d rows after the commit", inside, n)
		}
		if err := errors.Join(<-answers, <-answers); err != nil {
			t.Error(err)
		}
	}
}

func TestCancelledMemberHarmsNobody(t *testing.T) {
	c := newCompany(t)
	waiting, leave := context.WithCancel(t.Context())
	working, stop := context.WithCancel(t.Context())
	c.joins(func() error { return insert(waiting, c.db, 1) })
	c.joins(func() error {
		return c.db.InTx(working, func(ctx context.Context) error {
			err := insert(ctx, c.db, 2)
			stop()
			return err // and cancelled when it is to be committed
		})
	})
	c.joins(func() error {
		return c.db.InTx(working, func(ctx context.Context) error { return insert(ctx, c.db, 3) })
	})
	c.inserts(4)
	leave()
	if err := <-c.others[0]; !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("who left the queue was told %v", err)
	}
	c.others = c.others[1:]
	answers := c.proceed()
	if answers[0] != nil || !errors.Is(answers[1], directory.ErrUnavailable) || !errors.Is(answers[2], directory.ErrUnavailable) || answers[3] != nil {
		t.Errorf("answers %v", answers)
	}
	c.holds(0, 4)
}

// When SQLite has no room it takes back the whole transaction: nobody whose
// change was in it may be told otherwise, and the next group starts afresh.
func TestLostGroupIsLostForAll(t *testing.T) {
	c := newCompany(t)
	c.inTx(func(ctx context.Context) error {
		if err := insert(ctx, c.db, 1); err != nil {
			return err
		}
		if _, err := c.db.Exec(ctx, "pragma max_page_count = 1"); err != nil { // no more than there are
			t.Error(err)
		}
		_, full := c.db.Exec(ctx, "insert into scratch (n) with recursive s (n) as (select 1000 union all select n + 1 from s where n < 9000) select n from s")
		after := insert(ctx, c.db, 2)
		if full == nil || after == nil {
			t.Errorf("no fault: %v, and then %v", full, after)
		}
		return nil // as if it did not matter
	})
	c.inserts(3)
	answers := c.proceed()
	if !errors.Is(answers[0], directory.ErrUnavailable) || !errors.Is(answers[1], directory.ErrUnavailable) || answers[2] != nil {
		t.Errorf("answers %v", answers)
	}
	c.holds(3)
}

// A commit that fails is everybody's, and a refusal that rested on what the
// others had not committed is not passed on.
func TestLostCommitIsLostForAll(t *testing.T) {
	c := newCompany(t)
	c.inserts(1)
	c.inTx(func(ctx context.Context) error { return insert(ctx, c.db, 1) })
	c.inTx(func(ctx context.Context) error {
		_, err := c.db.Exec(ctx, "rollback") // as SQLite does by itself
		return err
	})
	for i, err := range c.proceed() {
		if err == nil || errors.Is(err, directory.ErrConflict) {
			t.Errorf("%d: %v", i, err)
		}
	}
	c.holds()
	if err := insert(t.Context(), c.db, 1); err != nil {
		t.Error(err)
	}
}

// Whatever becomes of each of many that race, the table holds what those have
// inserted who were told so, whole.
func TestRacingTransactionsAreWhole(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *storage.DB) {
		var (
			racers sync.WaitGroup
			kept   atomic.Int64
			start  = make(chan struct{})
		)
		for i := range 64 {
			racers.Go(func() {
				<-start
				for round := range 4 {
					ctx, cancel := context.WithCancel(t.Context())
					err := db.InTx(ctx, func(ctx context.Context) error {
						at := 1000*i + 10*round
						if err := errors.Join(insert(ctx, db, at), insert(ctx, db, at+1)); err != nil {
							return err
						}
						switch i % 4 {
						case 1:
							return errStop
						case 2:
							return insert(ctx, db, at) // a conflict
						case 3:
							cancel()
						}
						return nil
					})
					cancel()
					if (err == nil) != (i%4 == 0) {
						t.Errorf("kind %d: %v", i%4, err)
					}
					if err == nil {
						kept.Add(2)
					}
				}
			})
		}
		close(start)
		racers.Wait()
		if got := count(t, db); int64(got) != kept.Load() {
			t.Errorf("%d rows, %d were promised", got, kept.Load())
		}
	})
}
